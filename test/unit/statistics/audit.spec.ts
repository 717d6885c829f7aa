import { emptyState, evolve } from "../../../actors/conversation/conversation.state";
import type { StoredEvent } from "../../../actors/conversation/conversation.events";
import { nextTimer } from "../../../actors/conversation/conversation.timers";
import { type Findings, NO_FINDINGS } from "../../../services/statistics/audit/anomalies";
import { factsOf } from "../../../services/statistics/session-facts";
import { bringUp } from "../../../services/statistics/folding";
import { Desk } from "./desk";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const TEXT = { text: "hello" };

describe("the audit of the desk", () => {
  let desk: Desk;
  beforeEach(() => {
    desk = new Desk();
  });
  const open = (id: string, customer: string) =>
    desk.give(id, [customer, "open", { topic: "loan", urgency: "normal" }], [customer, "send", TEXT]);
  /** What was found, and that a second look finds nothing of it any more. */
  const found = async (agoMs = HOUR): Promise<Partial<Findings>> => {
    await desk.clock.advance(agoMs);
    const findings = await desk.audit();
    return Object.fromEntries(Object.entries(findings).filter(([, count]) => count > 0));
  };

  it("finds nothing where nothing is wrong", async () => {
    open("waiting", "carl");
    open("served", "cora");
    desk.give("served", ["sue", "push", { agentId: "ada", slot: 1 }], ["ada", "send", TEXT]);
    open("over", "cyd");
    desk.give(
      "over",
      ["sue", "push", { agentId: "ada", slot: 2 }],
      ["ada", "close", {}],
      ["cyd", "rate", { score: 5 }],
    );
    for (const id of ["waiting", "served", "over"]) await desk.settle(id);
    // An event that changes no fact, of which therefore nobody is told.
    const place = { urgency: "high", headStart: { class: 1 } };
    desk.give("waiting", ["sue", "reclassify", place]);
    await desk.store("waiting", -1);
    for (const after of [2 * MINUTE, HOUR, MINUTE]) expect(await found(after)).toEqual({});
  });

  it("arms the timer of a session that nothing would look at, once", async () => {
    open("forgotten", "carl");
    open("fine", "cora");
    await desk.settle("forgotten", { timer: true });
    await desk.settle("fine");
    expect(await found()).toEqual({ unarmed: 1, repaired: 1 });
    const dueAt = nextTimer(desk.world.state("forgotten"))?.dueAt;
    expect(await desk.timers.rows.find({ conversationId: "forgotten" })).toMatchObject([{ dueAt }]);
    expect(await found(MINUTE)).toEqual({});
  });

  it("is not content with a timer that comes too late", async () => {
    open("late", "carl");
    await desk.settle("late", { timer: true });
    await desk.timers.keep("late", (nextTimer(desk.world.state("late"))?.dueAt ?? 0) + 1);
    expect(await found()).toEqual({ unarmed: 1, repaired: 1 });
  });

  it("calls nothing forgotten that ends while it is looked at", async () => {
    open("ending", "carl");
    await desk.settle("ending", { timer: true });
    await desk.clock.advance(HOUR);
    jest.spyOn(desk.timers.rows, "findOne").mockImplementationOnce(async () => {
      desk.world.pass(HOUR);
      desk.give("ending", ["carl", "close", {}]);
      await desk.store("ending", -1);
      return undefined;
    });
    expect(await desk.audit()).toMatchObject({ unarmed: 0, overdue: 0, repaired: 0 });
  });

  it("counts a session whose time has passed, and has it looked at", async () => {
    open("overdue", "carl");
    await desk.settle("overdue", { timer: true });
    const year = 365 * 24 * HOUR;
    expect(await found(year)).toEqual({ overdue: 1, unarmed: 1, repaired: 1 });
    expect(await desk.timers.rows.find({})).toMatchObject([{ conversationId: "overdue" }]);
    // It has a row now; that nobody acts on it is still to be seen.
    expect(await found(2 * MINUTE)).toEqual({ overdue: 1 });
  });

  it("leaves alone a session of which the snapshot alone says that it is open", async () => {
    open("closed", "carl");
    await desk.settle("closed", { timer: true });
    desk.give("closed", ["carl", "close", {}]);
    await desk.store("closed", -1);
    await desk.clock.advance(1);
    expect(await desk.audit()).toMatchObject({ unarmed: 0, overdue: 0 });
  });

  it("counts two open sessions of a customer's in one topic once, however far apart they were opened", async () => {
    open("first", "carl");
    await desk.settle("first");
    for (let n = 0; n < 120; n++) {
      open(`s${n}`, `c${n}`);
      await desk.settle(`s${n}`);
    }
    desk.world.pass(1_000);
    open("second", "nobody");
    const [opened] = desk.world.log("second");
    const { session } = opened ?? {};
    if (!opened || !session) throw new Error("it was opened");
    const other = {
      ...opened,
      data: { ...opened.data, customerId: "carl" },
      session: { ...session, customerId: "carl" },
    };
    desk.world.logs.set("second", [other as StoredEvent]);
    desk.world.states.set("second", evolve(emptyState("second"), other as StoredEvent));
    await desk.settle("second");
    for (const after of [HOUR, MINUTE]) expect(await found(after)).toEqual({ twice: 1 });
  });

  it("counts a slot that a session holds which its agent no longer has", async () => {
    open("leaked", "carl");
    desk.give("leaked", ["sue", "push", { agentId: "ada", slot: 2 }], ["ada", "close", {}]);
    const end = desk.world.log("leaked").at(-1) as { endsSlot?: string } | undefined;
    expect(end?.endsSlot).toBeDefined();
    desk.world.logs.set(
      "leaked",
      desk.world.log("leaked").map(({ endsSlot: _ends, ...event }) => event),
    );
    await desk.settle("leaked");
    expect(await found()).toEqual({ slot: 1 });
  });

  it("writes again what is missing, behind, wrong, or ahead of its log", async () => {
    for (const [id, customer] of [
      ["missing", "c1"],
      ["behind", "c2"],
      ["wrong", "c3"],
      ["ahead", "c4"],
    ] as const) {
      open(id, customer);
      desk.give(id, ["ada", "claim", {}], ["ada", "send", TEXT], ["ada", "close", {}]);
      await desk.settle(id, { facts: true });
      await bringUp({ log: desk.log, facts: desk.facts, topics: () => Promise.resolve([]) }, id);
    }
    const right = new Map<string, unknown>();
    for (const id of ["missing", "behind", "wrong", "ahead"]) right.set(id, await desk.facts.get(id));
    const spoil = async (id: string, change: object | undefined) => {
      const document = await desk.facts.get(id);
      if (!document) throw new Error(`${id} has facts`);
      await desk.facts.remove(document);
      if (change) await desk.facts.put({ ...document, ...change });
    };
    await spoil("missing", undefined);
    await spoil("behind", { seq: 2, facts: factsOf(desk.world.log("behind").slice(0, 2)) });
    await spoil("wrong", { facts: { ...(await desk.facts.get("wrong"))?.facts, customerId: "somebody" } });
    await spoil("ahead", { seq: 99 });
    expect(await found()).toEqual({ facts: 4, repaired: 4 });
    for (const [id, document] of right) expect([id, await desk.facts.get(id)]).toEqual([id, document]);
    expect(await found(MINUTE)).toEqual({});
  });

  it("finds by its events a session that has no snapshot, and waits for what is under way", async () => {
    open("fresh", "carl");
    await desk.settle("fresh", { facts: true, snapshot: true });
    expect(await found(30_000)).toEqual({});
    expect(await found(MINUTE)).toEqual({ facts: 1, repaired: 1 });
    expect(await desk.facts.get("fresh")).toMatchObject({ seq: 2 });
  });

  it("counts messages of which nothing was told, and calls that no fault", async () => {
    open("talking", "carl");
    desk.give("talking", ["ada", "claim", {}]);
    await desk.settle("talking");
    desk.give("talking", ["ada", "send", TEXT], ["carl", "send", TEXT]);
    await desk.store("talking", 3);
    expect(await found()).toEqual({});
    expect(await desk.facts.get("talking")).toMatchObject({ seq: 5, facts: { firstResponse: { agentId: "ada" } } });
  });

  it("goes through all sessions in steps, and begins again", async () => {
    for (let n = 0; n < 120; n++) {
      open(`s${n}`, `c${n}`);
      await desk.settle(`s${n}`, n % 10 === 0 ? { facts: true, timer: true } : {});
    }
    await desk.clock.advance(HOUR);
    const sum = { ...NO_FINDINGS };
    for (let step = 0; step < 4; step++) {
      const { unarmed, facts } = await desk.audit();
      sum.unarmed += unarmed;
      sum.facts += facts;
    }
    expect(sum).toMatchObject({ unarmed: 12, facts: 12 });
  });
});
