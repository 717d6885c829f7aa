import { type MarkDocument, MARKS, sweptId } from "../../../lib/actor/mark";
import { Sweeper } from "../../../lib/actor/sweeper";
import { MemoryStore } from "../../../lib/store/memory";
import { settle, VirtualClock } from "../../support/virtual-clock";

const OWNERLESS_MS = 60_000;
const AGAIN_MS = 10_000;
const KEEP_MS = 3_600_000;

interface Left {
  readonly id: string;
  readonly flush: number;
}

class SweeperRig {
  readonly clock = new VirtualClock();
  readonly marks = new MemoryStore().collection<MarkDocument>(MARKS);
  /** What each incarnation wrote, whatever its mark says. */
  readonly log = new Map<string, Left[]>();
  readonly recovered: string[] = [];
  readonly failures: unknown[] = [];
  failing = false;

  sweeper(incarnation = "sweeper", sole = false): Sweeper {
    return new Sweeper({
      marks: this.marks,
      incarnation,
      monotonic: () => this.clock.now(),
      recover: (owner, flush, known) => this.recover(owner, flush, known),
      ...(sole
        ? { ownerlessMs: 0, againMs: 0, keepMs: 0 }
        : { ownerlessMs: OWNERLESS_MS, againMs: AGAIN_MS, keepMs: KEEP_MS }),
      onFailure: (error) => this.failures.push(error),
    });
  }

  mark(_id: string, flush: number): Promise<void> {
    return this.marks.insertMany([{ _id, flush, renewals: 0, renewedAt: 0 }]);
  }

  async renew(_id: string): Promise<void> {
    await this.marks.updateOne({ _id }, { $inc: { renewals: 1 } });
  }

  /** Rounds every `everyMs`, for `ms`. */
  async sweep(sweeper: Sweeper, ms: number, everyMs = 10_000): Promise<void> {
    for (let passed = 0; passed < ms; passed += everyMs) {
      await sweeper.round();
      await this.clock.advance(everyMs);
    }
  }

  private recover(owner: string, flush: number, known: Set<string>): Promise<number> {
    if (this.failing) return Promise.reject(new Error("no store"));
    const left = (this.log.get(owner) ?? []).filter((event) => event.flush > flush && !known.has(event.id));
    for (const { id } of left) known.add(id);
    this.recovered.push(...left.map(({ id }) => id));
    return Promise.resolve(left.length);
  }

  isDeclared(owner: string): Promise<boolean> {
    return this.marks.findOne({ _id: sweptId(owner) }).then((found) => found !== undefined);
  }
}

