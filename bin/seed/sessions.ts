import type { Urgency } from "../../services/schemas";
import type { Who } from "./people";

/** One command on a session, by somebody. */
export interface Step {
  readonly by: Who;
  readonly action: "message" | "claim" | "attend" | "return" | "transfer" | "close" | "reopen" | "rate";
  readonly body: object;
  /** Whom it is transferred to. */
  readonly to?: Who;
}

/** A session and all that happens in it, in order. */
export interface Script {
  /** Names it for good: what is made again under the same name is made once. */
  readonly name: string;
  readonly customer: Who;
  readonly topic: string;
  readonly subject: string;
  readonly text: string;
  readonly urgency?: Urgency;
  readonly steps: readonly Step[];
}

const says = (by: Who, text: string): Step => ({ by, action: "message", body: { text } });
const notes = (by: Who, text: string): Step => ({ by, action: "message", body: { text, audience: "staff" } });
const claims = (by: Who): Step => ({ by, action: "claim", body: {} });
const attends = (by: Who): Step => ({ by, action: "attend", body: {} });
const returns = (by: Who, reason: string): Step => ({ by, action: "return", body: { reason } });
const closes = (by: Who, reason: string): Step => ({ by, action: "close", body: { reason } });
const reopens = (by: Who): Step => ({ by, action: "reopen", body: {} });
const rates = (by: Who, score: number, comment?: string): Step => ({ by, action: "rate", body: { score, comment } });
const hands = (by: Who, to: Who, note: string): Step => ({ by, action: "transfer", body: { note }, to });
const moves = (by: Who, topic: string, note: string): Step => ({
  by,
  action: "transfer",
  body: { note, to: { topic } },
});

/** Closed ones come before open ones of the same customer and topic: there is one open at a time. */
export const SCRIPTS: readonly Script[] = [
  {
    name: "solved",
    customer: "mia",
    topic: "payment",
    subject: "Debited twice",
    text: "My electricity bill was debited twice on the 3rd.",
    steps: [
      claims("priya"),
      says("priya", "Good morning Ms Hoffmann, I see both debits. I am taking the second one back."),
      says("mia", "Great, how long does that take?"),
      says("priya", "It is on your account tomorrow morning."),
      says("mia", "Perfect, thank you!"),
      closes("priya", "solved"),
      rates("mia", 5, "Quick and friendly."),
    ],
  },
  {
    name: "unhappy",
    customer: "tom",
    topic: "other",
    subject: "Branch closed early",
    text: "Your branch in the Lindenstrasse was closed at 4 although the sign says 6.",
    steps: [
      claims("erik"),
      says("erik", "I am sorry about that. The branch closes at 4 on Wednesdays."),
      says("tom", "Then change the sign."),
      notes("erik", "Told facilities about the sign, ticket 8812."),
      closes("erik", "answered"),
      rates("tom", 2, "I drove there for nothing."),
    ],
  },
  {
    name: "withdrawn",
    customer: "noah",
    topic: "other",
    subject: "Tax certificate",
    text: "Where do I find my tax certificate?",
    steps: [says("noah", "Found it, in the mailbox of the app."), closes("noah", "found it myself")],
  },
  {
    name: "handed-on",
    customer: "lukas",
    topic: "payment",
    subject: "Card limit on holiday",
    text: "I need a higher limit for a rental car deposit in Portugal.",
    steps: [
      claims("marek"),
      says("marek", "That is possible for two weeks. My colleague Inês does it for you."),
      hands("marek", "ines", "Wants 3,000 until the 20th, identity is checked."),
      attends("ines"),
      says("ines", "Done: 3,000 until the 20th. Enjoy Portugal!"),
      closes("ines", "solved"),
      rates("lukas", 4),
    ],
  },
  {
    name: "waits-long",
    customer: "mia",
    topic: "loan",
    subject: "Early repayment",
    text: "I would like to repay my car loan early. What does that cost me?",
    steps: [],
  },
  {
    name: "waits-urgent",
    customer: "aylin",
    topic: "other",
    subject: "My wallet",
    text: "My wallet was stolen on the tram, with both cards in it!",
    urgency: "urgent",
    steps: [says("aylin", "The last thing I paid was a coffee at 8:40.")],
  },
  {
    name: "waits-for-push",
    customer: "tom",
    topic: "payment",
    subject: "Transfer to Norway",
    text: "A transfer to Oslo has been pending since Monday.",
    urgency: "high",
    steps: [],
  },
  {
    name: "in-talk",
    customer: "tom",
    topic: "loan",
    subject: "Documents for a mortgage",
    text: "Which documents do you need for a mortgage of 240,000?",
    steps: [
      claims("anna"),
      says("anna", "Hello Mr Becker! Your last three payslips, the land register entry and the draft contract."),
      says("tom", "Is a scan enough?"),
      says("anna", "Yes, as PDF in the app under Documents."),
    ],
  },
  {
    name: "noted",
    customer: "aylin",
    topic: "payment",
    subject: "Direct debit I do not know",
    text: "There is a debit of 89.90 from a company that I have never heard of.",
    steps: [
      claims("jonas"),
      notes("jonas", "Third case with this creditor this week, looks like a subscription trap."),
      says("jonas", "I am returning the debit for you. Did you sign up for a trial somewhere lately?"),
      notes("judith", "Put it on the list for the fraud team, please."),
      says("aylin", "For a fitness app, but I cancelled that."),
    ],
  },
  {
    name: "moved",
    customer: "lukas",
    topic: "other",
    subject: "Instalments",
    text: "Can I pay the kitchen in instalments?",
    steps: [
      claims("erik"),
      says("erik", "That is a question for our loan advisers. You keep your place in the queue."),
      moves("erik", "loan", "Consumer loan of about 8,000, customer since 2015."),
    ],
  },
  {
    name: "taken-up",
    customer: "sofia",
    topic: "payment",
    subject: "Foreign card fees",
    text: "Why did I pay a fee in Switzerland?",
    steps: [
      claims("omar"),
      says("omar", "Let me get a colleague who knows your tariff."),
      hands("omar", "priya", "Gold customer, old tariff."),
      attends("priya"),
      says("priya", "Hello Ms Rossi, your tariff is free in the euro area only. I refund this one."),
    ],
  },
  {
    name: "returned",
    customer: "sofia",
    topic: "loan",
    subject: "Lower rate",
    text: "A friend got 3.4 percent with you. I pay 4.1. Can we talk about that?",
    steps: [
      claims("lea"),
      says("lea", "Certainly. Let me find somebody who may decide that."),
      returns("lea", "needs somebody with authority over rates"),
    ],
  },
  {
    name: "reopened",
    customer: "noah",
    topic: "loan",
    subject: "Payout of my loan",
    text: "When is my loan paid out?",
    steps: [
      claims("ines"),
      says("ines", "On Friday, to the account that ends in 27."),
      closes("ines", "answered"),
      reopens("noah"),
      says("noah", "It is Monday and nothing has arrived."),
    ],
  },
];
