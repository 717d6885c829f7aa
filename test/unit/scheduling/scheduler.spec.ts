import type { Job, Turn } from "../../../lib/scheduling/job";
import type { JobProbe } from "../../../lib/scheduling/job-runner";
import { Lease } from "../../../lib/scheduling/lease";
import type { Leases } from "../../../lib/scheduling/leases";
import { Scheduler } from "../../../lib/scheduling/scheduler";
import { StoreLeases } from "../../../lib/scheduling/store-leases";
import { StoreTurnMemory } from "../../../lib/scheduling/turn-memory";
import { MemoryStore } from "../../../lib/store/memory";
import { SuspendableClock } from "../../support/suspendable-clock";
import { SeededRandom, settle, VirtualClock } from "../../support/virtual-clock";

const HOUR_MS = 3_600_000;

/** Scheduler nodes over one store, under one clock. */
class World {
  readonly clock = new VirtualClock();
  readonly store = new MemoryStore();
  readonly failures: Array<[string, number]> = [];
  readonly lateness: number[] = [];
  /** What is asked of the leases takes so long. */
  slowMs = 0;

  node(name: string, jobs: readonly Job[]) {
    const clock = new SuspendableClock(this.clock);
    const { monotonic } = clock;
    const leases = this.slowed(new StoreLeases(this.store, monotonic));
    const lease = new Lease({ leases, name: "scheduler", holder: name, clock, monotonic });
    const probe: JobProbe = {
      began: (_job, ms) => void this.lateness.push(ms),
      failed: (job, _error, inARow) => void this.failures.push([job, inARow]),
    };
    const random = new SeededRandom(name);
    const scheduler = new Scheduler(jobs, { clock, random, lease, memory: new StoreTurnMemory(this.store), probe });
    return { clock, scheduler };
  }

  /** A node that is started and holds the lease. */
  async started(name: string, jobs: readonly Job[]) {
    const node = this.node(name, jobs);
    node.scheduler.start();
    await settle();
    return node;
  }

  private slowed(leases: Leases): Leases {
    const slow = async <T>(ask: () => Promise<T>): Promise<T> => {
      if (this.slowMs > 0) await new Promise<void>((resolve) => this.clock.setTimeout(resolve, this.slowMs));
      return ask();
    };
    return {
      acquire: (name, holder, ttlMs) => slow(() => leases.acquire(name, holder, ttlMs)),
      renew: (name, holder, ttlMs) => slow(() => leases.renew(name, holder, ttlMs)),
      release: (name, holder) => leases.release(name, holder),
    };
  }

  async stop(...nodes: ReadonlyArray<{ scheduler: Scheduler }>): Promise<void> {
    const stopped = Promise.all(nodes.map(({ scheduler }) => scheduler.stop()));
    await this.clock.advance(HOUR_MS);
    await stopped;
  }
}

const every = (everyMs: number, run: Job["run"], limitMs = 10_000): Job => ({
  name: "work",
  schedule: { everyMs },
  limitMs,
  run,
});

