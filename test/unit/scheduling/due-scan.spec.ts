import { DueScan, timerCommandId } from "../../../lib/scheduling/due-scan";
import type { CollectionDefinition } from "../../../lib/store/collection";
import { MemoryStore } from "../../../lib/store/memory";
import { settle, VirtualClock } from "../../support/virtual-clock";

interface Timer {
  _id: string;
  state: string;
  times: { dueAt: number };
}

const TIMERS: CollectionDefinition = { name: "timers", indexes: [{ fields: { state: 1, "times.dueAt": 1, _id: 1 } }] };
const always = { live: () => true };

class World {
  readonly clock = new VirtualClock();
  readonly timers = new MemoryStore().collection<Timer>(TIMERS);
  /** Effects by their id, with how often each was asked for. */
  readonly asked = new Map<string, number>();
  readonly lateness: number[] = [];
  readonly failures: unknown[] = [];
  act: (id: string) => Promise<number | void> = () => Promise.resolve();

  async arm(...dueAt: number[]): Promise<void> {
    const known = await this.timers.count({}, 1_000_000);
    const timer = (at: number, i: number): Timer => ({ _id: `t${known + i}`, state: "armed", times: { dueAt: at } });
    await this.timers.insertMany(dueAt.map(timer));
  }

  scan(afterMs = 0): DueScan<Timer> {
    return new DueScan({
      collection: this.timers,
      field: "times.dueAt",
      where: { state: "armed" },
      afterMs,
      clock: this.clock,
      monotonic: () => this.clock.now(),
      probe: { acted: (ms) => void this.lateness.push(ms), failed: (error) => void this.failures.push(error) },
      act: async ({ _id }, dueAt) => {
        const id = `${_id}/${timerCommandId("test", dueAt)}`;
        this.asked.set(id, (this.asked.get(id) ?? 0) + 1);
        return this.act(_id);
      },
    });
  }

  /** The projection follows. */
  async disarm(): Promise<void> {
    for (const { _id } of await this.timers.find({ state: "armed", "times.dueAt": { $lte: this.clock.now() } }))
      await this.timers.updateOne({ _id }, { $set: { state: "done" } });
  }
}

describe("a scan for what is due", () => {
  it("acts on what is due, with an id that follows from the document and its time, and on nothing else", async () => {
    const world = new World();
    const now = world.clock.now();
    await world.arm(now - 5_000, now - 1_001, now - 999, now + 1);
    await world.scan(1_000).run(always);
    expect([...world.asked]).toEqual([
      [`t0/timer:test:${now - 4_000}`, 1],
      [`t1/timer:test:${now - 1}`, 1],
    ]);
    expect(world.lateness).toEqual([4_000, 1]);
  });

  it("goes through any number of documents, also of the same millisecond", async () => {
    const world = new World();
    const now = world.clock.now();
    await world.arm(...Array.from({ length: 1_700 }, (_, i) => (i < 1_200 ? now - 7 : now - (i % 13))));
    await world.scan().run(always);
    expect(world.asked.size).toBe(1_700);
    expect(Math.max(...world.asked.values())).toBe(1);
  });

  it("does not ask again while the projection follows, but does when it never does", async () => {
    const world = new World();
    await world.arm(world.clock.now());
    const scan = world.scan();
    for (let i = 0; i < 20; i++) {
      await scan.run(always);
      await world.clock.advance(1_000);
    }
    expect([...world.asked.values()]).toEqual([1]);
    await world.clock.advance(15_000);
    await scan.run(always);
    expect([...world.asked.values()]).toEqual([2]);
    expect(world.lateness).toHaveLength(1);
  });

  it("lets what fails hold up nothing, and tries it again after growing pauses", async () => {
    const world = new World();
    const now = world.clock.now();
    await world.arm(now, now, now);
    world.act = (id) =>
      id === "t0" && world.failures.length < 3 ? Promise.reject(new Error("away")) : Promise.resolve();
    const scan = world.scan();
    for (let i = 0; i < 10; i++) {
      await scan.run(always);
      await world.clock.advance(500);
    }
    expect(world.failures).toHaveLength(3);
    expect([...world.asked.values()]).toEqual([4, 1, 1]);
    // 500 + 1000 + 2000 ms after it was due.
    expect(world.lateness).toEqual([0, 0, 3_500]);
  });

  it("leaves what takes its time to itself, and does not begin it again meanwhile", async () => {
    const world = new World();
    const now = world.clock.now();
    await world.arm(...Array.from({ length: 40 }, (_, i) => now - 40 + i));
    let end = (): void => undefined;
    world.act = (id) => (id === "t3" ? new Promise<void>((resolve) => (end = resolve)) : Promise.resolve());
    const scan = world.scan();
    for (let i = 0; i < 20; i++) {
      const run = scan.run(always);
      await world.clock.advance(1_000);
      await run;
    }
    expect(world.asked.size).toBe(40);
    expect(Math.max(...world.asked.values())).toBe(1);
    expect(world.lateness).toHaveLength(39);
    expect(Math.max(...world.lateness)).toBeLessThan(100);
    end();
    await settle();
    expect(world.lateness).toHaveLength(40);
  });

  it("asks again when it is due for whoever decides, if that is later", async () => {
    const world = new World();
    await world.arm(world.clock.now());
    const decided = world.clock.now() + 3_000;
    world.act = () => Promise.resolve(world.clock.now() < decided ? decided - world.clock.now() : undefined);
    const scan = world.scan();
    for (let i = 0; i < 20; i++) {
      await scan.run(always);
      await world.clock.advance(250);
    }
    expect([...world.asked.values()]).toEqual([2]);
    expect(world.lateness).toEqual([3_000]);
  });

  it("ends with its turn", async () => {
    const world = new World();
    await world.arm(...Array.from({ length: 100 }, () => world.clock.now()));
    let steps = 0;
    await world.scan().run({ live: () => ++steps <= 20 });
    expect(world.asked.size).toBeLessThan(20);
  });

  it("finds what came after it, and what was armed for the past", async () => {
    const world = new World();
    const scan = world.scan();
    await world.arm(world.clock.now() + 500);
    await scan.run(always);
    await world.clock.advance(600);
    await scan.run(always);
    await world.disarm();
    await world.arm(world.clock.now() - 600_000);
    await scan.run(always);
    await settle();
    expect(world.lateness).toEqual([100, 600_000]);
  });
});
