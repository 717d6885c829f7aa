import { Bench, settle } from "./support";

/** A group of alice and bob with three messages, both connected and live through seq 4. */
async function group(limits = {}): Promise<Bench> {
  const bench = new Bench(limits);
  bench.log.append("conversation.created", { kind: "group", members: ["alice", "bob"] });
  bench.log.messages(3);
  bench.member("alice", 4);
  bench.member("bob", 4);
  await bench.connect("alice");
  await bench.connect("bob");
  return bench;
}

describe("events of a room", () => {
  it("are emitted once, as one frame per flush", async () => {
    const bench = await group();
    const events = bench.log.messages(3);
    bench.flush(events);
    bench.flush(events);
    expect(bench.frames).toEqual(["all:5,6,7"]);
    expect(bench.seqs("bob")).toEqual([5, 6, 7]);
    bench.table.stop();
  });

  it("are emitted in seq order, with holes filled from the log", async () => {
    const bench = await group();
    const events = bench.log.messages(4);
    bench.flush(events.slice(2));
    expect(bench.seqs("alice")).toEqual([]);
    await settle();
    expect(bench.seqs("alice")).toEqual([5, 6, 7, 8]);
    bench.table.stop();
  });

  it("are filled in although reads fail for a while", async () => {
    const bench = await group();
    bench.failures = 5;
    bench.flush(bench.log.messages(2).slice(1));
    await bench.clock.advance(10_000);
    expect(bench.seqs("alice")).toEqual([5, 6]);
    bench.table.stop();
  });

  it("are dropped and read again when too many wait behind a hole", async () => {
    const bench = await group({ queue: 5, page: 4 });
    bench.flush(bench.log.messages(30).slice(1));
    await settle();
    await settle();
    expect(bench.seqs("alice")).toEqual(Array.from({ length: 30 }, (_, index) => index + 5));
    bench.table.stop();
  });

  it("for staff reach staff only", async () => {
    const bench = new Bench();
    bench.log.append("session.opened", { topic: "t", urgency: "normal", customerId: "carol" });
    bench.log.append("session.assigned", { agentId: "agent", via: "claim" });
    bench.member("carol", 2);
    bench.member("agent", 2, "staff");
    await bench.connect("carol");
    await bench.connect("agent");
    const note = bench.log.append("message.created", { text: "a note" }, { audience: "staff" });
    const answer = bench.log.append("message.created", { text: "an answer" });
    bench.flush([note, answer]);
    expect(bench.frames).toEqual(["all:4", "staff:3,4"]);
    expect(bench.received.get("carol")).toMatchObject([{ seq: 4, prevSeq: 2 }]);
    expect(bench.received.get("agent")).toMatchObject([{ prevSeq: 2 }, { prevSeq: 3 }]);
    bench.table.stop();
  });

  it("stop for who leaves, after the leaving itself", async () => {
    const bench = await group();
    const flush = [
      ...bench.log.messages(1),
      bench.log.append("member.left", { userId: "bob" }),
      ...bench.log.messages(1),
    ];
    bench.flush(flush);
    expect(bench.seqs("bob")).toEqual([5, 6]);
    expect(bench.seqs("alice")).toEqual([5, 6, 7]);
    expect(bench.table.isMember("bob", "c")).toBe(false);
    bench.table.stop();
  });

  it("go to the new agent and no longer to the old one after a transfer", async () => {
    const bench = new Bench();
    bench.log.append("session.opened", { topic: "t", urgency: "normal", customerId: "carol" });
    bench.log.append("session.assigned", { agentId: "old", via: "claim" });
    bench.member("old", 2, "staff");
    await bench.connect("old");
    await bench.connect("new");
    bench.flush([bench.log.append("session.transferred", { from: "old", agentId: "new" }), ...bench.log.messages(1)]);
    expect(bench.seqs("old")).toEqual([3]);
    expect(bench.seqs("new")).toEqual([3, 4]);
    expect(bench.table.audienceOf("new", "c")).toBe("staff");
    bench.table.stop();
  });

  it("need no room when nobody here is a member", async () => {
    const bench = await group();
    bench.flush(bench.log.messages(2, { conversationId: "other" }));
    expect(bench.table.size).toBe(1);
    bench.table.removeSocket("alice");
    bench.table.removeSocket("bob");
    expect(bench.table.size).toBe(0);
    bench.table.stop();
  });
});

