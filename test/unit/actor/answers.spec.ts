import { STALE } from "../../../lib/actor/behaviour";
import { entry, Rig, settle } from "./rig";

describe("an answer", () => {
  it("never comes before its event is durable", async () => {
    const rig = new Rig();
    await rig.activate("a");
    const held = rig.log.hold("insert");
    const asked = [rig.send("a", "c1"), rig.send("a", "c2")];
    await settle();
    expect(asked.map(({ answer }) => answer)).toEqual(["pending", "pending"]);
    expect(rig.host.peek("a")?.seq).toBe(0);
    held.proceed();
    await settle();

    expect(asked.map(({ answer }) => answer)).toEqual(["stored 1", "stored 2"]);
    expect(rig.host.peek("a")?.seq).toBe(2);
    await rig.stop();
  });

  it("comes before its flush is told of, and after its event is projected", async () => {
    const rig = new Rig();
    await rig.activate("a");
    const asked = rig.send("a", "c1");
    await asked.done;
    expect(rig.durable).toEqual(["a1:c1"]);
    await settle();
    expect(rig.flushes).toEqual([{ flush: 1, stored: ["a1:c1"] }]);
    await rig.stop();
  });
});

describe("a repeat", () => {
  it("of a command in flight is answered when that is durable, with its event", async () => {
    const rig = new Rig();
    await rig.activate("a");
    const held = rig.log.hold("insert");
    const asked = [rig.send("a", "c1"), rig.send("a", "c1"), rig.send("a", "c1", { value: "another" })];
    await settle();
    expect(asked.map(({ answer }) => answer)).toEqual(["pending", "pending", "pending"]);
    held.proceed();
    await settle();

    expect(asked.map(({ answer }) => answer)).toEqual(["stored 1", "repeat 1", "COMMAND_REUSED"]);
    expect(rig.log.documents).toHaveLength(1);
    await rig.stop();
  });

  it("of a recent command is answered from memory; another body is COMMAND_REUSED", async () => {
    const rig = new Rig();
    rig.send("a", "c1");
    await settle();
    const inserts = rig.log.inserts.length;
    const asked = [rig.send("a", "c1"), rig.send("a", "c1", { value: "another" })];
    await settle();

    expect(asked.map(({ answer }) => answer)).toEqual(["repeat 1", "COMMAND_REUSED"]);
    expect(rig.log.inserts).toHaveLength(inserts);
    await rig.stop();
  });

  it("of an old command is answered from the log; another body is COMMAND_REUSED", async () => {
    const rig = new Rig();
    for (let i = 0; i < 70; i++) rig.send("a", `c${i}`);
    await settle();
    const asked = [rig.send("a", "c0"), rig.send("a", "c1", { value: "another" }), rig.send("a", "new")];
    await settle();

    expect(asked.map(({ answer }) => answer)).toEqual(["repeat 1", "COMMAND_REUSED", "stored 71"]);
    expect(rig.log.documents).toHaveLength(71);
    await rig.stop();
  });

  it("of an old command tells nobody again, whatever is in the log since", async () => {
    const rig = new Rig();
    rig.log.write(entry("a", 1, { by: "ann", commandId: "old", request: "put old" }));
    rig.behaviour.snapshotSeq = 1;
    for (let i = 0; i < 40; i++) rig.send("a", `c${i}`);
    await settle();
    rig.behaviour.snapshotSeq = 41;
    const asked = [rig.send("a", "old"), rig.send("a", "c0"), rig.send("a", "c1")];
    await settle();

    expect(asked.map(({ answer }) => answer)).toEqual(["repeat 1", "repeat 2", "repeat 3"]);
    expect(rig.found).toEqual([]);
    await rig.stop();
  });

  it("of a command of another node, newer than the state, is told: perhaps nobody was", async () => {
    const rig = new Rig();
    rig.log.write(entry("a", 1, { action: "seal" }));
    await rig.activate("a");
    rig.found.length = 0;
    rig.log.write(entry("a", 2, { by: "ann", commandId: "c1", request: "put c1" }));
    const asked = rig.send("a", "c1");
    await settle();

    expect(asked.answer).toBe("repeat 2");
    expect(rig.found).toEqual(["a2:other-2"]);
    await rig.stop();
  });

  it("is found in the log also when a rule would refuse it by now", async () => {
    const rig = new Rig();
    rig.log.write(entry("a", 1, { by: "ann", commandId: "c1", request: "put c1" }));
    rig.log.write(entry("a", 2, { action: "seal" }));
    const asked = [rig.send("a", "c1"), rig.send("a", "c1", { value: "another" }), rig.send("a", "c2")];
    await settle();

    expect(asked.map(({ answer }) => answer)).toEqual(["repeat 1", "COMMAND_REUSED", "SESSION_CLOSED"]);
    await rig.stop();
  });

  it("by another user is a command of its own", async () => {
    const rig = new Rig();
    const asked = [rig.send("a", "c1"), rig.send("a", "c1", { by: "bob" }), rig.send("b", "c1")];
    await settle();

    expect(asked.map(({ answer }) => answer)).toEqual(["stored 1", "stored 2", "stored 1"]);
    await rig.stop();
  });
});

