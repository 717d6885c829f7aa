import { listMarks, Mark, type MarkDocument, MARKS, sweptId } from "../../../lib/actor/mark";
import { MemoryStore } from "../../../lib/store/memory";
import { settle, VirtualClock } from "../../support/virtual-clock";

type Write = "insertMany" | "updateOne";

function rig({ sole = false } = {}) {
  const clock = new VirtualClock();
  const store = new MemoryStore();
  const marks = store.collection<MarkDocument>(MARKS);
  const told = { lost: 0, projected: 0 };
  /** By how much the wall clock has jumped. */
  const time = { jumped: 0 };
  const mark = new Mark({
    marks,
    incarnation: "node-1",
    clock: { now: () => clock.now() + time.jumped, setTimeout: clock.setTimeout.bind(clock) },
    monotonic: () => clock.now(),
    projected: () => told.projected,
    onLost: () => told.lost++,
    sole,
  });
  const may = async (): Promise<boolean> =>
    Promise.resolve(mark.beforeInsert()).then(
      () => true,
      () => false,
    );
  const read = () => marks.findOne({ _id: "node-1" });
  const fail = (write: Write) => jest.spyOn(marks, write).mockRejectedValue(new Error("time-out"));
  return { clock, store, marks, told, time, mark, may, read, fail };
}