describe("a socket that connects", () => {
  it("gets what was broadcast while its memberships were read", async () => {
    const bench = await group();
    bench.table.removeSocket("alice");
    bench.table.removeSocket("bob");
    let open = (): void => undefined;
    bench.gate = new Promise((resolve) => (open = resolve));
    bench.table.addSocket({ id: "again", userId: "alice" });
    void bench.table.joinAll("again");
    bench.flush(bench.log.messages(2));
    open();
    await bench.clock.advance(0);
    expect(bench.seqs("again")).toEqual([5, 6]);
    bench.table.stop();
  });

  it("gets what lies between its standing and the room, before it is live", async () => {
    const bench = await group({ page: 2 });
    const flush = bench.log.messages(5);
    bench.flush(flush);
    await bench.connect("bob", "late");
    expect(bench.seqs("late")).toEqual([5, 6, 7, 8, 9]);
    bench.flush(bench.log.messages(1), 2);
    expect(bench.seqs("late").at(-1)).toBe(10);
    bench.table.stop();
  });

  it("gets what the room applied while it was catching up, in order", async () => {
    const bench = await group();
    bench.flush(bench.log.messages(2));
    bench.table.addSocket({ id: "late", userId: "bob" });
    const joined = bench.table.joinAll("late");
    bench.flush(bench.log.messages(2), 2);
    await settle();
    await joined;
    expect(bench.seqs("late")).toEqual([5, 6, 7, 8]);
    bench.table.stop();
  });

  it("brings a room that lags behind its standing up first", async () => {
    const bench = await group();
    bench.log.messages(3);
    bench.members.set("bob", [{ conversationId: "c", standing: "all", through: 6 }]);
    await bench.connect("bob", "late");
    expect(bench.seqs("alice").slice(0, 2)).toEqual([5, 6]);
    expect(bench.seqs("late")).toEqual([7]);
    bench.table.stop();
  });

  it("is not let in when its user left in between", async () => {
    const bench = await group();
    bench.table.removeSocket("bob");
    bench.flush([bench.log.append("member.left", { userId: "bob" }), ...bench.log.messages(2)]);
    await bench.connect("bob", "stale");
    expect(bench.table.isMember("stale", "c")).toBe(false);
    expect(bench.seqs("stale")).toEqual([5]);
    bench.table.stop();
  });

  it("is let out again when the log of a new room says that its user left", async () => {
    const bench = await group();
    bench.table.removeSocket("alice");
    bench.table.removeSocket("bob");
    bench.log.append("member.left", { userId: "bob" });
    bench.log.messages(2);
    await bench.connect("bob", "stale");
    expect(bench.table.isMember("stale", "c")).toBe(false);
    expect(bench.seqs("stale")).toEqual([5]);
    expect(bench.table.size).toBe(0);
    bench.table.stop();
  });

  it("joins a conversation that the projections do not show yet", async () => {
    const bench = await group();
    bench.flush([bench.log.append("member.joined", { userId: "dora" }), ...bench.log.messages(1)]);
    await bench.connect("dora");
    expect(bench.seqs("dora")).toEqual([5, 6]);
    expect(bench.table.isMember("dora", "c")).toBe(true);
    bench.table.stop();
  });

  it("is joined later when the node started after the event and the projections lag", async () => {
    const bench = new Bench();
    bench.log.append("conversation.created", { kind: "group", members: ["alice"] });
    await bench.connect("alice");
    expect(bench.table.isMember("alice", "c")).toBe(false);
    bench.member("alice", 1);
    await bench.clock.advance(1_000);
    expect(bench.table.isMember("alice", "c")).toBe(true);
    bench.table.stop();
  });
});