describe("a refusal", () => {
  it("is given only when the state it was decided on is durable", async () => {
    const rig = new Rig();
    await rig.activate("a");
    const held = rig.log.hold("insert");
    const [sealed, refused] = [rig.send("a", "c1", { action: "seal" }), rig.send("a", "c2")];
    await settle();
    expect([sealed.answer, refused.answer]).toEqual(["pending", "pending"]);
    expect(rig.log.calls.heads).toBe(0);
    held.proceed();
    await settle();

    expect([sealed.answer, refused.answer]).toEqual(["stored 1", "SESSION_CLOSED"]);
    expect(refused.data).toEqual({ seq: 1 });
    await rig.stop();
  });

  it("decided on a state that was fenced is decided again", async () => {
    const rig = new Rig();
    await rig.activate("a");
    rig.log.write(entry("a", 1));
    // The seal is fenced, and by the time it is decided again its caller is gone.
    const held = rig.log.hold("insert");
    const sealed = rig.send("a", "c1", { action: "seal", deadline: rig.clock.now() + 100 });
    const refused = rig.send("a", "c2");
    await rig.clock.advance(200);
    held.proceed();
    await settle();

    expect([sealed.answer, refused.answer]).toEqual(["UNKNOWN_OUTCOME", "stored 2"]);
    await rig.stop();
  });

  it("decided by a stale home is decided again on the log", async () => {
    const rig = new Rig();
    await rig.activate("a");
    rig.send("a", "c1", { action: "seal" });
    await settle();
    const reopened = rig.behaviour.evolve.bind(rig.behaviour);
    rig.behaviour.evolve = (state, event) => ({ ...reopened(state, event), sealed: event.action === "seal" });
    rig.log.write(entry("a", 2));
    const asked = rig.send("a", "c2");
    await settle();

    expect(asked.answer).toBe("stored 3");
    await rig.stop();
  });

  it("is UNAVAILABLE while the log's head cannot be read, and given once it can", async () => {
    const rig = new Rig();
    rig.send("a", "c1", { action: "seal" });
    await settle();
    rig.log.failNext("heads", 3);
    const [late, patient] = [rig.send("a", "c2", { deadline: rig.clock.now() + 20 }), rig.send("a", "c3")];
    const held = rig.log.hold("heads");
    await rig.clock.advance(200);
    expect(late.answer).toBe("UNAVAILABLE");
    held.proceed();
    await settle();

    expect(patient.answer).toBe("SESSION_CLOSED");
    await rig.stop();
  });

  it("leaves nothing behind: the same command may be tried again", async () => {
    const rig = new Rig();
    rig.behaviour.facts = () => Promise.resolve({ refuse: "SESSION_EXISTS" });
    const refused = rig.send("a", "c1");
    await settle();
    rig.behaviour.facts = () => undefined;
    const again = rig.send("a", "c1");
    await settle();

    expect([refused.answer, again.answer]).toEqual(["SESSION_EXISTS", "stored 1"]);
    await rig.stop();
  });

  it("holds back nobody: what comes after it is decided meanwhile", async () => {
    const rig = new Rig();
    rig.behaviour.facts = (_state, { value }) =>
      value === "no" ? Promise.resolve({ refuse: "SESSION_EXISTS" }) : undefined;
    const held = rig.log.hold("heads");
    const [refused, stored] = [rig.send("a", "no"), rig.send("a", "yes")];
    await settle();
    expect([refused.answer, stored.answer]).toEqual(["pending", "stored 1"]);
    held.proceed();
    await settle();

    expect(refused.answer).toBe("SESSION_EXISTS");
    await rig.stop();
  });
});