describe("a sweeper", () => {
  let rig: SweeperRig;

  beforeEach(async () => {
    rig = new SweeperRig();
    await rig.mark("dead", 2);
    rig.log.set("dead", [
      { id: "projected", flush: 2 },
      { id: "left", flush: 3 },
    ]);
  });

  it("recovers what lies beyond a mark that stood still for a minute, and declares it swept", async () => {
    const sweeper = rig.sweeper();
    await rig.sweep(sweeper, OWNERLESS_MS);
    expect([rig.recovered, await rig.isDeclared("dead")]).toEqual([[], false]);
    expect(await sweeper.round()).toEqual({ owned: 0, ownerless: 1, recovered: 1 });
    expect([rig.recovered, await rig.isDeclared("dead")]).toEqual([["left"], true]);
  });

  it("leaves a mark alone that is renewed", async () => {
    const sweeper = rig.sweeper();
    for (let i = 0; i < 30; i++) {
      await rig.renew("dead");
      expect(await sweeper.round()).toEqual({ owned: 1, ownerless: 0, recovered: 0 });
      await rig.clock.advance(10_000);
    }
    expect(rig.recovered).toEqual([]);
  });

  it("sweeps nothing that ended in order, and takes such a mark away when everybody has had the time to read it", async () => {
    const sweeper = rig.sweeper();
    await rig.sweep(sweeper, 50_000);
    await rig.marks.updateOne({ _id: "dead" }, { $set: { ended: true }, $inc: { renewals: 1 } });
    expect(await sweeper.round()).toEqual({ owned: 0, ownerless: 0, recovered: 0 });
    await rig.sweep(sweeper, OWNERLESS_MS);
    expect(await rig.marks.count({}, 10)).toBe(1);
    await sweeper.round();
    expect(await rig.marks.count({}, 10)).toBe(0);
    expect(rig.recovered).toEqual([]);
  });

  it("counts no time in which it could not look: owners could not renew then either", async () => {
    const sweeper = rig.sweeper();
    await rig.sweep(sweeper, 30_000);
    await rig.clock.advance(600_000);
    expect(await sweeper.round()).toMatchObject({ owned: 1 });
    await rig.sweep(sweeper, OWNERLESS_MS);
    expect(rig.recovered).toEqual([]);
    expect(await sweeper.round()).toMatchObject({ ownerless: 1 });
  });

  it("sweeps again for what lands late, each document once, and deletes the mark after an hour", async () => {
    const sweeper = rig.sweeper();
    await rig.sweep(sweeper, OWNERLESS_MS + 10_000);
    rig.log.get("dead")?.push({ id: "late", flush: 4 });
    await rig.sweep(sweeper, 20_000);
    expect(rig.recovered).toEqual(["left", "late"]);
    await rig.sweep(sweeper, KEEP_MS - 60_000);
    expect(await rig.marks.count({}, 10)).toBe(2);
    await rig.sweep(sweeper, 60_000);
    expect(await rig.marks.count({}, 10)).toBe(0);
  });

  it("waits for nothing with what another one has declared swept", async () => {
    await rig.sweep(rig.sweeper("one"), OWNERLESS_MS + 10_000);
    expect(await rig.sweeper("two").round()).toEqual({ owned: 0, ownerless: 1, recovered: 1 });
    expect(rig.recovered).toEqual(["left", "left"]);
  });

  it("may be many: all of them declare and recover, none fails", async () => {
    const sweepers = ["one", "two", "three"].map((name) => rig.sweeper(name));
    for (let i = 0; i <= OWNERLESS_MS / 10_000; i++) {
      await Promise.all(sweepers.map((sweeper) => sweeper.round()));
      await rig.clock.advance(10_000);
    }
    expect(rig.failures).toEqual([]);
    expect(rig.recovered).toEqual(["left", "left", "left"]);
  });

  it("tries again what failed, and goes on with the other marks", async () => {
    const sweeper = rig.sweeper();
    rig.failing = true;
    await rig.sweep(sweeper, OWNERLESS_MS + 20_000);
    expect(rig.failures.length).toBeGreaterThan(0);
    rig.failing = false;
    expect(await sweeper.round()).toMatchObject({ recovered: 1 });
  });

  it("does not sweep its own mark", async () => {
    await rig.sweep(rig.sweeper("dead"), OWNERLESS_MS + 20_000);
    expect(rig.recovered).toEqual([]);
  });

  it("removes a declaration whose mark is gone", async () => {
    const sweeper = rig.sweeper();
    await rig.sweep(sweeper, OWNERLESS_MS + 10_000);
    await rig.marks.deleteMany({ _id: "dead" });
    await sweeper.round();
    expect(await rig.isDeclared("dead")).toBe(false);
  });

  it("sweeps at once, and deletes, where no other node can be alive", async () => {
    expect(await rig.sweeper("sole", true).round()).toMatchObject({ recovered: 1 });
    expect([rig.recovered, await rig.marks.count({}, 10)]).toEqual([["left"], 0]);
  });

  it("runs one round at a time: whoever asks meanwhile gets its report", async () => {
    const sweeper = rig.sweeper("sole", true);
    const rounds = await Promise.all([sweeper.round(), sweeper.round()]);
    await settle();
    expect(rounds[0]).toBe(rounds[1]);
    expect(rig.recovered).toEqual(["left"]);
  });
});