describe("a user who becomes a member while connected", () => {
  it("gets the event that made it one and all that follow", async () => {
    const bench = await group();
    await bench.connect("dora");
    bench.flush([bench.log.append("member.joined", { userId: "dora" }), ...bench.log.messages(1)]);
    expect(bench.seqs("dora")).toEqual([5, 6]);
    bench.table.stop();
  });

  it("gets a conversation that has no room here yet", async () => {
    const bench = new Bench();
    await bench.connect("alice");
    bench.flush([bench.log.append("conversation.created", { kind: "direct", members: ["alice", "bob"] })]);
    expect(bench.seqs("alice")).toEqual([1]);
    bench.table.stop();
  });

  it("gets what follows its event in the log, broadcast or not", async () => {
    const bench = await group();
    bench.table.removeSocket("alice");
    bench.table.removeSocket("bob");
    await bench.connect("dora");
    const joins = bench.log.append("member.joined", { userId: "dora" });
    bench.log.messages(2);
    bench.flush([joins]);
    await settle();
    expect(bench.seqs("dora")).toEqual([5, 6, 7]);
    bench.table.stop();
  });

  it("is told of it although the room was joined before its event came", async () => {
    const bench = await group();
    const joins = bench.log.append("member.joined", { userId: "dora" });
    bench.log.messages(1);
    bench.member("dora", 6);
    bench.table.removeSocket("alice");
    bench.table.removeSocket("bob");
    await bench.connect("dora");
    expect(bench.seqs("dora")).toEqual([]);
    bench.flush([joins]);
    await settle();
    expect(bench.seqs("dora")).toEqual([5, 6]);
    bench.table.stop();
  });

  it("is told what is not stored while it is passed the log again, and no more once its user has left", async () => {
    const bench = await group();
    const joins = bench.log.append("member.joined", { userId: "dora" });
    bench.member("dora", 5);
    bench.table.removeSocket("alice");
    bench.table.removeSocket("bob");
    await bench.connect("dora");
    let open = (): void => undefined;
    bench.gate = new Promise((resolve) => (open = resolve));
    bench.flush([joins]);
    expect([bench.rooms.get("c")?.has("dora"), bench.isTold("dora")]).toEqual([false, true]);
    bench.flush([bench.log.append("member.left", { userId: "dora" })], 2);
    expect(bench.isTold("dora")).toBe(false);
    open();
    await settle();
    expect(bench.seqs("dora")).toEqual([5, 6]);
    expect(bench.isTold("dora")).toBe(false);
    bench.table.stop();
  });

  it("is told of it when only the projections, later, show it", async () => {
    const bench = await group();
    await bench.connect("dora");
    bench.log.append("member.joined", { userId: "dora" });
    bench.log.messages(2);
    bench.members.set("dora", [{ conversationId: "c", standing: "all", since: 5, through: 6 }]);
    await bench.clock.advance(1_000);
    expect(bench.seqs("dora")).toEqual([5, 6, 7]);
    bench.table.stop();
  });

  it("is served although who was alone in the room goes while it is served", async () => {
    const bench = await group();
    bench.table.removeSocket("bob");
    await bench.connect("dora");
    const emit = bench.emit.bind(bench);
    bench.emit = (...frame) => {
      emit(...frame);
      bench.table.removeSocket("alice");
    };
    bench.flush([...bench.log.messages(1), bench.log.append("member.joined", { userId: "dora" })]);
    bench.flush(bench.log.messages(1), 2);
    expect(bench.seqs("dora")).toEqual([6, 7]);
    bench.table.stop();
  });

  it("is let in although its event comes after the room was opened beyond it", async () => {
    const bench = await group();
    bench.table.removeSocket("alice");
    await bench.connect("dora");
    const joins = bench.log.append("member.joined", { userId: "dora" });
    bench.log.messages(1);
    bench.table.removeSocket("bob");
    bench.members.set("alice", [{ conversationId: "c", standing: "all", through: 6 }]);
    await bench.connect("alice");
    bench.flush([joins]);
    await settle();
    expect(bench.seqs("dora")).toEqual([5, 6]);
    bench.table.stop();
  });

  it("is not passed the log again when an old event is told again", async () => {
    const bench = new Bench({ page: 10 });
    const created = bench.log.append("conversation.created", { kind: "group", members: ["alice", "bob"] });
    bench.log.messages(30);
    for (const user of ["alice", "bob"]) {
      bench.member(user, 31);
      await bench.connect(user);
    }
    bench.table.receiveFound({ events: [created] });
    await bench.clock.advance(1_000);
    expect(bench.received.size).toBe(0);
    expect(bench.table.isMember("bob", "c")).toBe(true);
    bench.table.stop();
  });
});