describe("a no-op", () => {
  it("is confirmed like a refusal", async () => {
    const rig = new Rig();
    await rig.activate("a");
    rig.log.write(entry("a", 1));
    const asked = rig.send("a", "c1", { action: "look" });
    await settle();

    expect(asked.answer).toBe("noop 1");
    await rig.stop();
  });
});

describe("facts of a decision", () => {
  it("that are newer than the state force a reload before it is made", async () => {
    const rig = new Rig();
    await rig.activate("a");
    rig.log.write(entry("a", 1, { action: "seal" }));
    rig.behaviour.facts = (state) => (state.seq < 1 ? Promise.resolve(STALE) : undefined);
    const asked = rig.send("a", "c1");
    await settle();

    expect(asked.answer).toBe("SESSION_CLOSED");
    expect(rig.log.inserts).toHaveLength(0);
    await rig.stop();
  });

  it("read before a reload are read again", async () => {
    const rig = new Rig();
    await rig.activate("a");
    const reads: Array<() => void> = [];
    rig.behaviour.facts = (_state, { commandId }) =>
      commandId === "c2" ? new Promise((resolve) => reads.push(() => resolve({}))) : undefined;
    rig.log.write(entry("a", 1));
    const held = rig.log.hold("insert");
    const asked = [rig.send("a", "c1"), rig.send("a", "c2"), rig.send("a", "c3")];
    await settle();
    held.proceed();
    await settle();
    reads[0]?.();
    await settle();
    expect(asked.map(({ answer }) => answer)).toEqual(["stored 2", "pending", "pending"]);
    expect(reads).toHaveLength(2);
    reads[1]?.();
    await settle();

    expect(asked.map(({ answer }) => answer)).toEqual(["stored 2", "stored 3", "stored 4"]);
    await rig.stop();
  });

  it("that cannot be read are UNAVAILABLE and nothing is stored", async () => {
    const rig = new Rig();
    rig.behaviour.facts = () => Promise.reject(new Error("time-out"));
    const asked = rig.send("a", "c1");
    await settle();

    expect(asked.answer).toBe("UNAVAILABLE");
    expect(rig.log.inserts).toHaveLength(0);
    await rig.stop();
  });

  it("are told which events are not durable yet", async () => {
    const rig = new Rig();
    await rig.activate("a");
    const held = rig.log.hold("insert");
    const seen: number[][] = [];
    rig.behaviour.facts = (_state, _command, undurable) => {
      seen.push(undurable().map(({ seq }) => seq));
      return undefined;
    };
    ["c1", "c2", "c3"].forEach((id) => rig.send("a", id));
    await settle();
    held.proceed();
    await settle();

    expect(seen).toEqual([[], [1], [1, 2]]);
    await rig.stop();
  });
});

describe("a rule that fails", () => {
  it.each(["decide", "prepare", "evolve"] as const)("in %s costs that command only", async (step) => {
    const rig = new Rig();
    const evolve = rig.behaviour.evolve.bind(rig.behaviour);
    const explode = (): never => {
      throw new Error("a rule that fails");
    };
    if (step === "prepare")
      rig.behaviour.facts = (_state, { commandId }) => (commandId === "c1" ? explode() : undefined);
    if (step === "evolve")
      rig.behaviour.evolve = (state, event) => (event.commandId === "c1" ? explode() : evolve(state, event));
    const asked = [rig.send("a", "c1", step === "decide" ? { action: "broken" } : {}), rig.send("a", "c2")];
    await settle();

    expect(asked.map(({ answer }) => answer)).toEqual(["INTERNAL", "stored 1"]);
    expect(rig.faults.map(String)).toEqual(["Error: a rule that fails"]);
    await rig.stop();
  });

  it("after its facts were read costs that command only", async () => {
    const rig = new Rig();
    rig.behaviour.facts = () => Promise.resolve({});
    const asked = [rig.send("a", "c1", { action: "broken" }), rig.send("a", "c2")];
    await settle();

    expect(asked.map(({ answer }) => answer)).toEqual(["INTERNAL", "stored 1"]);
    await rig.stop();
  });
});
