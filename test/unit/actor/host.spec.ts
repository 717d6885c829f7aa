import { entry, Rig, settle } from "./rig";

describe("the activation table", () => {
  it("activates on demand and passivates what is idle", async () => {
    const rig = new Rig({ idleMs: 10_000 });
    await rig.activate("a", "b");
    await rig.clock.advance(9_000);
    rig.send("b", "c1");
    await rig.clock.advance(9_000);
    expect([rig.host.isActive("a"), rig.host.isActive("b")]).toEqual([false, true]);
    await rig.clock.advance(20_000);

    expect(rig.host.size).toBe(0);
    expect(rig.clock.pending).toBe(0);
  });

  it("loses nothing by passivation", async () => {
    const rig = new Rig({ idleMs: 1_000 });
    rig.send("a", "c1");
    await rig.clock.advance(20_000);
    expect(rig.host.isActive("a")).toBe(false);
    const asked = [rig.send("a", "c1"), rig.send("a", "c2")];
    await settle();

    expect(asked.map(({ answer }) => answer)).toEqual(["repeat 1", "stored 2"]);
    await rig.stop();
  });

  it("does not passivate who still has callers", async () => {
    const rig = new Rig({ idleMs: 1_000 });
    await rig.activate("a");
    const held = rig.log.hold("insert");
    const asked = rig.send("a", "c1", { deadline: rig.clock.now() + 60_000 });
    await rig.clock.advance(30_000);
    expect(rig.host.isActive("a")).toBe(true);
    held.proceed();
    await settle();

    expect(asked.answer).toBe("stored 1");
    await rig.stop();
  });

  it("lets go, within seconds, of what is idle and at home elsewhere", async () => {
    const moved = new Set<string>();
    const rig = new Rig({ isHome: (id) => !moved.has(id) });
    await rig.activate("a", "b", "c");
    const held = rig.log.hold("insert");
    const asked = rig.send("c", "c1", { deadline: rig.clock.now() + 60_000 });
    await settle();
    moved.add("b").add("c");
    await rig.clock.advance(6_000);
    expect(["a", "b", "c"].map((id) => rig.host.isActive(id))).toEqual([true, false, true]);
    held.proceed();
    await rig.clock.advance(6_000);
    expect([asked.answer, rig.host.isActive("c")]).toEqual(["stored 1", false]);
    // Whoever calls it here all the same is served.
    const late = rig.send("b", "c2");
    await settle();
    expect(late.answer).toBe("stored 1");
    await rig.stop();
  });

  it("lets go of one that is to move as soon as it is idle, and says when it is not in time", async () => {
    const rig = new Rig();
    await rig.activate("a");
    const held = rig.log.hold("insert");
    rig.send("a", "c1", { deadline: rig.clock.now() + 60_000 });
    const [early, patient] = [1_000, 20_000].map((ms) => rig.host.passivate("a", rig.clock.now() + ms));
    await rig.clock.advance(1_000);
    expect(await early).toBe(false);
    held.proceed();
    await rig.clock.advance(100);
    expect([await patient, rig.host.isActive("a")]).toEqual([true, false]);
    expect(await rig.host.passivate("unknown", 0)).toBe(true);
    await rig.stop();
  });

  it("keeps to its bound by passivating an idle one", async () => {
    const rig = new Rig({ maxActivations: 3 });
    for (const stream of ["a", "b", "c", "d", "e"]) {
      await rig.activate(stream);
      expect(rig.host.size).toBeLessThanOrEqual(3);
    }
    expect(rig.host.isActive("e")).toBe(true);
    await rig.stop();
  });

  it("answers TOO_BUSY when none is idle, reads too", async () => {
    const rig = new Rig({ maxActivations: 2 });
    await rig.activate("a", "b");
    const held = rig.log.hold("insert");
    rig.send("a", "c1");
    rig.send("b", "c1");
    const asked = rig.send("c", "c1");
    await expect(rig.host.read("c", rig.clock.now() + 100)).rejects.toMatchObject({ type: "TOO_BUSY" });
    expect(asked.answer).toBe("TOO_BUSY");
    held.proceed();
    await settle();
    const again = rig.send("c", "c1");
    await settle();

    expect(again.answer).toBe("stored 1");
    await rig.stop();
  });

  it("finds an idle one behind any number of busy ones", async () => {
    const rig = new Rig({ maxActivations: 210 });
    const busy = Array.from({ length: 200 }, (_, i) => `busy${i}`);
    const idle = Array.from({ length: 10 }, (_, i) => `idle${i}`);
    await rig.activate(...busy, ...idle);
    const held = rig.log.hold("insert");
    busy.forEach((stream) => rig.send(stream, "c1"));
    await settle();
    const asked = Array.from({ length: 4 }, (_, i) => rig.send("new", `c${i}`));
    await settle();
    held.proceed();
    await settle();

    expect(asked.at(-1)?.answer).toBe("stored 1");
    expect(busy.every((stream) => rig.host.isActive(stream))).toBe(true);
    await rig.stop();
  });

  it("answers everybody at once with what is known when it is abandoned", async () => {
    const rig = new Rig();
    await rig.activate("a", "b");
    rig.log.hold("insert");
    const inFlight = rig.send("a", "c1");
    await settle();
    rig.log.hold("load");
    const waiting = rig.send("c", "c2");
    rig.host.abandon();
    rig.writer.abandon();
    await settle();
    expect([inFlight.answer, waiting.answer]).toEqual(["UNKNOWN_OUTCOME", "UNAVAILABLE"]);
    const late = rig.send("b", "c3");
    await settle();
    expect(late.answer).toBe("UNAVAILABLE");
  });

  it("answers what it took when it stops, and takes nothing more", async () => {
    const rig = new Rig();
    await rig.activate("a");
    const held = rig.log.hold("insert");
    const taken = rig.send("a", "c1");
    let stopped = false;
    void rig.host.stop().then(() => (stopped = true));
    const refused = rig.send("a", "c2");
    await rig.clock.advance(100);
    expect([taken.answer, refused.answer, stopped]).toEqual(["pending", "UNAVAILABLE", false]);
    await expect(rig.host.read("a", rig.clock.now() + 100)).rejects.toMatchObject({ type: "UNAVAILABLE" });
    held.proceed();
    await rig.clock.advance(100);

    expect([taken.answer, stopped]).toEqual(["stored 1", true]);
    expect(rig.clock.pending).toBe(0);
  });
});

