import fc from "fast-check";
import { totalOf } from "../../../actors/conversation/conversation.session-state";
import { TIERS, URGENCIES, type Urgency } from "../../../services/schemas";
import { CLASS_MS, headStartOf } from "../../../services/topics/head-start";

const urgency = fc.constantFrom(...URGENCIES);
const tier = fc.constantFrom(...TIERS);
const keywordMs = fc.integer({ min: 0, max: 86_400_000 });
const total = (...reasons: Parameters<typeof headStartOf>) => totalOf(headStartOf(...reasons));

describe("the head start of a session", () => {
  it("is its class when nothing else speaks for it", () => {
    expect(headStartOf({ topic: { urgency: "high" }, hint: "low" })).toEqual({ class: 900_000 });
  });

  it("names each of its reasons", () => {
    const reasons = {
      topic: { urgency: "low" },
      keywordMs: 7_000,
      rule: "fraud",
      tier: "gold",
      hint: "urgent",
    } as const;
    expect(headStartOf(reasons)).toEqual({ class: 0, keyword: 7_000, rule: "fraud", tier: 600_000, hint: 120_000 });
    expect(total(reasons)).toBe(727_000);
  });

  it("grows with every reason", () => {
    fc.assert(
      fc.property(urgency, urgency, tier, keywordMs, (topic, hint, own, ms) => {
        const all = total({ topic: { urgency: topic }, hint, tier: own, keywordMs: ms });
        expect(all).toBeGreaterThanOrEqual(total({ topic: { urgency: topic }, hint, tier: own }));
        expect(all).toBeGreaterThanOrEqual(total({ topic: { urgency: topic }, hint, keywordMs: ms }));
        expect(all).toBeGreaterThanOrEqual(total({ topic: { urgency: "low" }, hint, tier: own, keywordMs: ms }));
        expect(all).toBeGreaterThanOrEqual(total({ topic: { urgency: topic }, hint: "low", tier: own, keywordMs: ms }));
      }),
    );
  });

  it("lets nobody leave a class by asking", () => {
    const above = (class_: Urgency) => URGENCIES.filter((other) => CLASS_MS[other] > CLASS_MS[class_]);
    fc.assert(
      fc.property(urgency, urgency, urgency, tier, (own, hint, other, sharedTier) => {
        for (const higher of above(own)) {
          const asking = total({ topic: { urgency: own }, hint, tier: sharedTier });
          expect(asking).toBeLessThan(total({ topic: { urgency: higher }, hint: other, tier: sharedTier }));
        }
      }),
    );
  });

  it("is the same for a customer who asks for nothing special and one who does not ask", () => {
    expect(headStartOf({ topic: { urgency: "low" } })).toEqual(
      headStartOf({ topic: { urgency: "low" }, hint: "normal" }),
    );
  });
});
