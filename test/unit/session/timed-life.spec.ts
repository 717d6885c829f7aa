import type { ConversationCommand } from "../../../actors/conversation/conversation.commands";
import { DEFAULT_RULES } from "../../../actors/conversation/conversation.session-state";
import { nextTimer } from "../../../actors/conversation/conversation.timers";
import type { Conversations } from "../../../actors/conversation/conversation.actor";
import { ParleyError } from "../../../lib/errors";
import { MemoryStore } from "../../../lib/store/memory";
import { type Looked, lookAt } from "../../../services/session/timed-life";
import { TimerStore } from "../../../services/timers";
import { SeededRandom, VirtualClock } from "../../support/virtual-clock";
import { command, SUPERVISORS, World } from "../conversation/world";

const ID = "s";
const WARN_MS = 60_000;
const AGAIN_MS = 120_000;

/** A session of which the customer is warned after a minute, and the node that looks at it. */
class Desk {
  readonly clock = new VirtualClock();
  readonly world = new World();
  readonly timers = new TimerStore(new MemoryStore(), this.clock, new SeededRandom("timers"));
  /** The commands that were given, and what keeps them from being answered. */
  readonly given: string[] = [];
  fails: Error | undefined;
  readonly conversations = {
    host: { readHead: () => Promise.resolve(this.world.state(ID)) } as unknown as Conversations["host"],
    command: ((_id: string, asked: ConversationCommand) => this.give(asked)) as unknown as Conversations["command"],
  };

  constructor() {
    // The clock of such a world begins at a second, and goes on by a millisecond with each command.
    this.world.pass(this.clock.now() - 1_001);
    const desk = { headStart: { class: 0 }, rules: { ...DEFAULT_RULES, warnMs: WARN_MS } };
    this.world.give(ID, command("carl", "open", { topic: "loan", urgency: "normal", desk }));
  }

  get dueAt(): number {
    return nextTimer(this.world.state(ID))?.dueAt ?? Infinity;
  }

  look(row: { dueAt: number; armedAt?: number }): Promise<Looked> {
    return lookAt(this, { conversationId: ID, ...row }, Infinity);
  }

  async rows(): Promise<number[]> {
    return (await this.timers.rows.find({}, { sort: { dueAt: 1 } })).map(({ dueAt }) => dueAt);
  }

  types(): string[] {
    return this.world.log(ID).map(({ type }) => type);
  }

  private give(asked: ConversationCommand): Promise<unknown> {
    this.given.push(asked.commandId);
    const ended = this.world.give(ID, { ...asked, by: SUPERVISORS[0] ?? "" });
    if (this.fails) return Promise.reject(this.fails);
    return Promise.resolve(
      typeof ended === "object" && "event" in ended ? { ...ended, repeated: false } : { noop: {} },
    );
  }
}

