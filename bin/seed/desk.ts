const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const workdays = (from: string, to: string) => [1, 2, 3, 4, 5].map((day) => ({ day, from, to }));
const hours = (weekly: object[]) => ({
  timeZone: "Europe/Berlin",
  weekly,
  holidays: ["2026-12-25", "2026-12-26", "2027-01-01", "2027-12-25", "2027-12-26", "2028-01-01"],
});
/** Agents who are not connected keep their sessions: in the beginning nobody is. */
const rules = { acceptMs: 5 * MINUTE, reopenMs: 7 * DAY };

/** What customers ask about: descriptions of the topics that every new server has. */
export const TOPICS = [
  {
    id: "loan",
    number: 1,
    name: "Loans",
    urgency: "normal",
    skills: ["loan"],
    mode: "pull",
    hours: hours(workdays("09:00", "18:00")),
    texts: {
      welcome: "Hello! Which loan is it about? Please have your contract number at hand.",
      away: "All our loan advisers are talking at the moment. You keep your place.",
      closed: "Our loan advisers are here on workdays from 9 to 6.",
      warning: "Are you still there? Otherwise we close this conversation soon.",
    },
    rules,
  },
  {
    id: "payment",
    number: 2,
    name: "Payments and cards",
    urgency: "high",
    skills: ["payment"],
    mode: "push",
    hours: hours([...workdays("07:00", "22:00"), { day: 6, from: "09:00", to: "18:00" }]),
    texts: {
      welcome: "Hello! If your card was stolen, say so in the first line: it is blocked at once.",
      away: "Somebody is with you in a moment.",
      closed: "Cards can be blocked at any time on the number on their back.",
    },
    rules: { ...rules, attendMs: 10 * MINUTE },
  },
  {
    id: "other",
    number: 3,
    name: "Everything else",
    urgency: "low",
    skills: [],
    mode: "pull",
    texts: { welcome: "Hello! What can we do for you?" },
    rules,
  },
] as const;

/** Words by which waiting sessions are found to be more urgent. */
export const KEYWORDS = [
  { id: "stolen", words: ["stolen", "gestohlen", "fraud", "phishing"], urgency: "urgent" },
  { id: "blocked", words: ["blocked", "declined", "gesperrt"], urgency: "high", topicId: "payment" },
  { id: "complaint", words: ["complaint", "lawyer", "ombudsman"], headStartMs: 20 * MINUTE },
] as const;

/** Canned replies that all agents share. */
export const REPLIES = [
  {
    shortcut: "hello",
    title: "Greeting",
    text: "Hello {{customer.firstName|there}}, this is {{agent.firstName}}. How can I help?",
  },
  { shortcut: "moment", title: "One moment", text: "One moment please, I am looking it up." },
  {
    shortcut: "contract",
    title: "Contract number",
    text: "Could you tell me your contract number? It is at the top right of every letter of ours.",
  },
  {
    shortcut: "card",
    title: "Card blocked",
    text: "Your card is blocked now. The new one arrives within five workdays, its PIN two days later.",
  },
  {
    shortcut: "bye",
    title: "Farewell",
    text: "Thank you for writing to us about: {{session.subject|your question}}. Have a good day!",
  },
] as const;
