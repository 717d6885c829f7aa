import type { ListedMark } from "../../../lib/actor/mark";
import { MarkWatch } from "../../../services/io/mark-watch";
import { VirtualClock } from "../../support/virtual-clock";

/** A store that lists marks, and what the rooms of an io node are told of them. */
class Rig {
  readonly clock = new VirtualClock();
  readonly marks = new Map<string, ListedMark>();
  readonly told: string[] = [];
  /** Awaited by each read; rejects while the store is gone. */
  answer: () => Promise<unknown> = () => Promise.resolve();
  reads = 0;
  resyncs = 0;
  readonly watch = new MarkWatch({
    clock: this.clock,
    monotonic: () => this.clock.now(),
    list: async () => {
      this.reads += 1;
      await this.answer();
      return [...this.marks.values()];
    },
    rooms: {
      coreListed: (incarnation, flush) => void this.told.push(`${incarnation}=${flush}`),
      resync: () => void (this.resyncs += 1),
    },
  });

  mark(incarnation: string, flush: number, renewals = 0): void {
    this.marks.set(incarnation, { incarnation, flush, renewals });
  }

  /** What the rooms were told since the last time. */
  take(): string[] {
    return this.told.splice(0);
  }
}

const gone = (): Promise<never> => Promise.reject(new Error("no store"));

describe("the marks of core nodes", () => {
  let rig: Rig;

  beforeEach(() => {
    rig = new Rig();
  });

  afterEach(() => rig.watch.stop());

  it("are read before the first client comes", async () => {
    rig.mark("a", 7);
    await rig.watch.start();
    expect(rig.take()).toEqual(["a=7"]);
    expect(rig.clock.pending).toBe(1);
  });

  it("keep nobody waiting for longer than two seconds", async () => {
    rig.answer = () => new Promise(() => undefined);
    let started = false;
    void rig.watch.start().then(() => (started = true));
    await rig.clock.advance(1_999);
    expect(started).toBe(false);
    await rig.clock.advance(1);
    expect(started).toBe(true);
  });

  it("tell of a new one within two seconds, at one read each time", async () => {
    await rig.watch.start();
    rig.mark("young", 0);
    await rig.clock.advance(2_000);
    expect([rig.take(), rig.reads]).toEqual([["young=0"], 2]);
  });

  it("are told again and again while they are renewed, and no more once they stand still", async () => {
    rig.mark("a", 0);
    await rig.watch.start();
    for (let renewals = 1; renewals <= 5; renewals++) {
      rig.mark("a", renewals * 10, renewals);
      await rig.clock.advance(5_000);
    }
    expect(rig.take().at(-1)).toBe("a=50");
    await rig.clock.advance(12_000);
    rig.take();
    await rig.clock.advance(60_000);
    expect(rig.take()).toEqual([]);
  });

  it("are read again when the store is back, without a word after a short time", async () => {
    await rig.watch.start();
    rig.answer = gone;
    await rig.clock.advance(28_000);
    rig.answer = () => Promise.resolve();
    rig.mark("young", 3);
    await rig.clock.advance(2_000);
    expect([rig.take(), rig.resyncs]).toEqual([["young=3"], 0]);
  });

  it("may have come and gone while nobody read them for long: all rooms are brought to the head", async () => {
    await rig.watch.start();
    rig.answer = gone;
    await rig.clock.advance(30_000);
    rig.answer = () => Promise.resolve();
    await rig.clock.advance(2_000);
    expect(rig.resyncs).toBe(1);
    await rig.clock.advance(60_000);
    expect(rig.resyncs).toBe(1);
  });

  it("are not read any more after the end, and a late answer changes nothing", async () => {
    let answer: (value?: unknown) => void = () => undefined;
    await rig.watch.start();
    rig.mark("a", 1);
    rig.answer = () => new Promise((resolve) => (answer = resolve));
    await rig.clock.advance(2_000);
    rig.watch.stop();
    answer();
    await rig.clock.advance(10_000);
    expect([rig.take(), rig.reads, rig.clock.pending]).toEqual([[], 2, 0]);
  });
});
