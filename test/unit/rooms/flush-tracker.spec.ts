import { Bench } from "./support";

/** Alice is live in a conversation that was created in flush 1. */
async function connected(limits = {}): Promise<Bench> {
  const bench = new Bench(limits);
  const created = bench.log.append("conversation.created", { kind: "group", members: ["alice"] });
  bench.member("alice", 1);
  bench.table.coreHeard("core", 1);
  bench.flush([created], 1);
  await bench.connect("alice");
  return bench;
}

describe("a flush that does not arrive", () => {
  it("is read from the log once a later one shows that it is missing", async () => {
    const bench = await connected();
    bench.log.messages(2, { flush: 2 });
    bench.flush([], 3);
    await bench.clock.advance(49);
    expect(bench.seqs("alice")).toEqual([]);
    await bench.clock.advance(1);
    expect(bench.seqs("alice")).toEqual([2, 3]);
    expect(bench.reads.flushes).toEqual(["2-2"]);
    bench.table.stop();
  });

  it("is read once a beat shows that it is missing, although reads fail for a while", async () => {
    const bench = await connected();
    bench.log.messages(1, { flush: 2 });
    bench.failures = 4;
    bench.table.receiveBeat({ incarnation: "core", flush: 2 });
    await bench.clock.advance(2_000);
    expect(bench.seqs("alice")).toEqual([2]);
    bench.table.stop();
  });

  it("costs no read when it only arrives late", async () => {
    const bench = await connected();
    const [second] = bench.log.messages(1, { flush: 2 });
    const [third] = bench.log.messages(1, { flush: 3 });
    bench.flush(third ? [third] : [], 3);
    bench.flush(second ? [second] : [], 2);
    await bench.clock.advance(1_000);
    expect(bench.seqs("alice")).toEqual([2, 3]);
    expect(bench.reads.flushes).toEqual([]);
    bench.table.stop();
  });

  it("is missing while one of its parts is", async () => {
    const bench = await connected();
    const events = bench.log.messages(3, { flush: 2 });
    bench.table.receiveFlush({ incarnation: "core", flush: 2, part: 0, parts: 3, events: events.slice(0, 1) });
    bench.table.receiveFlush({ incarnation: "core", flush: 2, part: 2, parts: 3, events: [] });
    await bench.clock.advance(100);
    expect(bench.reads.flushes).toEqual(["2-2"]);
    expect(bench.seqs("alice")).toEqual([2, 3, 4]);
    bench.table.stop();
  });

  it("is not looked for one by one when too many are missing: rooms go to the head of their logs", async () => {
    const bench = await connected({ missingFlushes: 10 });
    bench.log.messages(1, { flush: 5 });
    bench.table.receiveBeat({ incarnation: "core", flush: 50 });
    await bench.clock.advance(100);
    expect(bench.reads.flushes).toEqual([]);
    expect(bench.seqs("alice")).toEqual([2]);
    bench.table.stop();
  });
});

describe("an incarnation", () => {
  it("first heard of after the start is followed from its first flush", async () => {
    const bench = await connected();
    bench.log.messages(1, { flush: 1 }).forEach((event) => (event.incarnation = "young"));
    bench.table.coreHeard("young", 3);
    await bench.clock.advance(100);
    expect(bench.reads.flushes).toEqual(["1-3"]);
    expect(bench.seqs("alice")).toEqual([2]);
    bench.table.stop();
  });

  it("that answered before the first socket is followed from there", async () => {
    const bench = new Bench();
    bench.table.coreHeard("core", 500);
    bench.table.receiveBeat({ incarnation: "core", flush: 500 });
    await bench.clock.advance(100);
    expect(bench.reads.flushes).toEqual([]);
    bench.table.stop();
  });
});

