import { entry, Rig, settle } from "./rig";

describe("a mailbox", () => {
  it("that is full answers TOO_BUSY and stores nothing of it", async () => {
    const rig = new Rig({ maxMailbox: 3 });
    await rig.activate("a");
    const held = rig.log.hold("insert");
    const asked = ["c1", "c2", "c3", "c4"].map((id) => rig.send("a", id));
    await settle();
    expect(asked.map(({ answer }) => answer)).toEqual(["pending", "pending", "pending", "TOO_BUSY"]);
    held.proceed();
    await settle();
    const again = rig.send("a", "c4");
    await settle();

    expect(again.answer).toBe("stored 4");
    await rig.stop();
  });

  it("counts refusals that wait to be confirmed, facts that are read, and repeats", async () => {
    const rig = new Rig({ maxMailbox: 3 });
    await rig.activate("a");
    const [insert, heads] = [rig.log.hold("insert"), rig.log.hold("heads")];
    rig.send("a", "c1");
    const repeats = [rig.send("a", "c1"), rig.send("a", "c1"), rig.send("a", "c2")];
    await settle();
    expect(repeats.map(({ answer }) => answer)).toEqual(["pending", "pending", "TOO_BUSY"]);
    insert.proceed();
    await settle();
    expect(rig.host.depth).toBe(0);
    const looks = ["l1", "l2", "l3", "l4"].map((id) => rig.send("a", id, { action: "look" }));
    await settle();
    expect(looks.map(({ answer }) => answer)).toEqual(["pending", "pending", "pending", "TOO_BUSY"]);
    heads.proceed();
    await settle();
    rig.behaviour.facts = () => new Promise(() => undefined);
    const reading = ["r1", "r2", "r3", "r4"].map((id) => rig.send("a", id, { deadline: rig.clock.now() + 100 }));
    await settle();
    expect(reading.map(({ answer }) => answer)).toEqual(["pending", "pending", "pending", "TOO_BUSY"]);
    await rig.clock.advance(200);
    expect(reading.map(({ answer }) => answer)).toEqual(["UNAVAILABLE", "UNAVAILABLE", "UNAVAILABLE", "TOO_BUSY"]);
  });

  it("that is full takes a repeat of what is in flight, which may be stored, up to as many again", async () => {
    const rig = new Rig({ maxMailbox: 2 });
    await rig.activate("a");
    const held = rig.log.hold("insert");
    const first = [rig.send("a", "c1"), rig.send("a", "c2")];
    await settle();
    const deadline = rig.clock.now() + 100;
    const repeats = [rig.send("a", "c1", { deadline }), rig.send("a", "c2"), rig.send("a", "c1"), rig.send("a", "c3")];
    await settle();
    expect(repeats.map(({ answer }) => answer)).toEqual(["pending", "pending", "TOO_BUSY", "TOO_BUSY"]);
    await rig.clock.advance(200);
    expect(repeats[0]?.answer).toBe("UNKNOWN_OUTCOME");
    expect(rig.host.depth).toBe(3);
    held.proceed();
    await settle();

    expect([...first, repeats[1]].map((asked) => asked?.answer)).toEqual(["stored 1", "stored 2", "repeat 2"]);
    expect(rig.host.depth).toBe(0);
    await rig.stop();
  });

  it("decides nothing whose facts came after its deadline", async () => {
    const rig = new Rig();
    await rig.activate("a");
    let answer = (): void => undefined;
    rig.behaviour.facts = () => new Promise((resolve) => (answer = () => resolve({})));
    const asked = rig.send("a", "c1", { deadline: rig.clock.now() + 50 });
    await rig.clock.advance(60);
    expect(asked.answer).toBe("pending");
    answer();
    await settle();
    expect([asked.answer, rig.behaviour.decided]).toEqual(["UNAVAILABLE", 0]);
    await rig.stop();
  });

  it("drops what is past its deadline undecided: UNAVAILABLE, and never stored", async () => {
    const rig = new Rig();
    const held = rig.log.hold("load");
    const asked = [
      rig.send("a", "late", { deadline: rig.clock.now() + 100 }),
      rig.send("a", "patient", { deadline: rig.clock.now() + 1_000 }),
    ];
    await rig.clock.advance(200);
    expect(asked.map(({ answer }) => answer)).toEqual(["UNAVAILABLE", "pending"]);
    held.proceed();
    await settle();

    expect(asked.map(({ answer }) => answer)).toEqual(["UNAVAILABLE", "stored 1"]);
    expect(rig.log.documents.map(({ commandId }) => commandId)).toEqual(["patient"]);
    expect(rig.behaviour.decided).toBe(1);
    await rig.stop();
  });

  it("does not decide what arrives past its deadline", async () => {
    const rig = new Rig();
    await rig.activate("a");
    const asked = rig.send("a", "late", { deadline: rig.clock.now() });
    await settle();

    expect([asked.answer, rig.behaviour.decided]).toEqual(["UNAVAILABLE", 0]);
    await rig.stop();
  });

  it("answers UNKNOWN_OUTCOME of what expires in flight, its repeats too", async () => {
    const rig = new Rig();
    await rig.activate("a");
    const held = rig.log.hold("insert");
    const deadline = rig.clock.now() + 100;
    const asked = [rig.send("a", "c1", { deadline }), rig.send("a", "c1", { deadline })];
    await rig.clock.advance(200);
    expect(asked.map(({ answer }) => answer)).toEqual(["UNKNOWN_OUTCOME", "UNKNOWN_OUTCOME"]);
    held.proceed();
    await settle();

    expect(rig.log.documents).toHaveLength(1);
    expect(rig.host.depth).toBe(0);
    await rig.stop();
  });

  it("keeps the order of arrival through a reload", async () => {
    const rig = new Rig({ maxDocuments: 2 });
    await rig.activate("a");
    rig.log.write(entry("a", 1));
    const asked = Array.from({ length: 9 }, (_, i) => rig.send("a", `c${i}`));
    await settle();

    expect(asked.map(({ answer }) => answer)).toEqual(asked.map((_, i) => `stored ${i + 2}`));
    await rig.stop();
  });
});