describe("a scheduler", () => {
  it("runs a job when it gets the lease, and then after each pause", async () => {
    const world = new World();
    const began: number[] = [];
    const start = world.clock.now();
    const node = await world.started("a", [every(1_000, async () => void began.push(world.clock.now() - start))]);
    await world.clock.advance(3_500);
    expect(began).toEqual([0, 1_000, 2_000, 3_000]);
    await world.stop(node);
  });

  it("tries a job that failed again at its next turn, and counts failures in a row", async () => {
    const world = new World();
    let tries = 0;
    const fails = every(1_000, () => (++tries < 3 ? Promise.reject(new Error("away")) : Promise.resolve()));
    const node = await world.started("a", [fails]);
    await world.clock.advance(1_500);
    expect(node.scheduler.list()).toMatchObject([{ name: "work", failures: 2 }]);
    await world.clock.advance(1_000);
    expect(node.scheduler.list()).toMatchObject([{ name: "work", failures: 0 }]);
    expect(world.failures).toEqual([
      ["work", 1],
      ["work", 2],
    ]);
    await world.stop(node);
  });

  it("ends a turn that takes too long, and gives the next one", async () => {
    const world = new World();
    const turns: Turn[] = [];
    const hangs = (turn: Turn): Promise<void> => {
      turns.push(turn);
      return new Promise(() => undefined);
    };
    const node = await world.started("a", [every(1_000, hangs, 5_000)]);
    await world.clock.advance(4_999);
    expect(turns.map((turn) => turn.live())).toEqual([true]);
    await world.clock.advance(1_500);
    expect(turns.map((turn) => turn.live())).toEqual([false, true]);
    expect(world.failures).toEqual([["work", 1]]);
    await world.stop(node);
  });

  it("runs at once when it is nudged, and once more when it was running", async () => {
    const world = new World();
    let turns = 0;
    let finish: (() => void) | undefined;
    const waits = every(60_000, () => {
      turns++;
      return new Promise<void>((resolve) => (finish = resolve));
    });
    const node = await world.started("a", [waits]);
    await world.clock.advance(10);
    node.scheduler.nudge("work");
    finish?.();
    await world.clock.advance(10);
    expect(turns).toBe(2);
    finish?.();
    await world.clock.advance(10);
    expect(turns).toBe(2);
    node.scheduler.nudge("work");
    await world.clock.advance(10);
    expect(turns).toBe(3);
    finish?.();
    await world.stop(node);
  });

  it("stands by while another one holds the lease, and takes over within two seconds of its death", async () => {
    const world = new World();
    const began: string[] = [];
    const job = (name: string): Job => every(500, async () => void began.push(name));
    const first = await world.started("a", [job("a")]);
    const second = await world.started("b", [job("b")]);
    await world.clock.advance(3_000);
    expect(new Set(began)).toEqual(new Set(["a"]));
    first.clock.suspend();
    began.length = 0;
    await world.clock.advance(2_000);
    expect(began[0]).toBe("b");
    await world.stop(second);
  });

  it("that was stopped in the middle of a turn goes no step further when it comes back", async () => {
    const world = new World();
    const steps: string[] = [];
    const stepper = (name: string, clock: () => SuspendableClock): Job =>
      every(60_000, async (turn) => {
        for (let i = 0; i < 100 && turn.live(); i++) {
          steps.push(name);
          await new Promise<void>((resolve) => clock().setTimeout(resolve, 100));
        }
      });
    const clocks: SuspendableClock[] = [];
    const first = await world.started("a", [stepper("a", () => clocks[0] as SuspendableClock)]);
    clocks.push(first.clock);
    const second = await world.started("b", [stepper("b", () => clocks[1] as SuspendableClock)]);
    clocks.push(second.clock);
    await world.clock.advance(450);
    first.clock.suspend();
    await world.clock.advance(3_000);
    expect(new Set(steps.slice(5))).toEqual(new Set(["b"]));
    steps.length = 0;
    first.clock.resume();
    await world.clock.advance(1_000);
    expect(new Set(steps)).toEqual(new Set(["b"]));
    await world.stop(first, second);
  });

  it("that drains stops between two steps, and hands the lease on at once", async () => {
    const world = new World();
    let steps = 0;
    const long = every(1_000, async (turn) => {
      while (turn.live()) {
        steps++;
        await new Promise<void>((resolve) => world.clock.setTimeout(resolve, 100));
      }
    });
    const node = await world.started("a", [long]);
    await world.clock.advance(250);
    const before = steps;
    const stopped = node.scheduler.stop();
    await world.clock.advance(100);
    await stopped;
    expect(steps).toBe(before);
    const next = await world.started("b", [every(1_000, async () => void steps++)]);
    await world.clock.advance(10);
    expect(steps).toBe(before + 1);
    await world.stop(next);
  });

  it("that drains does not wait for a step that takes long", async () => {
    const world = new World();
    const node = await world.started("a", [every(1_000, () => new Promise(() => undefined), HOUR_MS)]);
    await world.clock.advance(10);
    let stopped = false;
    void node.scheduler.stop().then(() => (stopped = true));
    await world.clock.advance(3_001);
    expect(stopped).toBe(true);
    expect(world.clock.pending).toBeLessThanOrEqual(1);
  });

  describe("whose lease lapses again and again, as the store is slow", () => {
    const LAPSING_MS = 600;

    it("has one turn of a job under way, and no more of them than without", async () => {
      const world = new World();
      let underWay = 0;
      const seen: number[] = [];
      const long = async (): Promise<void> => {
        seen.push(++underWay);
        await new Promise<void>((resolve) => world.clock.setTimeout(resolve, 10_000));
        underWay--;
      };
      const node = await world.started("a", [every(60_000, long, HOUR_MS)]);
      world.slowMs = LAPSING_MS;
      await world.clock.advance(85_000);
      expect(seen).toEqual([1, 1]);
      await world.stop(node);
    });

    it("does what is due, and what was cut short", async () => {
      const world = new World();
      let often = 0;
      let whole = 0;
      const steps = async (turn: Turn): Promise<void> => {
        for (let step = 0; step < 15; step++) {
          if (!turn.live()) return;
          await new Promise<void>((resolve) => world.clock.setTimeout(resolve, 100));
        }
        whole++;
      };
      const node = await world.started("a", [
        { ...every(500, async () => void often++), name: "often" },
        { ...every(60_000, steps), name: "cut short" },
      ]);
      world.slowMs = LAPSING_MS;
      await world.clock.advance(10_000);
      expect(often).toBeGreaterThan(8);
      expect(whole).toBe(0);
      world.slowMs = 0;
      await world.clock.advance(5_000);
      expect(whole).toBe(1);
      await world.stop(node);
    });
  });

  it.each([1_000, 25])("goes on by itself after %d ms of doubt about the lease", async (ms) => {
    const world = new World();
    let turns = 0;
    const node = await world.started("a", [every(20, async () => void turns++)]);
    await world.clock.advance(1_000);
    node.clock.jump(HOUR_MS);
    await world.clock.advance(ms);
    node.clock.jump(-HOUR_MS);
    await world.clock.advance(1_000);
    const before = turns;
    await world.clock.advance(1_000);
    expect(turns).toBeGreaterThan(before);
    await world.stop(node);
  });
});