describe("a core node that is gone", () => {
  it("has the last events before its crash read from the log, settled or not", async () => {
    const bench = await connected();
    bench.log.messages(1, { flush: 2 });
    bench.table.coreLost("core");
    await bench.clock.advance(0);
    expect(bench.seqs("alice")).toEqual([2]);
    bench.table.stop();
  });

  it("is noticed by its silence", async () => {
    const bench = await connected();
    bench.log.messages(1, { flush: 2 });
    await bench.clock.advance(1_400);
    expect(bench.seqs("alice")).toEqual([]);
    await bench.clock.advance(600);
    expect(bench.seqs("alice")).toEqual([2]);
    bench.table.stop();
  });

  it("is looked at again, for an insert that lands late", async () => {
    const bench = await connected();
    bench.table.coreLost("core");
    await bench.clock.advance(20_000);
    bench.log.messages(1, { flush: 2 });
    await bench.clock.advance(60_000);
    expect(bench.seqs("alice")).toEqual([2]);
    bench.table.stop();
  });

  it("is not looked at while it beats", async () => {
    const bench = await connected();
    for (let second = 0; second < 10; second += 1) {
      bench.table.receiveBeat({ incarnation: "core", flush: 1 });
      await bench.clock.advance(1_000);
    }
    expect(bench.reads.flushes).toEqual([]);
    bench.table.stop();
  });
});

describe("an incarnation that the store lists", () => {
  const unheard = (bench: Bench, flush: number): void =>
    bench.log.messages(1, { flush }).forEach((event) => (event.incarnation = "unheard"));

  it("and nobody told of is looked for in the log, beyond what is settled", async () => {
    const bench = await connected();
    unheard(bench, 1);
    unheard(bench, 2);
    bench.table.coreListed("unheard", 1);
    await bench.clock.advance(100);
    expect(bench.seqs("alice")).toEqual([2, 3]);
    bench.table.stop();
  });

  it("is looked for each time while it is not heard", async () => {
    const bench = await connected();
    bench.table.coreListed("unheard", 0);
    // Looks become rare by themselves: the last of these is more than four seconds ago.
    await bench.clock.advance(12_000);
    unheard(bench, 1);
    await bench.clock.advance(100);
    expect(bench.seqs("alice")).toEqual([]);
    bench.table.coreListed("unheard", 0);
    await bench.clock.advance(100);
    expect(bench.seqs("alice")).toEqual([2]);
    bench.table.stop();
  });

  it("costs no read while it is heard", async () => {
    const bench = await connected();
    bench.table.receiveBeat({ incarnation: "core", flush: 1 });
    bench.table.coreListed("core", 1);
    await bench.clock.advance(1_000);
    expect(bench.reads.flushes).toEqual([]);
    bench.table.stop();
  });

  it("before the first socket starts where the store says", async () => {
    const bench = new Bench();
    bench.table.coreListed("unheard", 500);
    await bench.clock.advance(0);
    bench.table.coreHeard("unheard", 500);
    await bench.clock.advance(100);
    expect(bench.reads.flushes).toEqual([]);
    bench.table.stop();
  });

  it("with more behind it than is read brings the rooms to the head of their logs", async () => {
    const bench = await connected({ missingFlushes: 10 });
    unheard(bench, 50);
    bench.table.coreListed("unheard", 50);
    await bench.clock.advance(100);
    expect(bench.seqs("alice")).toEqual([2]);
    expect(bench.reads.flushes).toEqual(["1-10"]);
    bench.table.stop();
  });
});

describe("many flushes at once", () => {
  it("are read in pages, each passed on and counted by itself", async () => {
    const bench = await connected();
    for (let flush = 2; flush <= 9; flush++) bench.log.messages(1, { flush });
    bench.flushesAtOnce = 3;
    bench.table.receiveBeat({ incarnation: "core", flush: 9 });
    await bench.clock.advance(1_000);
    expect(bench.seqs("alice")).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
    expect(bench.reads.flushes).toEqual(["2-9", "5-9", "8-9"]);
    bench.table.stop();
  });

  it("of a node that is gone are read to their end at once", async () => {
    const bench = await connected({ missingFlushes: 6 });
    for (let flush = 2; flush <= 12; flush++) bench.log.messages(1, { flush });
    bench.flushesAtOnce = 2;
    bench.table.coreLost("core");
    await bench.clock.advance(3_000);
    expect(bench.seqs("alice")).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    bench.table.stop();
  });
});
