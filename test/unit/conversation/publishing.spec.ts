import type { StoredEvent } from "../../../actors/conversation/conversation.events";
import type { Publishing } from "../../../actors/conversation/conversation.projector";
import { Node } from "./node";

/** Takes messages, and keeps them as the outbox would. */
class FakeOutbox implements Publishing {
  readonly published: string[] = [];
  readonly batches: number[] = [];
  failing = false;

  wants({ type }: StoredEvent): boolean {
    return type === "message.created";
  }

  publish(events: readonly StoredEvent[]): Promise<void> {
    if (this.failing) return Promise.reject(new Error("time-out"));
    this.published.push(...events.map(({ conversationId, seq }) => `${conversationId}/${seq}`));
    this.batches.push(events.length);
    return Promise.resolve();
  }
}

describe("publishing", () => {
  const start = async () => {
    const outbox = new FakeOutbox();
    const node = new Node("node-1", { publishing: outbox });
    await node.give("g", "ada", "create", { kind: "group", members: ["ben"] });
    return { outbox, node };
  };
  const say = (node: Node, text: string, commandId?: string) => node.give("g", "ada", "send", { text }, commandId);
  const applied = async (node: Node) =>
    (await node.conversations.store.conversations.findOne({ _id: "g" }))?.appliedSeq;

  it("takes what is wanted of what is durable, in bulk, and nothing else", async () => {
    const { outbox, node } = await start();
    await Promise.all([say(node, "one"), say(node, "two")]);
    expect(outbox.published).toEqual([]);
    await node.clock.advance(250);
    expect([outbox.published, outbox.batches]).toEqual([["g/2", "g/3"], [2]]);
    await node.stop();
  });

  it("comes before the snapshot and before the mark, and is made up for", async () => {
    const { outbox, node } = await start();
    await node.clock.advance(250);
    const { projected } = node.conversations.projector;
    outbox.failing = true;
    await say(node, "one");
    await node.clock.advance(3_000);
    expect([await applied(node), node.conversations.projector.projected]).toEqual([1, projected]);
    outbox.failing = false;
    await node.clock.advance(3_000);
    expect([await applied(node), node.conversations.projector.projected]).toEqual([2, projected + 1]);
    expect(outbox.published).toEqual(["g/2"]);
    await node.stop();
  });

  it("takes what an earlier life left beyond the snapshot", async () => {
    const { outbox, node } = await start();
    await node.clock.advance(250);
    outbox.failing = true;
    await say(node, "one");
    // The next life has what was durable when the first one died.
    const events = await node.conversations.store.readAfter("g", 0, 10);
    const snapshot = await node.conversations.store.conversations.findOne({ _id: "g" });
    if (!snapshot) throw new Error("there is no snapshot");
    const heir = new FakeOutbox();
    const next = new Node("node-2", { publishing: heir });
    await next.conversations.store.insert(events);
    await next.conversations.store.conversations.insertMany([snapshot]);
    await next.conversations.host.read("g", next.deadline);
    await next.clock.advance(250);
    expect([heir.published, await applied(next)]).toEqual([["g/2"], 2]);
    outbox.failing = false;
    await Promise.all([node.stop(), next.stop()]);
  });

  it("does not take again what a repeat is answered with", async () => {
    const { outbox, node } = await start();
    for (let i = 0; i < 30; i++) await say(node, `text ${i}`, `c${i}`);
    await node.clock.advance(250);
    const before = outbox.published.length;
    expect(await say(node, "text 0", "c0")).toBe(2);
    await node.clock.advance(250);
    expect([before, outbox.published.length]).toEqual([30, 30]);
    await node.stop();
  });
});