describe("a job with times", () => {
  const hourly = (run: Job["run"]): Job => ({ name: "hourly", schedule: { cron: "0 * * * *" }, limitMs: 10_000, run });

  it("runs at each of them", async () => {
    const world = new World();
    const at: number[] = [];
    const node = await world.started("a", [hourly(async () => void at.push(world.clock.now() % HOUR_MS))]);
    await world.clock.advance(3 * HOUR_MS);
    expect(at).toEqual([0, 0, 0]);
    await world.stop(node);
  });

  it("runs once after an outage in which several were missed, and again when that failed", async () => {
    const world = new World();
    const first = await world.started("a", [hourly(() => Promise.resolve())]);
    await world.clock.advance(10);
    first.clock.suspend();
    await world.clock.advance(5 * HOUR_MS);
    let runs = 0;
    const flaky = hourly(() => (++runs === 1 ? Promise.reject(new Error("away")) : Promise.resolve()));
    const second = await world.started("b", [flaky]);
    await world.clock.advance(5_000);
    expect(runs).toBe(1);
    await world.clock.advance(61_000);
    expect(runs).toBe(2);
    await world.clock.advance(600_000);
    expect(runs).toBe(2);
    await world.stop(second);
  });

  it("meets its time within two seconds although the clock was set forward", async () => {
    const world = new World();
    const lateBy: number[] = [];
    const node: { clock?: SuspendableClock } = {};
    const job = hourly(async ({ dueAt }) => void lateBy.push((node.clock as SuspendableClock).now() - dueAt));
    const started = await world.started("a", [job]);
    node.clock = started.clock;
    await world.clock.advance(10);
    // To half a second before the hour.
    started.clock.jump(HOUR_MS - (started.clock.now() % HOUR_MS) - 500);
    await world.clock.advance(4_000);
    expect(lateBy).toHaveLength(1);
    expect(lateBy[0]).toBeLessThan(2_000);
    await world.stop(started);
  });
});
