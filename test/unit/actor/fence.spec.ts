import { RejectedError } from "../../../lib/store/collection";
import { entry, Rig, settle } from "./rig";

describe("the fence: another home has written", () => {
  it("drops what was decided on a state that has not happened, and decides it again on the log", async () => {
    const rig = new Rig();
    await rig.activate("a");
    rig.log.write(entry("a", 1));
    const [first, second] = [rig.send("a", "c1"), rig.send("a", "c2")];
    await settle();

    expect([first.answer, second.answer]).toEqual(["stored 2", "stored 3"]);
    expect(rig.log.of("a").map(({ commandId }) => commandId)).toEqual(["other-1", "c1", "c2"]);
    expect(rig.fences).toBe(1);
    await rig.stop();
  });

  it("drops the queue of the fenced stream too", async () => {
    const rig = new Rig({ maxDocuments: 1 });
    await rig.activate("a");
    rig.log.write(entry("a", 1));
    const asked = ["c1", "c2", "c3"].map((id) => rig.send("a", id));
    await settle();

    expect(asked.map(({ answer }) => answer)).toEqual(["stored 2", "stored 3", "stored 4"]);
    // c2 and c3 at the seqs of the first decision never reach the store.
    const tried = rig.log.inserts.map((documents) => documents.map(({ seq, value }) => `${seq}:${value}`).join());
    expect(tried).toEqual(["1:c1", "2:c1", "3:c2", "4:c3"]);
    await rig.stop();
  });

  it("answers a command that the other home has already stored, once, with its event", async () => {
    const rig = new Rig();
    await rig.activate("a");
    rig.log.write(entry("a", 1, { by: "ann", commandId: "c1", request: "put c1", value: "c1" }));
    const [first, second] = [rig.send("a", "c1"), rig.send("a", "c2")];
    await settle();

    expect([first.answer, second.answer]).toEqual(["repeat 1", "stored 2"]);
    expect(first.event?._id).toBe("other-a-1");
    expect(rig.log.of("a").map(({ commandId }) => commandId)).toEqual(["c1", "c2"]);
    expect(rig.found).toContain("a1:c1");
    await rig.stop();
  });

  it("resubmits the documents of other streams at once, in the same flush", async () => {
    const rig = new Rig();
    await rig.activate("a", "b");
    rig.log.write(entry("a", 1));
    const held = rig.log.hold("insert");
    rig.send("warm", "up");
    await settle();
    const asked = [rig.send("a", "a1"), rig.send("b", "b1"), rig.send("b", "b2")];
    await settle();
    held.proceed();
    await settle();

    expect(asked.map(({ answer }) => answer)).toEqual(["stored 2", "stored 1", "stored 2"]);
    expect(rig.flushes).toEqual([
      { flush: 1, stored: ["warm1:up"] },
      { flush: 2, stored: ["b1:b1", "b2:b2"] },
      { flush: 3, stored: ["a2:a1"] },
    ]);
    expect(rig.log.of("b").map(({ flush }) => flush)).toEqual([2, 2]);
    await rig.stop();
  });

  it("settles a flush of which nothing was stored once, under its number", async () => {
    const rig = new Rig();
    await rig.activate("a");
    rig.log.write(entry("a", 1));
    rig.send("a", "c1");
    await settle();

    expect(rig.flushes).toEqual([
      { flush: 1, stored: [] },
      { flush: 2, stored: ["a2:c1"] },
    ]);
    await rig.stop();
  });

  it("reloads and looks up again and again until the store answers, then answers", async () => {
    const rig = new Rig();
    await rig.activate("a");
    rig.log.write(entry("a", 1, { by: "ann", commandId: "c1", request: "put c1" }));
    rig.log.failNext("load", 3);
    rig.log.failNext("commands", 2);
    const asked = rig.send("a", "c1");
    await rig.clock.advance(4_000);

    expect(asked.answer).toBe("repeat 1");
    await rig.stop();
  });

  it("says UNKNOWN_OUTCOME of a dropped command that could not be looked up by its deadline", async () => {
    const rig = new Rig();
    await rig.activate("a");
    rig.log.write(entry("a", 1));
    rig.log.failNext("load", 100);
    const asked = rig.send("a", "c1", { deadline: rig.clock.now() + 1_000 });
    await rig.clock.advance(1_500);

    expect(asked.answer).toBe("UNKNOWN_OUTCOME");
    await rig.stop();
  });
});

describe("a document that the store will never take", () => {
  it("refuses that command with INTERNAL, and the later ones are decided again", async () => {
    const rig = new Rig();
    await rig.activate("a", "b");
    rig.log.rejectCommand("c2", (index) => new RejectedError(index, "too large"));
    const asked = [...["c1", "c2", "c3"].map((id) => rig.send("a", id)), rig.send("b", "b1")];
    await settle();

    expect(asked.map(({ answer }) => answer)).toEqual(["stored 1", "INTERNAL", "stored 2", "stored 1"]);
    expect(rig.log.of("a").map(({ commandId }) => commandId)).toEqual(["c1", "c3"]);
    await rig.stop();
  });

  it("tells the operator why", async () => {
    const rig = new Rig();
    rig.log.rejectCommand("c1", (index) => new RejectedError(index, "too large"));
    rig.send("a", "c1");
    await settle();

    expect(rig.faults.map(String)).toEqual([expect.stringContaining("too large")]);
    await rig.stop();
  });
});
