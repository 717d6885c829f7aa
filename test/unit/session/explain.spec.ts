import type { SessionState } from "../../../actors/conversation/conversation.session-state";
import { explanationOf, type Standing } from "../../../services/session/explain";
import { undescribed } from "../../../services/topics/topic";
import { sessionState } from "../../support/session-state";

const MINUTE = 60_000;
const ENTERED = Date.UTC(2030, 0, 7, 10);
const NOW = ENTERED + 12 * MINUTE;

const waiting = sessionState({
  urgency: "high",
  customerId: "ann",
  openedAt: ENTERED,
  enteredAt: ENTERED,
  rank: ENTERED - 27 * MINUTE,
  headStart: { class: 15 * MINUTE, keyword: 5 * MINUTE, rule: "fraud", tier: 5 * MINUTE, hint: 2 * MINUTE },
});
const served: SessionState = { ...waiting, status: "assigned", agentId: "ada", assignedAt: ENTERED + 3 * MINUTE };
const topic = { ...undescribed("loan"), name: "Loans" };
const told = (more: Partial<Standing> = {}) => explanationOf({ session: waiting, topic, now: NOW, ...more });
const text = (more: Partial<Standing> = {}): string => told(more).words.join("\n");
const judgement = { agentId: "ada", verdict: "full" as const, load: 5, capacity: 5, lacking: [] };

describe("why a session stands where it stands", () => {
  it("is told by the parts of its head start, which add up", () => {
    const { headStart } = told();
    expect(headStart).toEqual({ total: 27 * MINUTE, ...waiting.headStart });
    expect(text()).toContain(
      "with a head start of 27 min: 15 min for the topic's urgency, 5 min for the keyword rule fraud, " +
        "5 min for the customer's tier, 2 min for the urgency asked for.",
    );
    expect(text({ session: { ...waiting, headStart: { class: 0 } } })).toContain("without a head start.");
  });

  it("counts who is before it, while it waits", () => {
    expect(text({ ahead: 1 })).toContain("It has waited for 12 min; 1 session of the topic is before it in Loans.");
    expect(text({ ahead: 3 })).toContain("3 sessions of the topic are before it");
    expect(text({ session: served })).not.toContain("before it");
  });

  it("says when the topic is closed, and until when", () => {
    const hours = { timeZone: "UTC", weekly: [{ day: 2, from: "09:00", to: "17:00" }], holidays: [] };
    expect(told().topic).toMatchObject({ open: true });
    expect(text({ topic: { ...topic, hours } })).toContain("The topic Loans is closed until 2030-01-08T09:00:00.000Z.");
    expect(text({ topic: { ...topic, hours: { ...hours, weekly: [] } } })).toContain("will not open again");
  });

  it("says what time does to it next", () => {
    const timer = { kind: "attend", dueAt: NOW + 2 * MINUTE } as const;
    expect(told({ timer }).timer).toEqual({ kind: "attend", dueAt: "2030-01-07T10:14:00.000Z" });
    expect(text({ timer })).toContain("In 2 min, at 2030-01-07T10:14:00.000Z, it goes back to the queue unless");
  });
});

describe("why a session has its agent", () => {
  it("is told by how the agent came to have it", () => {
    expect(text({ session: { ...served, via: "claim" } })).toContain("ada claimed it 3 min after it entered.");
    expect(text({ session: { ...served, via: "takeover" } })).toContain("ada took it over");
    const handed: SessionState = { ...served, via: "transfer", formerAgentId: "bob" };
    expect(text({ session: handed })).toContain("bob transferred it to ada");
    expect(text({ session: handed })).toContain("ada has not taken it up yet.");
    expect(text({ session: { ...handed, attendedAt: NOW } })).not.toContain("taken it up");
  });

  it("has the reason of the push, and what was thought of each agent", () => {
    const push = { agentId: "ada", at: "2030-01-07T10:03:00.000Z", reason: "the only one", judgements: [judgement] };
    const pushed = told({ session: { ...served, via: "push" }, push });
    expect(pushed.words.join("\n")).toContain("It was pushed to ada 3 min after it entered: the only one.");
    expect(pushed.push).toEqual({
      reason: "the only one",
      at: push.at,
      agents: [{ agentId: "ada", verdict: "full", load: 5, capacity: 5 }],
    });
  });

  it("or has none, says who has to act", () => {
    expect(text()).toContain("An agent has to claim it.");
    const push = { at: "2030-01-07T10:03:00.000Z", reason: "nobody fits: 1 at capacity", judgements: [judgement] };
    expect(text({ topic: { ...topic, mode: "push" }, push })).toContain(
      "It is not pushed to anybody yet: nobody fits: 1 at capacity.",
    );
  });
});
