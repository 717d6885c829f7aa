import fc from "fast-check";
import { MemoryKv } from "../../../lib/kv/memory";
import { Lease } from "../../../lib/scheduling/lease";
import type { Leases } from "../../../lib/scheduling/leases";
import { StoreLeases } from "../../../lib/scheduling/store-leases";
import type { Collection, CollectionDefinition, Document, Store } from "../../../lib/store/collection";
import { MemoryStore } from "../../../lib/store/memory";
import { SuspendableClock } from "../../support/suspendable-clock";
import { SeededRandom, VirtualClock } from "../../support/virtual-clock";

const TTL_MS = 1_500;
const HOUR_MS = 3_600_000;
const NODES = 3;
const STEP_MS = 20;

/** A way to a store on which answers take their time, get lost, and inserts land after they have failed. */
class BadLine implements Store {
  bad = true;

  constructor(
    private readonly inner: Store,
    private readonly clock: VirtualClock,
    private readonly random: SeededRandom,
  ) {}

  collection<T extends Document>(definition: CollectionDefinition): Collection<T> {
    const collection = this.inner.collection<T>(definition);
    const insert = collection.insertMany.bind(collection);
    const read = collection.findOne.bind(collection);
    collection.insertMany = async (documents) => {
      await this.pause();
      if (!this.bad || this.random.float() < 0.85) await insert(documents);
      else this.fail(() => insert(documents));
      await this.pause();
      if (this.bad && this.random.float() < 0.1) throw new Error("the answer was lost");
    };
    collection.findOne = async (...query) => {
      const found = await read(...query);
      await this.pause();
      return found;
    };
    return collection;
  }

  ping(): Promise<void> {
    return this.inner.ping();
  }

  close(): Promise<void> {
    return this.inner.close();
  }

  /** Fails; what was asked happens later, or never. */
  private fail(act: () => Promise<void>): never {
    if (this.random.float() < 0.5) this.clock.setTimeout(() => void act().catch(() => undefined), this.ms(4_000));
    throw new Error("time-out");
  }

  private pause(): Promise<void> {
    const ms = this.bad && this.random.float() < 0.1 ? this.ms(3_000) : this.ms(40);
    return new Promise((resolve) => this.clock.setTimeout(resolve, ms));
  }

  private ms(below: number): number {
    return this.random.int(below);
  }
}

interface Contender {
  readonly clock: SuspendableClock;
  readonly lease: Lease;
  readonly line: BadLine | undefined;
}

/** Contenders for one lease under one clock; `look` fails when two of them believe that it is theirs. */
class Contest {
  readonly clock = new VirtualClock();
  readonly tokens: number[] = [];
  readonly contenders: Contender[];
  private readonly random: SeededRandom;
  /** Nobody can tell how long a machine slept whose wall clock was set back by as much meanwhile. */
  private readonly machinesSleep: boolean;

  constructor(seed: number, kind: "store" | "memory") {
    this.random = new SeededRandom("contest", seed);
    this.machinesSleep = seed % 2 === 0;
    const store = new MemoryStore();
    const kv = new MemoryKv({ clock: this.clock });
    this.contenders = Array.from({ length: NODES }, (_, i) => {
      const clock = new SuspendableClock(this.clock);
      const line = kind === "store" ? new BadLine(store, this.clock, new SeededRandom("line", seed + i)) : undefined;
      const leases: Leases = line ? new StoreLeases(line, clock.monotonic) : kv;
      const options = { name: "job", holder: `n${i}`, clock, monotonic: clock.monotonic, ttlMs: TTL_MS };
      return { clock, line, lease: new Lease({ leases, ...options }) };
    });
    // A grant whose answer came too late is none.
    for (const { lease } of this.contenders) lease.start(({ token }) => void (lease.held && this.tokens.push(token)));
  }

  get holders(): number[] {
    return this.contenders.flatMap(({ lease }, i) => (lease.held ? [i] : []));
  }

  /** Something happens to one of them. */
  disturb(): void {
    const { clock } = this.contenders[this.random.int(NODES)] as Contender;
    const what = this.random.float();
    if (clock.suspended && what >= 0.4) clock.resume();
    else if (what >= 0.7) clock.suspend(this.machinesSleep && what >= 0.85);
    else clock.jump(this.machinesSleep ? HOUR_MS * this.random.int(3) - HOUR_MS : this.random.int(2_500) - 1_250);
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      await this.clock.advance(STEP_MS);
      expect(this.holders.length).toBeLessThanOrEqual(1);
    }
  }

  async calm(): Promise<void> {
    for (const { clock, line } of this.contenders) {
      clock.resume();
      if (line) line.bad = false;
    }
    await this.pass(4_000);
  }
}

describe.each(["store", "memory"] as const)("a lease in the %s", (kind) => {
  it("is believed in by one holder at a time, whatever clocks, processes and answers do", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.array(fc.nat(1_200), { minLength: 5, maxLength: 25 }), async (seed, pauses) => {
        const contest = new Contest(seed, kind);
        for (const pause of pauses) {
          contest.disturb();
          await contest.pass(pause);
        }
        await contest.calm();

        expect(contest.holders).toHaveLength(1);
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  it("is granted with growing tokens", async () => {
    const contest = new Contest(7, kind);
    for (let i = 0; i < 150; i++) {
      contest.disturb();
      await contest.pass(700);
    }
    const { tokens } = contest;
    expect(new Set(tokens).size).toBeGreaterThanOrEqual(3);
    expect(tokens).toEqual([...tokens].sort((a, b) => a - b));
  });
});
