import type { Snapshot } from "../../actors/conversation/conversation.snapshot";
import { DueScan, timerCommandId } from "../../lib/scheduling/due-scan";
import type { Job } from "../../lib/scheduling/job";
import { Lease } from "../../lib/scheduling/lease";
import { Scheduler } from "../../lib/scheduling/scheduler";
import { StoreLeases } from "../../lib/scheduling/store-leases";
import { StoreTurnMemory } from "../../lib/scheduling/turn-memory";
import { MemoryStore } from "../../lib/store/memory";
import { SYSTEM } from "../../services/auth/principal";
import { call } from "../../services/call";
import { type DeskNode, startDeskNode } from "../support/desk-node";
import { SuspendableClock } from "../support/suspendable-clock";
import { SeededRandom, VirtualClock } from "../support/virtual-clock";

const IDLE_MS = 10_000;
const HOUR_MS = 3_600_000;
const STEP_MS = 40;
const OPEN_EVERY_MS = 200;

/** A scheduler process that closes sessions nobody has taken for a while: the form of every timer of a session. */
class SchedulerProcess {
  readonly clock: SuspendableClock;
  readonly scheduler: Scheduler;
  /** Commands that this process gave. */
  given = 0;
  /** Effects it is about to have. */
  acting = 0;
  dead = false;

  constructor(
    name: string,
    private readonly desk: DeskNode,
    store: MemoryStore,
    private readonly common: VirtualClock,
  ) {
    const clock = new SuspendableClock(common);
    this.clock = clock;
    const { monotonic } = clock;
    const lease = new Lease({
      leases: new StoreLeases(store, monotonic),
      name: "scheduler",
      holder: name,
      clock,
      monotonic,
    });
    const probe = { began: () => undefined, failed: () => undefined };
    const ports = { clock, random: new SeededRandom(name), lease, memory: new StoreTurnMemory(store), probe };
    this.scheduler = new Scheduler([this.job()], ports);
  }

  /** In the middle of whatever it does. */
  kill(): void {
    this.dead = true;
    this.clock.suspend();
  }

  private job(): Job {
    const scan = new DueScan<Snapshot>({
      collection: this.desk.conversations,
      field: "session.openedAt",
      where: { "session.status": "unassigned" },
      afterMs: IDLE_MS,
      clock: this.clock,
      monotonic: this.clock.monotonic,
      act: (snapshot, dueAt) => this.close(snapshot._id, dueAt),
    });
    return { name: "idle", schedule: { everyMs: 250 }, limitMs: 30_000, run: (turn) => scan.run(turn) };
  }

  private async close(sessionId: string, dueAt: number): Promise<number | void> {
    this.acting++;
    await this.takeTime();
    this.acting--;
    // Whoever decides has its own clock, and the last word.
    if (this.common.now() < dueAt) return dueAt - this.common.now();
    this.given++;
    const commandId = timerCommandId("test", dueAt);
    await call(this.desk.broker, "session.close", { sessionId, commandId }, { meta: { user: SYSTEM } });
    return this.takeTime();
  }

  /** A process that was killed never goes on; one that was stopped does when it is woken. */
  private takeTime(): Promise<void> {
    return new Promise<void>((resolve) => this.clock.setTimeout(() => !this.dead && resolve(), 40));
  }
}

describe("timed commands", () => {
  const store = new MemoryStore();
  const clock = new VirtualClock();
  const processes: SchedulerProcess[] = [];
  let desk: DeskNode;

  beforeAll(async () => {
    desk = await startDeskNode(store, clock);
  });
  afterEach(async () => {
    const alive = processes.splice(0).filter((process) => !process.dead);
    const ended = alive.map(({ scheduler }) => scheduler.stop());
    await clock.advance(60_000);
    await Promise.all(ended);
  });
  afterAll(() => desk.stop());

  const start = (name: string): SchedulerProcess => {
    const process = new SchedulerProcess(name, desk, store, clock);
    process.scheduler.start();
    processes.push(process);
    return process;
  };
  const closings = async (id: string) =>
    (await desk.events.find({ conversationId: id })).filter(({ type }) => type === "session.closed");

  it("have their effect once and in time, whatever becomes of the schedulers", async () => {
    const [a, b] = [start("a"), start("b")];
    let c: SchedulerProcess | undefined;
    // What happens, and not before when: one is killed, another stopped and woken, while they are at work.
    const faults: Array<readonly [number, () => unknown]> = [
      [14_000, () => a.acting > 0 && [a.kill()]],
      [16_000, () => (c = start("c"))],
      [19_000, () => b.acting > 0 && [b.clock.suspend()]],
      [25_000, () => [b.clock.resume()]],
      [28_000, () => [c?.clock.jump(HOUR_MS)]],
      [31_000, () => [b.clock.jump(-HOUR_MS)]],
      [34_000, () => [c?.clock.jump(-HOUR_MS)]],
      [36_000, () => [b.clock.jump(HOUR_MS)]],
    ];
    const ids: string[] = [];
    for (let at = 0; at < 60_000; at += STEP_MS) {
      const next = faults[0];
      if (next && at >= next[0] && next[1]()) faults.shift();
      if (at < 40_000 && at % OPEN_EVERY_MS === 0) ids.push(await desk.open(`customer-${at}`));
      await clock.advance(STEP_MS);
    }

    const lateness: number[] = [];
    for (const id of ids) {
      const events = await closings(id);
      const [opened] = await desk.events.find({ conversationId: id, seq: 1 });
      const dueAt = (opened?.at ?? 0) + IDLE_MS;
      expect(events.map(({ by, commandId }) => [by, commandId])).toEqual([["system", timerCommandId("test", dueAt)]]);
      lateness.push((events[0]?.at ?? Infinity) - dueAt);
    }
    lateness.sort((x, y) => x - y);
    expect(lateness[0]).toBeGreaterThanOrEqual(0);
    expect(lateness[Math.floor(lateness.length * 0.99)]).toBeLessThan(2_000);
    // All that was to happen did, each was at work, and the one that was woken gave a command that was given before.
    expect(faults).toEqual([]);
    expect(processes.map(({ given }) => given > 0)).toEqual([true, true, true]);
    expect(processes.reduce((sum, { given }) => sum + given, 0)).toBeGreaterThan(ids.length);
  }, 60_000);

  it("that came due while no scheduler was up are caught up, once each", async () => {
    const ids: string[] = [];
    for (let i = 0; i < 600; i++) ids.push(await desk.open(`late-${i}`));
    await clock.advance(HOUR_MS);
    const process = start("d");
    await clock.advance(10_000);
    for (const id of ids) expect(await closings(id)).toHaveLength(1);
    expect(process.given).toBe(600);
  }, 60_000);
});
