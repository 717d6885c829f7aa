import { DuplicateKeyError, RejectedError } from "../../../lib/store/collection";
import { entry, Rig, settle } from "./rig";

describe("group commit", () => {
  it("has at most one insert in flight; what arrives meanwhile is the next flush", async () => {
    const rig = new Rig();
    await rig.activate("a", "b");
    const held = rig.log.hold("insert");
    rig.send("a", "a1");
    await settle();
    ["a2", "a3"].forEach((id) => rig.send("a", id));
    rig.send("b", "b1");
    await settle();
    expect(rig.log.inserts).toHaveLength(1);
    held.proceed();
    await settle();

    expect(rig.log.inserts.map((documents) => documents.length)).toEqual([1, 3]);
    await rig.stop();
  });

  it("bounds a flush in documents and in bytes; a single document is never too large for one", async () => {
    const rig = new Rig({ maxDocuments: 3, maxBytes: 1_000 });
    await rig.activate("a");
    await rig.inOneFlush(() => {
      ["c1", "c2", "c3", "c4"].forEach((id) => rig.send("a", id));
      rig.send("a", "large", { size: 5_000 });
      rig.send("a", "half", { size: 600 });
      rig.send("a", "another", { size: 600 });
    });

    const flushes = rig.log.inserts.slice(1).map((documents) => documents.map(({ value }) => value));
    expect(flushes).toEqual([["c1", "c2", "c3"], ["c4"], ["large"], ["half"], ["another"]]);
    await rig.stop();
  });

  it("never puts documents with equal keys into one flush", async () => {
    const rig = new Rig();
    await rig.activate("a", "b", "c");
    const taken = (key?: string): boolean => rig.log.documents.some((document) => key && document.key === key);
    rig.behaviour.facts = (_state, { key }) => (taken(key) ? Promise.resolve({ refuse: "SESSION_EXISTS" }) : undefined);
    const asked = await rig.inOneFlush(() => [
      rig.send("a", "c1", { key: "k" }),
      rig.send("b", "c2", { key: "l" }),
      rig.send("c", "c3", { key: "k" }),
      rig.send("a", "c4"),
    ]);

    expect(rig.log.inserts.slice(1, 3).map((documents) => documents.map(({ value }) => value))).toEqual([
      ["c1", "c2"],
      ["c3", "c4"],
    ]);
    expect(asked.map(({ answer }) => answer)).toEqual(["stored 1", "stored 1", "SESSION_EXISTS", "stored 2"]);
    await rig.stop();
  });

  it("settles every number once, in order, and stamps it on what it stored", async () => {
    const rig = new Rig({ maxDocuments: 2 });
    await rig.activate("a", "b");
    rig.log.write(entry("b", 1));
    rig.log.failNext("insert");
    for (const i of [1, 2, 3, 4, 5]) for (const stream of ["a", "b"]) rig.send(stream, `${stream}${i}`);
    await rig.clock.advance(100);

    const numbers = rig.flushes.map(({ flush }) => flush);
    expect(numbers).toEqual(numbers.map((_, i) => i + 1));
    for (const { stream, seq, value, flush, incarnation } of rig.log.documents.slice(1)) {
      expect(rig.flushes[flush - 1]?.stored).toContain(`${stream}${seq}:${value}`);
      expect(incarnation).toBe("node");
    }
    expect(rig.flushes.flatMap(({ stored }) => stored)).toHaveLength(10);
    expect(rig.writer.settled).toBe(rig.flushes.length);
    await rig.stop();
  });

  it("does not begin the next flush before this one is settled", async () => {
    const rig = new Rig();
    await rig.activate("a", "b");
    rig.log.failNext("insert", 6);
    rig.send("a", "a1");
    await settle();
    rig.send("b", "b1");
    await rig.clock.advance(40);
    expect(rig.log.inserts.every(([first]) => first?.value === "a1")).toBe(true);
    expect(rig.flushes).toEqual([]);
    await rig.clock.advance(2_000);

    expect(rig.flushes).toEqual([
      { flush: 1, stored: ["a1:a1"] },
      { flush: 2, stored: ["b1:b1"] },
    ]);
    await rig.stop();
  });

  it("says when nothing is queued or in flight any more", async () => {
    const rig = new Rig({ maxDocuments: 1 });
    await rig.activate("a");
    const held = rig.log.hold("insert");
    ["c1", "c2"].forEach((id) => rig.send("a", id));
    await settle();
    let drained = false;
    void rig.writer.drained().then(() => (drained = true));
    await settle();
    expect([drained, rig.writer.queued]).toEqual([false, 1]);
    held.proceed();
    await settle();

    expect([drained, rig.log.documents.length]).toEqual([true, 2]);
    await rig.writer.drained();
    await rig.stop();
  });
});

describe("a node that may not write", () => {
  it("does not insert, and does as soon as it may", async () => {
    let may = false;
    const rig = new Rig({ beforeInsert: () => (may ? undefined : Promise.reject(new Error("no mark"))) });
    const asked = rig.send("a", "c1");
    await rig.clock.advance(1_000);
    expect([asked.answer, rig.log.inserts.length]).toEqual(["pending", 0]);
    may = true;
    await rig.clock.advance(2_000);

    expect(asked.answer).toBe("stored 1");
    await rig.stop();
  });

  it("never takes the reason for one of the log", async () => {
    const reasons = [new DuplicateKeyError(0), new RejectedError(0, "of the mark")];
    const rig = new Rig({
      beforeInsert: () => (reasons.length > 0 ? Promise.reject(reasons.shift() as Error) : undefined),
    });
    const asked = rig.send("a", "c1");
    await rig.clock.advance(1_000);

    expect([asked.answer, rig.log.calls.verify]).toEqual(["stored 1", 0]);
    await rig.stop();
  });
});
