import { entry, Rig, settle } from "./rig";

describe("reading as far as the log's head", () => {
  it("shows what another home has written", async () => {
    const rig = new Rig();
    await rig.activate("a");
    rig.log.write(entry("a", 1));
    expect((await rig.host.read("a", rig.clock.now() + 1_000)).seq).toBe(0);
    expect((await rig.host.readHead("a", rig.clock.now() + 1_000)).seq).toBe(1);
    await rig.stop();
  });

  it("waits for what is in flight here and has landed", async () => {
    const rig = new Rig();
    await rig.activate("a");
    const held = rig.log.hold("insert");
    rig.send("a", "c1");
    await settle();
    held.land();
    let seq: number | undefined;
    void rig.host.readHead("a", rig.clock.now() + 1_000).then((state) => (seq = state.seq));
    await settle();
    expect(seq).toBeUndefined();
    held.proceed();
    await settle();
    expect(seq).toBe(1);
    await rig.stop();
  });

  it("is UNAVAILABLE at its deadline while an insert that has landed is not heard of", async () => {
    const rig = new Rig();
    await rig.activate("a");
    const held = rig.log.hold("insert");
    rig.send("a", "c1");
    await settle();
    held.land();
    const refused = expect(rig.host.readHead("a", rig.clock.now() + 500)).rejects.toMatchObject({
      type: "UNAVAILABLE",
    });
    await rig.clock.advance(1_000);
    await refused;
    held.proceed();
    await rig.stop();
  });

  it("asks the log no more often than it changes, while the activation cannot reload", async () => {
    const rig = new Rig();
    await rig.activate("a");
    const held = rig.log.hold("insert");
    rig.send("a", "c1");
    await settle();
    rig.log.write(entry("a", 1));
    rig.log.write(entry("a", 2));
    // Other streams keep the store's reads answering.
    let turns = 0;
    rig.log.around = async (operation, act) => {
      if (operation === "heads" && ++turns > 20) await new Promise(() => undefined);
      return act();
    };
    const read = rig.host.readHead("a", rig.clock.now() + 5_000);
    await settle();
    expect(turns).toBeLessThan(3);
    held.proceed();

    expect((await read).seq).toBeGreaterThanOrEqual(2);
    await rig.stop();
  });
});

describe("reading a state that others may have overtaken", () => {
  const FRESH_MS = 1_000;
  const read = async (rig: Rig) => (await rig.host.read("a", rig.clock.now() + 1_000)).seq;

  it("compares it with the log when that was not done for a while", async () => {
    const rig = new Rig({ freshMs: FRESH_MS });
    await rig.activate("a");
    rig.log.write(entry("a", 1));
    await rig.clock.advance(FRESH_MS);
    expect(await read(rig)).toBe(0);
    await rig.clock.advance(1);
    expect(await read(rig)).toBe(1);
    await rig.stop();
  });

  it("does so once in that time, however often it is read", async () => {
    const rig = new Rig({ freshMs: FRESH_MS });
    const heads = jest.spyOn(rig.log, "heads");
    await rig.activate("a");
    for (let i = 0; i < 50; i++) {
      await rig.clock.advance(100);
      await read(rig);
    }
    expect(heads.mock.calls.length).toBeGreaterThan(2);
    expect(heads.mock.calls.length).toBeLessThanOrEqual(5);
    await rig.stop();
  });

  it("takes what it wrote itself for as new as the first try to store it", async () => {
    const rig = new Rig({ freshMs: FRESH_MS });
    const heads = jest.spyOn(rig.log, "heads");
    await rig.activate("a");
    const held = rig.log.hold("insert");
    const asked = rig.send("a", "c1");
    await settle();
    held.land();
    // Somebody else goes on while this node does not hear what became of its insert.
    rig.log.write(entry("a", 2));
    await rig.clock.advance(FRESH_MS + 1);
    held.fail();
    await rig.clock.advance(500);
    expect(asked.answer).toBe("stored 1");
    expect(heads).not.toHaveBeenCalled();
    expect(await read(rig)).toBe(2);
    await rig.stop();
  });

  it("needs not to where what it wrote itself was stored just now", async () => {
    const rig = new Rig({ freshMs: FRESH_MS });
    const heads = jest.spyOn(rig.log, "heads");
    for (let i = 0; i < 20; i++) {
      rig.send("a", `c${i}`);
      await rig.clock.advance(500);
      expect(await read(rig)).toBe(i + 1);
    }
    expect(heads).not.toHaveBeenCalled();
    await rig.stop();
  });
});
