import { DuplicateKeyError } from "../../../lib/store/collection";
import { Held } from "../../support/fake-log";
import { entry, Rig, settle } from "./rig";

describe("an insert whose outcome is unknown", () => {
  it("is repeated with the very same documents", async () => {
    const rig = new Rig();
    await rig.activate("a");
    const asked = await rig.inOneFlush(
      () => [rig.send("a", "c1"), rig.send("a", "c2")],
      () => rig.log.failNext("insert", 2),
    );
    await rig.clock.advance(200);

    expect(asked.map(({ answer }) => answer)).toEqual(["stored 1", "stored 2"]);
    const [, first, second, third, ...more] = rig.log.inserts;
    expect(first?.map(({ value }) => value)).toEqual(["c1", "c2"]);
    expect([second, third, more]).toEqual([first, first, []]);
    expect(rig.flushes.slice(1)).toEqual([{ flush: 2, stored: ["a1:c1", "a2:c2"] }]);
    await rig.stop();
  });

  it("that had landed is stored once and answered once", async () => {
    const rig = new Rig();
    await rig.activate("a");
    const lost = rig.log.hold("insert");
    const asked = rig.send("a", "c1");
    await settle();
    lost.land();
    lost.fail();
    await rig.clock.advance(100);

    expect(asked.answer).toBe("stored 1");
    expect(asked.event?._id).toBe(rig.log.documents[0]?._id);
    expect(rig.log.documents).toHaveLength(1);
    expect(rig.durable).toEqual(["a1:c1"]);
    await rig.stop();
  });

  it("that lands between the duplicate and the next try is stored once and answered once", async () => {
    const rig = new Rig();
    await rig.activate("a");
    let first = new Held();
    const asked = await rig.inOneFlush(
      () => [rig.send("a", "c1"), rig.send("a", "c2")],
      () => {
        first = rig.log.hold("insert");
        // The store reports a duplicate that a majority does not show yet: the first insert is on its way.
        rig.log.failNext("insert", 1, new DuplicateKeyError(0));
      },
    );
    const third = rig.log.hold("insert");
    first.fail();
    await rig.clock.advance(50);
    expect(third.arrived).toBe(true);
    first.land();
    third.proceed();
    await rig.clock.advance(50);

    expect(asked.map(({ answer }) => answer)).toEqual(["stored 1", "stored 2"]);
    expect(rig.log.of("a").map(({ _id }) => _id)).toEqual(rig.log.inserts[1]?.map(({ _id }) => _id));
    expect(rig.flushes).toHaveLength(2);
    await rig.stop();
  });

  it("never makes 'not there' an answer: nothing newer is decided before it is settled", async () => {
    const rig = new Rig();
    await rig.activate("a", "b");
    const first = rig.log.hold("insert");
    rig.log.failNext("insert", 5);
    rig.send("a", "c1");
    await settle();
    first.fail();
    await settle();
    const decided = rig.behaviour.decided;
    const later = rig.send("a", "c2");
    await settle();
    expect(rig.behaviour.decided).toBe(decided);
    const elsewhere = rig.send("b", "b1");
    await settle();
    expect(rig.behaviour.decided).toBe(decided + 1);
    await rig.clock.advance(2_000);

    expect([later.answer, elsewhere.answer]).toEqual(["stored 2", "stored 1"]);
    await rig.stop();
  });

  it("is UNKNOWN_OUTCOME at the deadline, and the repeat is answered with the one event", async () => {
    const rig = new Rig();
    await rig.activate("a");
    rig.log.failNext("insert", 4);
    const held = rig.log.hold("insert");
    const asked = rig.send("a", "c1", { deadline: rig.clock.now() + 500 });
    await rig.clock.advance(1_000);
    expect(asked.answer).toBe("UNKNOWN_OUTCOME");
    const repeat = rig.send("a", "c1");
    await settle();
    expect(repeat.answer).toBe("pending");
    held.proceed();
    await settle();

    expect(repeat.answer).toBe("repeat 1");
    expect(rig.log.documents).toHaveLength(1);
    await rig.stop();
  });

  it("frees a stream as soon as its own documents are settled", async () => {
    const rig = new Rig();
    await rig.activate("a", "b");
    rig.log.write(entry("a", 1));
    rig.log.failNext("insert");
    const [fenced, waiting] = [rig.send("a", "c1"), rig.send("b", "b1")];
    await settle();
    const second = rig.log.hold("insert");
    rig.log.failNext("insert", 20);
    await rig.clock.advance(20);
    second.proceed();
    await settle();
    const decided = rig.behaviour.decided;
    await rig.clock.advance(1);

    // b1 is still unknown; a was fenced for good and is decided again.
    expect([fenced.answer, waiting.answer]).toEqual(["pending", "pending"]);
    expect(decided).toBe(3);
    await rig.stop();
  });
});

describe("a store that lies about what it shows", () => {
  it("never answers a document before an earlier one of its stream", async () => {
    const rig = new Rig();
    await rig.activate("a");
    let first = new Held();
    const asked = await rig.inOneFlush(
      () => [rig.send("a", "c1"), rig.send("a", "c2")],
      () => (first = rig.log.hold("insert")),
    );
    first.land();
    first.fail();
    // The first look shows the second document only.
    rig.log.lie("verify", ["absent", "stored"]);
    await rig.clock.advance(200);

    expect(asked.map(({ answer }) => answer)).toEqual(["stored 1", "stored 2"]);
    expect(rig.durable.slice(1)).toEqual(["a1:c1", "a2:c2"]);
    await rig.stop();
  });

  it("never drops a document that may still land because a later one of its stream is fenced", async () => {
    const rig = new Rig();
    await rig.activate("a");
    let first = new Held();
    const asked = await rig.inOneFlush(
      () => [rig.send("a", "c1"), rig.send("a", "c2", { key: "k" })],
      () => {
        first = rig.log.hold("insert");
        rig.log.failNext("insert", 1, new DuplicateKeyError(0));
      },
    );
    rig.log.lie("verify", ["absent", "fenced"]);
    first.fail();
    await rig.clock.advance(4);
    expect(asked.map(({ answer }) => answer)).toEqual(["pending", "pending"]);
    await rig.clock.advance(300);

    expect(asked.map(({ answer }) => answer)).toEqual(["stored 1", "stored 2"]);
    const tried = rig.log.inserts.slice(1).map((documents) => documents.map(({ _id }) => _id));
    expect(new Set(tried.map((ids) => ids.join())).size).toBe(1);
    await rig.stop();
  });

  it("takes a duplicate at no document for an unknown outcome", async () => {
    const rig = new Rig();
    await rig.activate("a");
    for (const index of [Number.NaN, 7, -1]) rig.log.failNext("insert", 1, new DuplicateKeyError(index));
    const held = rig.log.hold("insert");
    const asked = rig.send("a", "c1");
    await rig.clock.advance(500);

    expect(asked.answer).toBe("pending");
    held.proceed();
    await settle();
    expect(asked.answer).toBe("stored 1");
    await rig.stop();
  });
});