describe("after a sync", () => {
  it("a socket live since later gets the gap", async () => {
    const bench = await group();
    const events = bench.log.messages(4);
    bench.flush(events);
    bench.members.set("bob", [{ conversationId: "c", standing: "all", through: 8 }]);
    await bench.connect("bob", "late");
    expect(bench.seqs("late")).toEqual([]);
    await Promise.all([bench.table.afterSync("late", { c: { through: 5, standing: "all" } }), settle()]);
    expect(bench.seqs("late")).toEqual([6, 7, 8]);
    expect(bench.table.isMember("late", "c")).toBe(true);
    bench.table.stop();
  });

  it("a socket live since earlier gets nothing twice", async () => {
    const bench = await group();
    bench.flush(bench.log.messages(4));
    await bench.table.afterSync("bob", { c: { through: 8, standing: "all" } });
    expect(bench.seqs("bob")).toEqual([5, 6, 7, 8]);
    bench.table.stop();
  });
});

describe("a socket that watches", () => {
  /** A session of carol that nobody on this node but carol is in, with sue connected. */
  async function session(): Promise<Bench> {
    const bench = new Bench();
    bench.log.append("session.opened", { topic: "t", urgency: "normal", customerId: "carol" });
    bench.log.append("session.assigned", { agentId: "anna", via: "claim" });
    bench.member("carol", 2);
    await bench.connect("carol");
    await bench.connect("sue");
    return bench;
  }
  const note = (bench: Bench) => bench.log.append("message.created", { text: "a note" }, { audience: "staff" });

  it("gets what the staff get from there on, and is no member", async () => {
    const bench = await session();
    await bench.table.watch("sue", "c", 2);
    bench.flush([note(bench), ...bench.log.messages(1)]);
    expect(bench.seqs("sue")).toEqual([3, 4]);
    expect(bench.seqs("carol")).toEqual([4]);
    expect(bench.table.isMember("sue", "c")).toBe(false);
    bench.table.stop();
  });

  it("gets what lies between where it was told to begin and the room", async () => {
    const bench = await session();
    bench.flush([note(bench), note(bench)]);
    await bench.table.watch("sue", "c", 3);
    expect(bench.seqs("sue")).toEqual([4]);
    bench.table.stop();
  });

  it("opens a room where there is none, and leaves none behind", async () => {
    const bench = await session();
    bench.table.removeSocket("carol");
    await bench.table.watch("sue", "c", 2);
    bench.flush([note(bench)]);
    expect(bench.seqs("sue")).toEqual([3]);
    bench.table.unwatch("sue", "c");
    await settle();
    expect(bench.table.size).toBe(0);
    bench.table.stop();
  });

  it("gets nothing after it has stopped, nor when it stops while it catches up", async () => {
    const bench = await session();
    await bench.table.watch("sue", "c", 2);
    bench.table.unwatch("sue", "c");
    bench.flush([note(bench)]);
    let open = (): void => undefined;
    bench.gate = new Promise((resolve) => (open = resolve));
    const watching = bench.table.watch("sue", "c", 2);
    bench.table.unwatch("sue", "c");
    open();
    await watching;
    bench.flush([note(bench)]);
    expect(bench.seqs("sue")).toEqual([]);
    bench.table.stop();
  });

  it("becomes a member by joining, whom stopping does not put out", async () => {
    const bench = await session();
    await bench.table.watch("sue", "c", 2);
    bench.flush([bench.log.append("member.joined", { userId: "sue", standing: "staff" })]);
    expect(bench.table.audienceOf("sue", "c")).toBe("staff");
    bench.table.unwatch("sue", "c");
    bench.flush([note(bench)]);
    expect(bench.seqs("sue")).toEqual([3, 4]);
    bench.flush([bench.log.append("member.left", { userId: "sue" }), note(bench)]);
    expect(bench.seqs("sue")).toEqual([3, 4, 5]);
    bench.table.stop();
  });

  it("does not change what a member sees", async () => {
    const bench = await session();
    await bench.table.watch("carol", "c", 0);
    bench.flush([note(bench), ...bench.log.messages(1)]);
    expect(bench.seqs("carol")).toEqual([4]);
    bench.table.unwatch("carol", "c");
    bench.flush(bench.log.messages(1));
    expect(bench.seqs("carol")).toEqual([4, 5]);
    bench.table.stop();
  });
});
