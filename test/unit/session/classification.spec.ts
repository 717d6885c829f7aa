import fc from "fast-check";
import type { StoredEvent } from "../../../actors/conversation/conversation.events";
import type { SessionState } from "../../../actors/conversation/conversation.session-state";
import { bearsOnClass, FIRST_EVENTS, firstWords, reclassified } from "../../../services/session/classification";
import { CLASS_MS } from "../../../services/topics/head-start";
import { sessionState } from "../../support/session-state";

const session = (more: Partial<SessionState> = {}): SessionState =>
  sessionState({ urgency: "low", customerId: "ann", headStart: { class: CLASS_MS.normal, hint: 5 }, ...more });
const said = (by: string, text: string): StoredEvent =>
  ({ type: "message.created", by, data: { text }, seq: 2, audience: "all" }) as StoredEvent;
const topic = { id: "loan", urgency: "normal" } as const;
const rules = [{ id: "fraud", words: ["stolen"], urgency: "urgent" as const }];
const again = (state: SessionState, texts: readonly string[]): SessionState => ({
  ...state,
  ...reclassified(state, texts, rules, topic),
});

describe("what a session is classified by", () => {
  it("is its subject and the customer's first three messages", () => {
    const events = [said("ann", "1"), said("ada", "no"), said("ann", "2"), said("ann", "3"), said("ann", "4")];
    expect(firstWords({ subject: "s", customerId: "ann" }, events)).toEqual(["s", "1", "2", "3"]);
    expect(firstWords({ customerId: "ann" }, [])).toEqual([]);
  });

  it("changes with the first events only, and never with a note", () => {
    const event = said("ann", "hello");
    expect(bearsOnClass(event)).toBe(true);
    expect(bearsOnClass({ ...event, seq: FIRST_EVENTS + 1 })).toBe(false);
    expect(bearsOnClass({ ...event, audience: "staff" })).toBe(false);
    expect(bearsOnClass({ ...event, type: "session.assigned" })).toBe(false);
    expect(bearsOnClass({ ...event, type: "session.transferred", seq: 99 })).toBe(true);
  });
});

describe("classifying a session", () => {
  it("adds the strongest rule to its head start, and keeps the other parts", () => {
    const { headStart, urgency } = again(session(), ["It was stolen!"]);
    const keyword = CLASS_MS.urgent - CLASS_MS.normal;
    expect([urgency, headStart]).toEqual(["urgent", { class: CLASS_MS.normal, hint: 5, keyword, rule: "fraud" }]);
  });

  it("takes back what no rule says any more, but not the urgency that was told", () => {
    const before = again(session(), ["stolen"]);
    const after = { ...before, ...reclassified(before, ["stolen"], [], topic) };
    expect([after.urgency, after.headStart]).toEqual(["urgent", session().headStart]);
  });

  it("does nothing to a session that does not wait", () => {
    expect(reclassified(session({ status: "assigned" }), ["stolen"], rules, topic)).toBeUndefined();
  });

  it("does nothing the second time", () => {
    const word = fc.constantFrom("stolen", "hello", "card");
    const texts = fc.array(fc.array(word).map((words) => words.join(" ")));
    fc.assert(
      fc.property(texts, fc.constantFrom("low", "normal", "high", "urgent"), (all, urgency) => {
        expect(reclassified(again(session({ urgency }), all), all, rules, topic)).toBeUndefined();
      }),
    );
  });
});