describe("the mark", () => {
  it("is written before the first insert, once for all that wait for it", async () => {
    const { marks, mark, read } = rig();
    const insert = jest.spyOn(marks, "insertMany");
    const [first, second] = [mark.beforeInsert(), mark.beforeInsert()];
    expect([first, second]).not.toContain(undefined);
    await Promise.all([first, second]);
    expect(await read()).toMatchObject({ flush: 0 });
    expect(mark.beforeInsert()).toBeUndefined();
    expect(insert).toHaveBeenCalledTimes(1);
    await mark.stop();
  });

  it("that could not be written lets nothing be inserted, until it can", async () => {
    const { fail, may, read, mark } = rig();
    const failing = fail("insertMany");
    expect(await may()).toBe(false);
    failing.mockRestore();
    expect(await may()).toBe(true);
    expect(await read()).toBeDefined();
    await mark.stop();
  });

  it("whose first write landed unheard is ours", async () => {
    const { marks, may, mark } = rig();
    await marks.insertMany([{ _id: "node-1", flush: 0, renewals: 0, renewedAt: 0 }]);
    expect(await may()).toBe(true);
    await mark.stop();
  });

  it("follows what is projected", async () => {
    const { clock, told, may, read, mark } = rig();
    await may();
    told.projected = 7;
    await clock.advance(5_000);
    expect(await read()).toEqual({ _id: "node-1", flush: 7, renewals: 1, renewedAt: clock.now() });
    await mark.stop();
  });

  it("survives a short outage of the store", async () => {
    const { clock, fail, told, may, mark } = rig();
    await may();
    const failing = fail("updateOne");
    await clock.advance(25_000);
    expect(await may()).toBe(true);
    failing.mockRestore();
    await clock.advance(30_000);
    expect([await may(), told.lost]).toEqual([true, 0]);
    await mark.stop();
  });

  it("not renewed for 30 s lets nothing be inserted, until it is renewed", async () => {
    const { clock, fail, told, may, mark } = rig();
    await may();
    const failing = fail("updateOne");
    await clock.advance(29_999);
    expect(await may()).toBe(true);
    await clock.advance(1);
    expect(await may()).toBe(false);
    failing.mockRestore();
    await clock.advance(1_000);
    expect([await may(), told.lost]).toEqual([true, 0]);
    await mark.stop();
  });

  it("swept away by another node is lost, and is not written anew", async () => {
    const { clock, marks, told, may, read } = rig();
    await may();
    await marks.deleteMany({ _id: "node-1" });
    await clock.advance(5_000);
    expect([await may(), told.lost]).toEqual([false, 1]);
    expect(await read()).toBeUndefined();
  });

  it("that was swept while its owner slept is lost at the next renewal, though it is still there", async () => {
    const { clock, marks, told, may } = rig();
    await may();
    await marks.insertMany([{ _id: sweptId("node-1"), flush: 0, renewals: 0, renewedAt: 0, swept: true }]);
    await clock.advance(5_000);
    expect([await may(), told.lost]).toEqual([false, 1]);
  });

  it("renewed too slowly lets nothing be inserted", async () => {
    const { clock, marks, may, mark } = rig();
    await may();
    const update = marks.updateOne.bind(marks);
    marks.updateOne = async (...args) => {
      await new Promise<void>((resolve) => clock.setTimeout(resolve, 40_000));
      return update(...args);
    };
    await clock.advance(45_000);
    expect(await may()).toBe(false);
    marks.updateOne = update;
    await clock.advance(50_000);
    expect(await may()).toBe(true);
    await mark.stop();
  });

  it("written too slowly lets nothing be inserted, until it is renewed", async () => {
    const { clock, marks, told, mark, may } = rig();
    const insert = marks.insertMany.bind(marks);
    marks.insertMany = async (documents) => {
      await insert(documents);
      await new Promise<void>((resolve) => clock.setTimeout(resolve, 31_000));
    };
    const first = may();
    await clock.advance(31_000);
    expect(await first).toBe(false);
    await clock.advance(5_000);
    expect([await may(), told.lost]).toEqual([true, 0]);
    await mark.stop();
  });

  it("does not follow jumps of the wall clock", async () => {
    const { clock, time, told, may, mark } = rig();
    await may();
    time.jumped = 3_600_000;
    expect(await may()).toBe(true);
    await clock.advance(10_000);
    time.jumped = -3_600_000;
    await clock.advance(10_000);
    expect([await may(), told.lost]).toEqual([true, 0]);
    await mark.stop();
  });

  it("that is abandoned stays, for others to sweep", async () => {
    const { clock, may, mark, read } = rig();
    await may();
    mark.abandon();
    expect([await may(), clock.pending]).toEqual([false, 0]);
    expect(await read()).toBeDefined();
  });

  it("says after an orderly stop that its owner ended, and how far it came", async () => {
    const { told, may, read, mark } = rig();
    await may();
    told.projected = 9;
    await mark.stop();
    expect(await read()).toMatchObject({ flush: 9, renewals: 1, ended: true });
  });

  it("of a node that is alone is taken away by an orderly stop", async () => {
    const { may, read, mark } = rig({ sole: true });
    await may();
    await mark.stop();
    expect(await read()).toBeUndefined();
  });

  it("that its owner ended is not lost to a renewal on its way", async () => {
    const { clock, marks, told, may, read, mark } = rig();
    await may();
    const update = marks.updateOne.bind(marks);
    let release: () => void = () => undefined;
    const held = jest.spyOn(marks, "updateOne").mockImplementationOnce(async (...args) => {
      await new Promise<void>((resolve) => (release = resolve));
      return update(...args);
    });
    await clock.advance(5_000);
    expect(held).toHaveBeenCalledTimes(1);
    const stopped = mark.stop();
    await settle();
    release();
    await stopped;
    await settle();

    expect(await read()).toMatchObject({ ended: true });
    expect([told.lost, clock.pending]).toEqual([0, 0]);
    expect(await may()).toBe(false);
  });

  it("of a node that is alone outlasts a sleep of the machine", async () => {
    const { clock, told, may, fail, mark } = rig({ sole: true });
    await may();
    const failing = fail("updateOne");
    await clock.advance(3_600_000);
    await settle();
    expect(await may()).toBe(true);
    expect(told.lost).toBe(0);
    failing.mockRestore();
    await mark.stop();
  });
});

describe("the list of marks", () => {
  it("has everybody who may have written, dead or ended, but for those that were swept", async () => {
    const { store, marks } = rig();
    const mark = { flush: 3, renewals: 7, renewedAt: 0 };
    await marks.insertMany([
      { ...mark, _id: "alive" },
      { ...mark, _id: "ended", ended: true },
      { ...mark, _id: "dead" },
      { ...mark, _id: sweptId("dead"), swept: true },
    ]);
    const listed = await listMarks(store);
    expect(listed.map(({ incarnation }) => incarnation).sort()).toEqual(["alive", "ended"]);
    expect(listed[0]).toMatchObject({ flush: 3, renewals: 7 });
  });
});
