import { Node } from "./node";
import { settle } from "../../support/virtual-clock";

describe("the projections", () => {
  it("follow within 250 ms, members before the snapshot", async () => {
    const node = new Node();
    const { members, conversations } = node.conversations.store;
    const order: string[] = [];
    for (const collection of [members, conversations]) {
      const put = collection.putNewer.bind(collection) as (...args: unknown[]) => Promise<void>;
      jest.spyOn(collection, "putNewer").mockImplementation((...args: unknown[]) => {
        order.push(collection.name);
        return put(...args);
      });
    }
    await node.give("g", "ada", "create", { kind: "group", members: ["ben"] });
    await node.give("g", "ben", "leave", {});
    expect(order).toEqual([]);
    await node.clock.advance(250);

    expect(order).toEqual(["members", "conversations"]);
    expect(await conversations.findOne({ _id: "g" })).toMatchObject({ appliedSeq: 2, memberCount: 1 });
    expect(await members.findOne({ _id: "g/ben" })).toMatchObject({ standing: "none", active: false, seq: 2 });
    await node.stop();
  });

  it("do not move past members that could not be written, and catch up", async () => {
    const node = new Node();
    const { members, conversations } = node.conversations.store;
    const failing = jest.spyOn(members, "putNewer").mockRejectedValue(new Error("time-out"));
    await node.give("g", "ada", "create", { kind: "group", members: ["ben"] });
    await node.clock.advance(3_000);
    expect(await conversations.findOne({ _id: "g" })).toBeUndefined();
    expect(node.conversations.projector.projected).toBe(0);
    expect(node.failures.length).toBeGreaterThan(1);
    failing.mockRestore();
    await node.clock.advance(3_000);

    expect(await conversations.findOne({ _id: "g" })).toMatchObject({ appliedSeq: 1 });
    expect(node.conversations.projector.projected).toBe(1);
    await node.stop();
  });

  it("keep members prompt while a slow store has its pause from snapshots", async () => {
    const node = new Node();
    const { members, conversations } = node.conversations.store;
    const put = conversations.putNewer.bind(conversations);
    jest.spyOn(conversations, "putNewer").mockImplementation(async (documents, field) => {
      await new Promise<void>((resolve) => node.clock.setTimeout(resolve, 100));
      await put(documents, field);
    });
    await node.give("g", "ada", "create", { kind: "group", members: ["ben"] });
    await node.clock.advance(350);
    await node.give("g", "ada", "invite", { userId: "gil" });
    await node.clock.advance(250);

    expect(await members.findOne({ _id: "g/gil" })).toMatchObject({ standing: "all", seq: 2 });
    expect(await conversations.findOne({ _id: "g" })).toMatchObject({ appliedSeq: 1 });
    expect(node.conversations.projector.projected).toBe(1);
    await node.clock.advance(2_000);
    expect(await conversations.findOne({ _id: "g" })).toMatchObject({ appliedSeq: 2 });
    expect(node.conversations.projector.projected).toBe(2);
    await node.stop();
  });

  it("never put an older standing over a newer one, whoever writes last", async () => {
    const node = new Node();
    await node.give("g", "ada", "create", { kind: "group", members: ["ben"] });
    await node.give("g", "ben", "leave", {});
    await node.clock.advance(250);
    const { store, projector, host } = node.conversations;
    const [created] = await store.readAfter("g", 0, 1);
    const state = host.peek("g");
    if (!created || !state) throw new Error("nothing to repair");
    projector.repair([created], state);
    await projector.write();

    expect(await store.members.findOne({ _id: "g/ben" })).toMatchObject({ standing: "none", seq: 2 });
    await node.stop();
  });

  it("of an earlier life are made whole when the node starts", async () => {
    const first = new Node("first");
    await first.give("g", "ada", "create", { kind: "group", members: ["ben"] });
    await settle();
    const events = await first.conversations.store.readAfter("g", 0, 10);
    const marks = await first.store.collection<{ _id: string }>({ name: "marks", indexes: [] }).find({ _id: "first" });
    // The next life has what was durable when the first one died: the log and its mark.
    const next = new Node("next");
    await next.conversations.store.insert(events);
    await next.store.collection<{ _id: string }>({ name: "marks", indexes: [] }).insertMany(marks);
    const started = next.conversations.start();
    await next.clock.advance(100);
    await started;

    expect(await next.conversations.store.conversations.findOne({ _id: "g" })).toMatchObject({ appliedSeq: 1 });
    expect(next.found.flat().map(({ seq }) => seq)).toEqual([1]);
    expect(await next.store.collection<{ _id: string }>({ name: "marks", indexes: [] }).find({ _id: "first" })).toEqual(
      [],
    );
    await Promise.all([first.stop(), next.stop()]);
  });
});
