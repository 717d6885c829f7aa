import { Node } from "./node";
import { settle } from "../../support/virtual-clock";

const open = { topic: "sales", urgency: "normal" };

describe("a decision on what is not durable yet", () => {
  it("shows a colleague's message that is in flight to whom it makes stale", async () => {
    const node = new Node();
    await node.give("s", "carl", "open", open);
    await node.give("s", "ada", "claim", {});
    await node.give("s", "sue", "join", {});
    node.store.closed = true;
    const sent = node.give("s", "sue", "send", { text: "on it" });
    const stale = node.give("s", "ada", "send", { text: "how can I help?", baseSeq: 3 });
    await settle();
    await node.store.open();

    expect(await sent).toBe(4);
    expect(await stale).toMatchObject({ events: [{ seq: 4, by: "sue", data: { text: "on it" } }] });
    await node.stop();
  });

  it("lets a session return to the topic that it is just leaving", async () => {
    const node = new Node();
    await node.give("s", "carl", "open", open);
    await node.give("s", "ada", "claim", {});
    node.store.closed = true;
    const away = node.give("s", "sue", "transfer", { to: { topic: "help" } });
    const back = node.give("s", "sue", "transfer", { to: { topic: "sales" } });
    await settle();
    await node.store.open();

    expect(await Promise.all([away, back])).toEqual([3, 4]);
    const [event] = await node.conversations.store.readAfter("s", 3, 1);
    expect(event).toMatchObject({ key: "open/carl/sales/0000000002", endsOpen: "open/carl/help/0000000001" });
    await node.stop();
  });

  it("edits, deletes and reacts to a message that is in flight", async () => {
    const node = new Node();
    await node.give("g", "ada", "create", { kind: "group", members: ["ben"] });
    node.store.closed = true;
    const asked = [
      node.give("g", "ada", "send", { text: "hello" }),
      node.give("g", "ada", "edit", { seq: 2, text: "Hello" }),
      node.give("g", "ben", "react", { seq: 2, emoji: "+1", on: true }),
      node.give("g", "ben", "react", { seq: 2, emoji: "+1", on: true }),
      node.give("g", "ada", "delete", { seq: 2 }),
      node.give("g", "ada", "edit", { seq: 2, text: "HELLO" }),
    ];
    await settle();
    await node.store.open();

    expect(await Promise.all(asked)).toEqual([2, 3, 4, "noop", 5, "MESSAGE_DELETED"]);
    await node.stop();
  });
});

describe("a commandId that is no valid Unicode", () => {
  it("stops nobody: what was stored under it is found again", async () => {
    const node = new Node();
    await node.give("g", "ada", "create", { kind: "group", members: ["ben"] });
    const send = (commandId: string, text: string) => node.give("g", "ada", "send", { text }, commandId);
    expect(await send("\ud800", "hello")).toBe(2);
    for (let i = 0; i < 70; i++) await send(`c${i}`, "more");
    const asked = [send("\ud800", "hello"), send("\ud801", "other"), send("fine", "fine")];
    await node.clock.advance(1_000);

    expect(await Promise.all(asked)).toEqual([2, "COMMAND_REUSED", 73]);
    await node.stop();
  });
});

describe("what was found in the log", () => {
  it("is broadcast in parts of bounded size", async () => {
    const node = new Node();
    await node.give("g", "ada", "create", { kind: "group", members: ["ben"] });
    const text = "x".repeat(8_000);
    for (let i = 0; i < 60; i++) await node.give("g", "ada", "send", { text });
    const events = await node.conversations.store.readAfter("g", 0, 100);
    // Another life of the node finds what this one has not projected.
    const next = new Node("node-2");
    await next.conversations.store.insert(events);
    await next.conversations.host.read("g", next.deadline);

    expect(next.found.flat().map(({ seq }) => seq)).toEqual(events.map(({ seq }) => seq));
    expect(Math.max(...next.found.map((part) => JSON.stringify(part).length))).toBeLessThan(512_000);
    await Promise.all([node.stop(), next.stop()]);
  });

  it("counts attachments: a part is never larger than a broadcast may be", async () => {
    const node = new Node();
    await node.give("g", "ada", "create", { kind: "group", members: ["ben"] });
    const attachments = Array.from({ length: 10 }, (_, i) => ({
      url: `https://example.org/${"x".repeat(1_900)}/${i}`,
    }));
    node.store.closed = true;
    const asked = Array.from({ length: 60 }, () => node.give("g", "ada", "send", { attachments }));
    await settle();
    await node.store.open();
    await Promise.all(asked);
    await settle();

    expect(node.flushed.flat()).toHaveLength(61);
    expect(Math.max(...node.flushed.map((part) => JSON.stringify(part).length))).toBeLessThan(512_000);
    await node.stop();
  });
});

describe("reading", () => {
  it("gives the history also when a reaction is called like something of Object", async () => {
    const node = new Node();
    await node.give("g", "ada", "create", { kind: "group", members: ["ben"] });
    await node.give("g", "ada", "send", { text: "hello" });
    const names = ["constructor", "__proto__", "toString"];
    for (const emoji of names) await node.give("g", "ben", "react", { seq: 2, emoji, on: true });
    const { reader } = node.conversations;
    const granted = await reader.authorise("g", "ada", node.deadline);
    const { messages } = await reader.history(granted, { limit: 10 });

    expect(Object.entries(messages[0]?.reactions ?? {})).toEqual(names.map((emoji) => [emoji, ["ben"]]));
    await node.stop();
  });

  it("syncs past any number of events that the user may not see", async () => {
    const node = new Node();
    await node.give("s", "carl", "open", open);
    const { store, reader } = node.conversations;
    const [opened] = await store.readAfter("s", 0, 1);
    if (!opened) throw new Error("no session");
    const hidden = Array.from({ length: 1_200 }, (_, i) => ({
      ...opened,
      _id: `note-${i}`,
      seq: i + 2,
      prevSeq: { all: 1, staff: i + 1 },
      type: "message.created" as const,
      audience: "staff" as const,
      commandId: `note-${i}`,
      data: { text: "psst" },
    }));
    const notes = hidden.map(({ key: _key, session: _session, ...note }) => note);
    await store.insert(notes);
    const { conversations } = node;
    await node.give("s", "carl", "send", { text: "anybody there?" });
    const answer = await conversations.reader.sync("carl", { s: 1 }, node.deadline);

    expect(answer.events.map(({ seq, prevSeq }) => [seq, prevSeq])).toEqual([[1_202, 1]]);
    expect([answer.more, answer.complete]).toEqual([false, { s: { through: 1_202, standing: "all" } }]);
    expect(await reader.sync("carl", { s: 1_202 }, node.deadline)).toMatchObject({ events: [], more: false });
    await node.stop();
  });
});
