import type { StoredEvent } from "../../../actors/conversation/conversation.events";
import { MARKS, type MarkDocument } from "../../../lib/actor/mark";
import { settle } from "../../support/virtual-clock";
import { Node } from "./node";

const published: StoredEvent[] = [];
const publishing = {
  wants: () => true,
  publish: (events: readonly StoredEvent[]) => Promise.resolve(void published.push(...events)),
};

beforeEach(() => void (published.length = 0));

const marks = (node: Node) => node.store.collection<MarkDocument>(MARKS);
const seqs = (events: readonly StoredEvent[]) => events.map(({ seq }) => seq);

/** A node that shares its store with others, has written a group with three messages, and has not projected them. */
async function fallen(): Promise<Node> {
  const node = new Node("fallen", {}, new Node("first"));
  await node.give("g", "ada", "create", { kind: "group", members: ["ben"] });
  for (const text of ["one", "two", "three"]) await node.give("g", "ada", "send", { text });
  expect(await node.conversations.store.conversations.findOne({ _id: "g" })).toBeUndefined();
  return node;
}

/** Sweeps every ten seconds while all other nodes stand still; answers how many events were recovered. */
async function sweepFor(node: Node, seconds: number): Promise<number> {
  let recovered = 0;
  for (let passed = 0; passed <= seconds; passed += 10) {
    recovered += (await node.conversations.sweep()).recovered;
    await settle();
    node.clock.skip(10_000);
  }
  return recovered;
}

describe("what a node that ended left behind", () => {
  it("is projected, published and broadcast by another one, once", async () => {
    const node = new Node("sweeper", { publishing }, await fallen());
    expect(await sweepFor(node, 50)).toBe(0);
    expect(await sweepFor(node, 60)).toBe(4);
    const snapshot = await node.conversations.store.conversations.findOne({ _id: "g" });
    expect(snapshot).toMatchObject({ appliedSeq: 4, lastMessage: { text: "three" } });
    expect(await node.conversations.store.standings("g", ["ben"])).toMatchObject([{ standing: "all" }]);
    expect(seqs(published)).toEqual([1, 2, 3, 4]);
    expect(seqs(node.found.flat())).toEqual([1, 2, 3, 4]);
  });

  it("is found also when it lands after the first sweep", async () => {
    const node = new Node("sweeper", { publishing }, await fallen());
    await sweepFor(node, 70);
    published.length = 0;
    const { store } = node.conversations;
    const [last] = await store.readAfter("g", 3, 1);
    if (!last) throw new Error("there is no last event");
    await store.insert([{ ...last, _id: "late", seq: 5, commandId: "late", flush: last.flush + 1 }]);
    expect(await sweepFor(node, 10)).toBe(1);
    expect(published.map(({ _id }) => _id)).toEqual(["late"]);
    expect(await store.conversations.findOne({ _id: "g" })).toMatchObject({ appliedSeq: 5 });
  });

  it("is recovered at the start of a node that is alone, and the mark is gone", async () => {
    const left = await fallen();
    const node = new Node("next", { publishing });
    await node.conversations.store.insert(await left.conversations.store.readAfter("g", 0, 10));
    await marks(node).insertMany([{ _id: "fallen", flush: 0, renewals: 0, renewedAt: 0 }]);
    await node.conversations.start();
    expect(seqs(published)).toEqual([1, 2, 3, 4]);
    expect(await marks(node).find({ _id: { $gt: "" } })).toEqual([]);
    await node.stop();
  });
});

describe("a node whose mark was swept while it slept", () => {
  it("learns of it at its next renewal, and writes nothing more", async () => {
    const left = await fallen();
    await sweepFor(new Node("sweeper", {}, left), 70);
    expect(left.lost).toBe(false);
    await left.clock.advance(100);
    expect(left.lost).toBe(true);
    const answer = left.give("g", "ada", "send", { text: "four" });
    await left.clock.advance(10_000);
    expect(await answer).toBe("UNKNOWN_OUTCOME");
    expect(await left.conversations.store.readAfter("g", 4, 1)).toEqual([]);
  });
});

describe("a node that stops while its store does not answer", () => {
  it("ends in time, tells its callers what is known, and leaves its mark to be swept", async () => {
    const node = new Node();
    await node.give("g", "ada", "create", { kind: "group", members: ["ben"] });
    node.store.closed = true;
    const answer = node.give("g", "ada", "send", { text: "one" });
    await settle();
    let stopped = false;
    void node.conversations.stop(2_000).then(() => (stopped = true));
    await node.clock.advance(1_999);
    expect(stopped).toBe(false);
    await node.clock.advance(1);
    expect(stopped).toBe(true);
    expect(await answer).toBe("UNKNOWN_OUTCOME");
    expect(await marks(node).find({ _id: { $gt: "" } })).toHaveLength(1);
    await node.clock.advance(10_000);
    expect(node.clock.pending).toBe(0);
  });

  it("ends also when its mark cannot be taken away", async () => {
    const node = new Node();
    await node.give("g", "ada", "create", { kind: "group", members: ["ben"] });
    marks(node).deleteMany = () => Promise.reject(new Error("no primary"));
    const stopped = node.conversations.stop(2_000);
    await node.clock.advance(1_000);
    await expect(stopped).resolves.toBeUndefined();
    expect(await marks(node).find({ _id: { $gt: "" } })).toHaveLength(1);
  });

  it("fails nothing that nobody waits for", async () => {
    const node = new Node();
    await node.give("g", "ada", "create", { kind: "group", members: ["ben"] });
    node.store.closed = true;
    const sent = node.give("g", "ada", "send", { text: "one" });
    const refused = node.give("g", "eve", "send", { text: "two" });
    await settle();
    const stopped = node.conversations.stop(2_000);
    await node.clock.advance(2_000);
    await stopped;
    expect(await Promise.all([sent, refused])).toEqual(["UNKNOWN_OUTCOME", "UNAVAILABLE"]);
  });
});
