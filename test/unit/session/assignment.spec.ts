import fc from "fast-check";
import { assign, type Candidate, type Needs } from "../../../services/session/assignment";

const agent = (agentId: string, more: Partial<Candidate> = {}): Candidate => ({
  agentId,
  takes: true,
  skills: [],
  load: 0,
  capacity: 5,
  ...more,
});
const needs: Needs = { skills: [], customerId: "customer" };
const chosen = (candidates: readonly Candidate[], more: Partial<Needs> = {}) =>
  assign(candidates, { ...needs, ...more }).order[0]?.agentId;

describe("assignment", () => {
  it("goes to whoever is least loaded by the own capacity", () => {
    expect(chosen([agent("a", { load: 2 }), agent("b", { load: 1 })])).toBe("b");
    expect(chosen([agent("a", { load: 3, capacity: 10 }), agent("b", { load: 2, capacity: 5 })])).toBe("a");
  });

  it("takes turns among equals", () => {
    const equals = [agent("a", { lastAssignedAt: 20 }), agent("b", { lastAssignedAt: 10 }), agent("c")];
    expect(assign(equals, needs).order.map(({ agentId }) => agentId)).toEqual(["c", "b", "a"]);
  });

  it("prefers the customer's last agent, but only an available one", () => {
    const others = [agent("a"), agent("b", { load: 4 })];
    expect(chosen(others, { lastAgentId: "b" })).toBe("b");
    expect(chosen([agent("a"), agent("b", { takes: false })], { lastAgentId: "b" })).toBe("a");
    expect(chosen([agent("a"), agent("b", { load: 5 })], { lastAgentId: "b" })).toBe("a");
  });

  it("wants all the skills", () => {
    const candidates = [agent("a", { skills: ["loan"] }), agent("b", { skills: ["loan", "german"], load: 4 })];
    expect(chosen(candidates, { skills: ["german", "loan"] })).toBe("b");
    expect(chosen(candidates, { skills: ["french"] })).toBeUndefined();
  });

  it("gives nobody the own session, and none to whoever has just given it up", () => {
    expect(chosen([agent("customer")])).toBeUndefined();
    expect(chosen([agent("a"), agent("b", { load: 4 })], { passedOver: ["a"] })).toBe("b");
  });

  it("says why, in words and numbers", () => {
    const two = [agent("a", { load: 1 }), agent("b", { load: 2 })];
    expect(assign(two, needs).reason).toBe("the least loaded of 2 agents who fit, with 1 of 5 sessions");
    expect(assign([agent("a")], needs).reason).toBe("the only agent who fits, with 0 of 5 sessions");
    expect(assign([agent("a"), agent("b")], needs).reason).toMatch(/^the next in turn of 2 equally loaded agents/);
    expect(assign(two, { ...needs, lastAgentId: "b" }).reason).toBe(
      "the customer's last agent, available with 2 of 5 sessions",
    );
    expect(assign([], needs).reason).toBe("there are no agents");
    const none = [agent("a", { takes: false }), agent("b", { load: 5 }), agent("c", { load: 7 })];
    expect(assign(none, needs).reason).toBe("nobody fits: 1 not available, 2 at capacity");
    expect(assign(none, { ...needs, skills: ["x"] }).judgements[1]).toMatchObject({
      verdict: "lacks skills",
      lacking: ["x"],
    });
  });

  const skills = fc.uniqueArray(fc.constantFrom("loan", "payment", "german"), { maxLength: 3 });
  const ids = ["a", "b", "c", "d", "e"] as const;
  const candidates = fc.uniqueArray(
    fc.record(
      {
        agentId: fc.constantFrom(...ids),
        takes: fc.boolean(),
        skills,
        load: fc.nat(6),
        capacity: fc.nat(6),
        lastAssignedAt: fc.nat(3),
      },
      { requiredKeys: ["agentId", "takes", "skills", "load", "capacity"] },
    ),
    { selector: ({ agentId }) => agentId, maxLength: 5 },
  );
  const wanted = fc.record(
    { skills, customerId: fc.constantFrom("a", "customer"), lastAgentId: fc.constantFrom(...ids) },
    { requiredKeys: ["skills", "customerId"] },
  );

  it("never gives a session to somebody unavailable, over capacity or without the skills, and misses nobody", () => {
    fc.assert(
      fc.property(candidates, wanted, (given, asked) => {
        const fitting = given.filter(
          ({ agentId, takes, load, capacity, skills: own }) =>
            agentId !== asked.customerId &&
            takes &&
            load < capacity &&
            asked.skills.every((skill) => own.includes(skill)),
        );
        const { order } = assign(given, asked);
        expect(new Set(order)).toEqual(new Set(fitting));
      }),
    );
  });

  it("puts nobody before a less loaded agent, but for the customer's last one", () => {
    fc.assert(
      fc.property(candidates, wanted, (given, asked) => {
        const { order } = assign(given, asked);
        if (order.some(({ agentId }) => agentId === asked.lastAgentId))
          expect(order[0]?.agentId).toBe(asked.lastAgentId);
        const rest = order.filter(({ agentId }) => agentId !== asked.lastAgentId);
        const shares = rest.map(({ load, capacity }) => load / capacity);
        expect(shares).toEqual([...shares].sort((a, b) => a - b));
      }),
    );
  });

  it("does not depend on the order of the candidates", () => {
    fc.assert(
      fc.property(candidates, wanted, fc.infiniteStream(fc.nat()), (given, asked, keys) => {
        const shuffled = given.map((one) => ({ one, key: keys.next().value as number }));
        shuffled.sort((a, b) => a.key - b.key);
        const order = assign(
          shuffled.map(({ one }) => one),
          asked,
        ).order;
        expect(order).toEqual(assign(given, asked).order);
      }),
    );
  });

  it("spreads sessions evenly over equal agents", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.nat(25), (count, sessions) => {
        const team = new Map(ids.slice(0, count).map((id) => [id as string, agent(id, { capacity: 5 })]));
        for (let i = 1; i <= sessions; i++) {
          const best = assign([...team.values()], needs).order[0];
          if (best) team.set(best.agentId, { ...best, load: best.load + 1, lastAssignedAt: i });
        }
        const loads = [...team.values()].map(({ load }) => load);
        expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
        expect(loads.reduce((sum, load) => sum + load, 0)).toBe(Math.min(sessions, 5 * count));
      }),
    );
  });
});