describe("a look at a session", () => {
  it("does nothing before something is due, and arms the time at which it is", async () => {
    const desk = new Desk();
    expect(await desk.look({ dueAt: desk.clock.now() })).toEqual({ late: [] });
    expect(desk.given).toEqual([]);
    expect(await desk.rows()).toEqual([desk.dueAt]);
  });

  it("has the effect that is due, tells how late it was, and arms what comes next", async () => {
    const desk = new Desk();
    const { dueAt } = desk;
    desk.clock.skip(WARN_MS + 500);
    desk.world.pass(WARN_MS + 500);
    const { late } = await desk.look({ dueAt });
    expect(desk.given).toEqual([`timer:warn:${dueAt}`]);
    expect(desk.types()).toEqual(["session.opened", "session.warned"]);
    expect(late).toHaveLength(1);
    expect(late[0]).toBeLessThan(1_000);
    expect(await desk.rows()).toEqual([desk.dueAt]);
    expect(desk.dueAt - dueAt).toBe(DEFAULT_RULES.closingMs - WARN_MS);
  });

  it("is told when an effect may not have happened, arms nothing, and has it once when it looks again", async () => {
    const desk = new Desk();
    const { dueAt } = desk;
    desk.clock.skip(WARN_MS);
    desk.world.pass(WARN_MS);
    desk.fails = new ParleyError("UNKNOWN_OUTCOME");
    await expect(desk.look({ dueAt })).rejects.toMatchObject({ type: "UNKNOWN_OUTCOME" });
    expect(await desk.rows()).toEqual([]);
    desk.fails = undefined;
    expect(await desk.look({ dueAt })).toEqual({ late: [] });
    expect(desk.types()).toEqual(["session.opened", "session.warned"]);
    expect(await desk.rows()).toEqual([desk.dueAt]);
  });

  it("keeps a row that comes too early by the clock of the node that decides", async () => {
    const desk = new Desk();
    const { dueAt } = desk;
    desk.clock.skip(WARN_MS - 5_000);
    const { earlyMs } = await desk.look({ dueAt });
    expect(earlyMs).toBe(dueAt - desk.clock.now());
  });

  it("is repeated, ever more seldom for two minutes, for an event that may still be on its way", async () => {
    const desk = new Desk();
    const armedAt = desk.clock.now();
    const after: number[] = [];
    for (let dueAt = armedAt + 1_000; dueAt < armedAt + AGAIN_MS;) {
      desk.clock.skip(dueAt - desk.clock.now());
      await desk.look({ dueAt, armedAt });
      const row = await desk.timers.rows.findOne({ armedAt, dueAt: { $gt: dueAt } });
      dueAt = row?.dueAt ?? Infinity;
      after.push(dueAt - armedAt);
    }
    expect(after).toEqual([6_000, 12_000, 24_000, 48_000, 96_000, AGAIN_MS]);

    desk.world.give(ID, command("carl", "close", {}));
    desk.clock.skip(AGAIN_MS);
    for (const each of await desk.timers.rows.find({})) {
      expect(await desk.look(each)).toEqual({ late: [] });
      await desk.timers.remove(each);
    }
    expect(await desk.rows()).toEqual([]);
  });
});

describe("the rows of timers", () => {
  const make = () => {
    const clock = new VirtualClock();
    return { clock, timers: new TimerStore(new MemoryStore(), clock, new SeededRandom("timers")) };
  };

  it("are written together, and one for each time of a conversation", async () => {
    const { timers } = make();
    const writes = jest.spyOn(timers.rows, "bulkWrite");
    await Promise.all(["a", "b", "a", "a"].map((id, i) => timers.arm(id, 1_000 + (i % 2))));
    expect(writes).toHaveBeenCalledTimes(1);
    const rows = await timers.rows.find({}, { sort: { _id: 1 } });
    expect(rows.map(({ _id }) => _id)).toEqual(["a/1000", "a/1001", "b/1001"]);
  });

  it("stay when they are armed again while they are acted on", async () => {
    const { clock, timers } = make();
    await timers.keep("a", 1_000);
    const [read] = await timers.rows.find({});
    clock.skip(10);
    await timers.arm("a", 1_000);
    if (read) await timers.remove(read);
    const [row] = await timers.rows.find({});
    expect(row).toMatchObject({ armedAt: clock.now() });
    if (row) await timers.remove(row);
    expect(await timers.rows.find({})).toEqual([]);
  });

  it("are tried again a few times, then whoever arms is told", async () => {
    const { clock, timers } = make();
    const write = jest.spyOn(timers.rows, "bulkWrite").mockRejectedValueOnce(new Error("away"));
    const armed = timers.arm("a", 1_000);
    await clock.advance(100);
    await armed;
    write.mockRejectedValue(new Error("away"));
    const failed = expect(timers.arm("a", 2_000)).rejects.toThrow("away");
    await clock.advance(2_000);
    await failed;
    write.mockRestore();
    await timers.arm("a", 3_000);
    expect(await timers.rows.count({}, 10)).toBe(2);
  });
});