describe("reading an actor", () => {
  it("gives the durable state, not what is in flight", async () => {
    const rig = new Rig();
    await rig.activate("a");
    const held = rig.log.hold("insert");
    rig.send("a", "c1");
    await settle();
    const state = await rig.host.read("a", rig.clock.now() + 100);
    expect(state.seq).toBe(0);
    held.proceed();
    await settle();
    expect((await rig.host.read("a", rig.clock.now() + 100)).seq).toBe(1);
    await rig.stop();
  });

  it("is UNAVAILABLE at its deadline", async () => {
    const rig = new Rig();
    rig.log.failNext("load", 100);
    const read = rig.host.read("a", rig.clock.now() + 500);
    const refused = expect(read).rejects.toMatchObject({ type: "UNAVAILABLE" });
    await rig.clock.advance(1_000);
    await refused;
    await rig.stop();
  });
});

describe("what a load finds beyond the snapshot", () => {
  it("is told of, for perhaps nobody was", async () => {
    const rig = new Rig();
    [1, 2, 3].forEach((seq) => rig.log.write(entry("a", seq)));
    rig.behaviour.snapshotSeq = 1;
    await rig.activate("a");

    expect(rig.found).toEqual(["a2:other-2", "a3:other-3"]);
    await rig.stop();
  });
});

describe("an overgrown state", () => {
  it("is loaded afresh once everything is durable and projected", async () => {
    let project: () => void = () => undefined;
    const rig = new Rig({ projected: () => new Promise((resolve) => (project = resolve)) });
    await rig.activate("a");
    let loads = rig.log.calls.load;
    rig.behaviour.isOvergrown = (state) => state.values.length === 2 && rig.log.calls.load === loads;
    const held = rig.log.hold("insert");
    const asked = ["c1", "c2", "c3"].map((id) => rig.send("a", id));
    await settle();
    expect(rig.behaviour.decided).toBe(2);
    held.proceed();
    await settle();
    expect(asked.map(({ answer }) => answer)).toEqual(["stored 1", "stored 2", "pending"]);
    expect(rig.log.calls.load).toBe(loads);
    project();
    await settle();

    expect(asked[2]?.answer).toBe("stored 3");
    expect(rig.log.calls.load).toBe((loads += 1));
    await rig.stop();
  });
});
