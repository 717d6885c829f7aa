import fc from "fast-check";
import type { EventType, StoredEvent } from "../../../actors/conversation/conversation.events";
import { factsOf, MAX_SEGMENTS, type SessionFacts } from "../../../services/statistics/session-facts";
import { documentOf } from "../../../services/statistics/measures";
import { Tally } from "../../../services/statistics/tally";
import { command, Reference, World } from "../conversation/world";
import { logs } from "./logs";

const BORDERS: readonly EventType[] = [
  "session.opened",
  "session.assigned",
  "session.transferred",
  "session.bounced",
  "session.returned",
  "session.closed",
  "session.reopened",
];

/** The same facts, each looked up in the whole log. */
function naive(log: readonly StoredEvent[]) {
  const borders = log.filter(({ type }) => BORDERS.includes(type));
  const customerId = "carl";
  const said = (event: StoredEvent): "customer" | "staff" | undefined => {
    if (event.type !== "message.created" || event.audience !== "all") return undefined;
    if (event.by === customerId) return "customer";
    return new Reference(log.slice(0, event.seq - 1)).standing(event.by) === "staff" ? "staff" : undefined;
  };
  const between = (after: number, before: number, who: string): number =>
    log.filter((event) => event.seq > after && event.seq < before && said(event) === who).length;
  const segments = borders.flatMap((event, index) => {
    const { session } = event;
    if (!session || event.type === "session.closed") return [];
    const next = borders[index + 1];
    const end = next?.seq ?? Infinity;
    return [
      {
        topic: session.topic,
        agentId: session.agentId,
        from: event.at,
        to: next?.at,
        takenBy: session.agentId === undefined ? next?.session?.agentId : undefined,
        said: { customer: between(event.seq, end, "customer"), staff: between(event.seq, end, "staff") },
      },
    ];
  });
  const first = log.find((event) => said(event) === "staff");
  const rated = log.findLast(({ type }) => type === "session.rated");
  return { segments, first, rated };
}

const withoutWords = ({ segments }: SessionFacts) =>
  segments.map(({ topic, agentId, from, to, takenBy, said }) => ({ topic, agentId, from, to, takenBy, said }));

describe("the facts of a session", () => {
  it("are what the log says, looked up one by one", () => {
    fc.assert(
      fc.property(logs, (log) => {
        const facts = factsOf(log);
        if (!facts) throw new Error("a session has facts");
        const { segments, first, rated } = naive(log);
        expect(withoutWords(facts)).toEqual(segments);
        expect([facts.firstResponse?.at, facts.firstResponse?.agentId]).toEqual([first?.at, first?.by]);
        expect(facts.rating?.score).toEqual(rated?.session?.rating?.score);
        expect(facts.openedAt).toBe(log[0]?.at);
        const people = new Reference(log);
        expect(facts.staff).toEqual(people.members.filter((userId) => people.standing(userId) === "staff"));
      }),
      { numRuns: 300 },
    );
  });

  it("come out the same a part at a time", () => {
    fc.assert(
      fc.property(logs, fc.nat(), (log, cut) => {
        const at = cut % (log.length + 1);
        expect(factsOf(log.slice(at), factsOf(log.slice(0, at)))).toEqual(factsOf(log));
      }),
    );
  });

  it("hold each moment of an open session once, and say how each part began and ended", () => {
    fc.assert(
      fc.property(logs, (log) => {
        const { segments = [] } = factsOf(log) ?? {};
        for (const [index, segment] of segments.entries()) {
          const next = segments[index + 1];
          expect((segment.to === undefined) === (segment.ended === undefined)).toBe(true);
          if (next?.began !== "reopened") expect(next?.from ?? segment.to).toBe(segment.to);
          else expect(["closed", "expired", "no-show"]).toContain(segment.ended);
        }
        expect(segments.filter(({ to }) => to === undefined).length).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("call an end that a person calls expired an end like any other", () => {
    fc.assert(
      fc.property(logs, (log) => {
        const ends = factsOf(log)?.segments.map(({ ended }) => ended) ?? [];
        expect(ends).not.toContain("expired");
        expect(ends).not.toContain("no-show");
      }),
    );
  });

  it("of an imported session are its end, messages, first answer and rating, and no time that nobody knows", () => {
    const world = new World();
    const people = { customerId: "carl", agentIds: ["ada"], agentId: "ada" };
    const origin = { source: "elsewhere", sourceId: "1", parties: [] };
    const params = { topic: "loan", urgency: "normal", at: 100, closedAt: 900, ...people, ...origin };
    world.give("i", command("sue", "importSession", params));
    world.give("i", { ...command("carl", "importMessage", { at: 200, text: "hello" }), supervises: true });
    world.give("i", { ...command("ada", "importMessage", { at: 300, text: "hello" }), supervises: true });
    world.give("i", { ...command("carl", "importRating", { at: 950, score: 4 }), supervises: true });
    const facts = factsOf(world.log("i"));
    expect(facts?.segments).toEqual([
      {
        topic: "loan",
        agentId: "ada",
        began: "imported",
        from: 100,
        to: 900,
        ended: "closed",
        said: { customer: 1, staff: 1 },
      },
    ]);
    expect(facts?.firstResponse).toEqual({ at: 300, topic: "loan", agentId: "ada" });
    const tally = new Tally({ periods: [{ from: 0, to: 1_000 }], now: 2_000 });
    if (facts) tally.add(documentOf("i", 4, facts, () => undefined));
    const [row] = tally.view();
    expect(row).toMatchObject({ opened: 1, closed: 1, assigned: 0, handle: { count: 0 }, wait: { count: 0 } });
    expect(row?.firstResponse.wall.medianMs).toBe(200);
    expect(row?.rating).toEqual({ count: 1, average: 4 });
  });

  it("stay bounded however often a session is handed around", () => {
    const [opened, assigned, returned] = [1, 2, 3].map((seq) => handed(seq));
    if (!opened || !assigned || !returned) throw new Error("three events");
    const log = [opened];
    for (let seq = 2; seq < 3 * MAX_SEGMENTS; seq++) log.push({ ...(seq % 2 ? returned : assigned), seq, at: seq });
    const facts = factsOf(log);
    expect(facts?.segments).toHaveLength(MAX_SEGMENTS);
    expect(facts?.dropped).toBe(log.length - MAX_SEGMENTS);
    expect(facts?.segments.at(-1)?.from).toBe(log.at(-1)?.at);
  });
});

/** The first three events of a session that an agent takes and gives back. */
function handed(seq: number): StoredEvent {
  const types = ["session.opened", "session.assigned", "session.returned"] as const;
  const session = { customerId: "carl", topic: "loan", status: "unassigned" };
  const data = [{ customerId: "carl" }, { agentId: "ada", via: "claim" }, { from: "ada" }][seq - 1];
  const held = seq === 2 ? { ...session, status: "assigned", agentId: "ada" } : session;
  return { seq, at: seq, by: "ada", type: types[seq - 1], data, session: held, audience: "all" } as StoredEvent;
}
