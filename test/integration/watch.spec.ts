import type { Socket } from "socket.io-client";
import { resourcesOf } from "../../lib/resources";
import type { WireEvent } from "../../services/schemas";
import { type AuditDocument, AUDIT } from "../../services/audit/audit.store";
import { ask, get, heard, type Login, outcome, type SocketNode, startSocketNode } from "../support/socket-node";
import { rest } from "../support/rest";
import { until } from "../support/wait";

interface Begun {
  readonly seq: number;
  readonly messages: ReadonlyArray<{ readonly seq: number; readonly text?: string }>;
  readonly hasMore: boolean;
}

const command = () => ({ commandId: crypto.randomUUID() });

describe("watching a session unseen", () => {
  let node: SocketNode;
  let anna: Login;
  let sue: Login;
  let customer: Socket;
  let agent: Socket;
  let supervisor: Socket;

  beforeAll(async () => {
    node = await startSocketNode();
    anna = await node.user("agent");
    sue = await node.user("supervisor");
    customer = await node.connect(await node.guest());
    agent = await node.connect(anna);
    supervisor = await node.connect(sue);
  }, 60_000);

  afterAll(() => node.stop());

  const session = async (): Promise<string> => {
    const { id } = await get<{ id: string }>(customer, "session.open", { ...command(), topic: crypto.randomUUID() });
    await get(agent, "session.claim", { ...command(), sessionId: id });
    return id;
  };
  const say = (socket: Socket, conversationId: string, text: string, more: object = {}) =>
    get<{ seq: number }>(socket, "message.send", { ...command(), conversationId, text, ...more });
  const entries = () => resourcesOf(node.broker).store.collection<AuditDocument>(AUDIT).find({ by: sue.id });
  const eventsOf = (frames: readonly WireEvent[][], id: string) =>
    frames.flat().filter(({ conversationId }) => conversationId === id);

  it("gives the latest messages, then what the staff get, notes included, and nobody sees it", async () => {
    const id = await session();
    await say(customer, id, "before");
    await say(agent, id, "a note", { audience: "staff" });
    const [seen, told, customers] = [heard<WireEvent[]>(supervisor, "events"), [] as unknown[], [] as unknown[]];
    agent.onAny((...all: unknown[]) => told.push(all));
    customer.onAny((...all: unknown[]) => customers.push(all));

    const begun = await get<Begun>(supervisor, "session.watch", { sessionId: id, on: true });
    expect(begun).toMatchObject({ seq: 4, messages: [{ text: "before" }, { text: "a note" }], hasMore: false });
    await say(customer, id, "after");
    const { seq } = await say(agent, id, "another note", { audience: "staff" });

    await until("it is seen", () => eventsOf(seen, id).at(-1)?.seq === seq);
    expect(eventsOf(seen, id).map((event) => [event.seq, event.prevSeq])).toEqual([
      [5, 4],
      [6, 5],
    ]);
    expect(JSON.stringify([told, customers])).not.toContain(sue.id);
    const { memberCount, members } = await get<{ conversations: Array<{ memberCount: number; members: string[] }> }>(
      agent,
      "conversation.list",
      { limit: 1 },
    ).then(({ conversations: [first] }) => first ?? { memberCount: 0, members: [] });
    expect(memberCount).toBe(2);
    expect(members).not.toContain(sue.id);
  });

  it("is written down before it begins, for administrators to read", async () => {
    const id = await session();
    const before = (await entries()).length;
    await get(supervisor, "session.watch", { sessionId: id, on: true });
    const written = await entries();
    expect(written).toHaveLength(before + 1);
    expect(written.find(({ target }) => target === id)).toMatchObject({ action: "session.watch", by: sue.id });

    const admin = await node.user("admin");
    const listed = await rest(node.url, "GET", `/audit?target=${id}`, admin.token);
    expect(listed.body).toMatchObject({ entries: [{ by: sue.id, action: "session.watch", target: id }] });
    expect((await rest(node.url, "GET", "/audit", sue.token)).status).toBe(403);
  });

  it("does not begin when it cannot be written down", async () => {
    const id = await session();
    const seen = heard<WireEvent[]>(supervisor, "events");
    const audit = resourcesOf(node.broker).store.collection<AuditDocument>(AUDIT);
    const failing = jest.spyOn(Object.getPrototypeOf(audit) as typeof audit, "insertMany");
    failing.mockRejectedValue(new Error("the store is down"));
    const reply = await ask(supervisor, "session.watch", { sessionId: id, on: true });
    failing.mockRestore();
    expect(reply.ok).toBe(false);
    await say(agent, id, "unseen", { audience: "staff" });
    const other = await session();
    await get(supervisor, "session.watch", { sessionId: other, on: true });
    await say(agent, other, "seen");
    await until("the other one is seen", () => eventsOf(seen, other).length > 0);
    expect(eventsOf(seen, id)).toEqual([]);
  });

  it("reads back beyond what it began with, written down once, and nobody sees it", async () => {
    const id = await session();
    const texts = Array.from({ length: 120 }, (_, n) => `text ${n}`);
    for (const text of texts) await say(agent, id, text, { audience: "staff" });
    const told: unknown[] = [];
    agent.onAny((...all: unknown[]) => told.push(all));
    const begun = await get<Begun>(supervisor, "session.watch", { sessionId: id, on: true });
    expect([begun.messages.length, begun.hasMore]).toEqual([100, true]);
    const earlier: Array<string | undefined> = [];
    for (let before = begun.messages[0]?.seq ?? 0, more = begun.hasMore; more;) {
      const page = await get<Omit<Begun, "seq">>(supervisor, "session.history", { sessionId: id, before, limit: 4 });
      earlier.unshift(...page.messages.map(({ text }) => text));
      before = page.messages[0]?.seq ?? 0;
      more = page.hasMore;
    }
    expect(earlier).toEqual(texts.slice(0, 20));
    // Five pages; one entry, or two where the hour has struck.
    const written = (await entries()).filter(({ target, action }) => target === id && action === "session.history");
    expect([1, 2]).toContain(written.length);
    expect(JSON.stringify(told)).not.toContain(sue.id);
  });

  it("reads the transcript, in parts, written down as well", async () => {
    const id = await session();
    for (let n = 0; n < 110; n++) await say(agent, id, `note ${n}`, { audience: "staff" });
    const whole = await rest(node.url, "GET", `/sessions/${id}/transcript?format=text`, sue.token);
    expect(whole.expect<string>(200)).toContain("note 109");
    const written = (await entries()).filter(({ target }) => target === id);
    expect([1, 2]).toContain(written.length);
    expect(new Set(written.map(({ action }) => action))).toEqual(new Set(["session.transcript"]));
  });

  it("reads nothing that cannot be written down, whatever the cursor", async () => {
    const id = await session();
    await say(agent, id, "unread", { audience: "staff" });
    const audit = resourcesOf(node.broker).store.collection<AuditDocument>(AUDIT);
    const failing = jest.spyOn(Object.getPrototypeOf(audit) as typeof audit, "insertMany");
    failing.mockRejectedValue(new Error("the store is down"));
    const replies = [
      await ask(supervisor, "session.history", { sessionId: id, before: 100 }),
      await ask(supervisor, "session.transcript", { sessionId: id, cursor: "0.100" }),
    ];
    failing.mockRestore();
    expect(replies.map(({ ok }) => ok)).toEqual([false, false]);
  });

  it("reads what a member may without writing it down", async () => {
    const id = await session();
    await say(agent, id, "hello");
    await get(supervisor, "conversation.join", { ...command(), conversationId: id });
    const page = await get<Omit<Begun, "seq">>(supervisor, "session.history", { sessionId: id });
    expect(page).toMatchObject({ messages: [{ text: "hello" }], hasMore: false });
    await get(supervisor, "session.transcript", { sessionId: id });
    expect((await entries()).filter(({ target }) => target === id)).toEqual([]);
  });

  it("reads sessions of others, that there are, and of one's own what a customer sees", async () => {
    const id = await session();
    expect(await outcome(agent, "session.history", { sessionId: id })).toBe("FORBIDDEN");
    expect(await outcome(customer, "session.history", { sessionId: id })).toBe("FORBIDDEN");
    const group = await get<{ id: string }>(agent, "conversation.create", {
      ...{ ...command(), kind: "group", title: "Ours", members: [sue.id] },
    });
    const others = await get<{ id: string }>(agent, "conversation.create", {
      ...{ ...command(), kind: "group", title: "Theirs", members: [(await node.user()).id] },
    });
    for (const sessionId of ["nothing", group.id, others.id]) {
      expect(await outcome(supervisor, "session.history", { sessionId })).toBe("NOT_FOUND");
      expect(await outcome(supervisor, "session.transcript", { sessionId })).toBe("NOT_FOUND");
    }
    const own = await get<{ id: string }>(supervisor, "session.open", { ...command(), topic: crypto.randomUUID() });
    await get(agent, "session.claim", { ...command(), sessionId: own.id });
    await say(agent, own.id, "about her", { audience: "staff" });
    await say(agent, own.id, "hello");
    const page = await get<Omit<Begun, "seq">>(supervisor, "session.history", { sessionId: own.id });
    expect(page.messages.map(({ text }) => text)).toEqual(["hello"]);
    expect((await entries()).filter(({ target }) => target !== id && target === own.id)).toEqual([]);
  });

  it("is for supervisors, in sessions of others, that there are", async () => {
    const id = await session();
    expect(await outcome(agent, "session.watch", { sessionId: id, on: true })).toBe("FORBIDDEN");
    expect(await outcome(customer, "session.watch", { sessionId: id, on: true })).toBe("FORBIDDEN");
    expect(await outcome(supervisor, "session.watch", { sessionId: "nothing", on: true })).toBe("NOT_FOUND");
    const own = await get<{ id: string }>(supervisor, "session.open", { ...command(), topic: crypto.randomUUID() });
    expect(await outcome(supervisor, "session.watch", { sessionId: own.id, on: true })).toBe("FORBIDDEN");
  });

  it("lets nobody act as a member", async () => {
    const id = await session();
    await get(supervisor, "session.watch", { sessionId: id, on: true });
    const onIt = { ...command(), conversationId: id };
    expect(await outcome(supervisor, "message.send", { ...onIt, text: "hello" })).toBe("NOT_FOUND");
    expect(await outcome(supervisor, "message.history", { conversationId: id })).toBe("NOT_FOUND");
    expect(await outcome(supervisor, "receipt.read", { conversationId: id, seq: 1 })).toBe("NOT_FOUND");
    expect(await outcome(supervisor, "typing", { conversationId: id, on: true })).toBe("NOT_FOUND");
    expect(await get(supervisor, "conversation.sync", { cursors: { [id]: 0 } })).toMatchObject({ reset: [id] });
  });

  it("ends when it is no longer wanted, and with the role within a second", async () => {
    const eve = await node.user("supervisor");
    const socket = await node.connect(eve);
    const [seen, ended] = [heard<WireEvent[]>(socket, "events"), heard<object>(socket, "watch")];
    const [first, second] = [await session(), await session()];
    const agents = heard<WireEvent[]>(agent, "events");
    for (const sessionId of [first, second]) await get(socket, "session.watch", { sessionId, on: true });
    await get(socket, "session.watch", { sessionId: first, on: false });
    await say(customer, first, "one");
    await say(customer, second, "two");
    await until("the second is seen", () => eventsOf(seen, second).length === 1);

    await node.setRoles(eve.id, "agent");
    await until("it is told", () => ended.length > 0, 1_000);
    expect(ended).toEqual([{ sessionId: second, on: false }]);
    await say(customer, second, "three");
    await until("the agent has it", () => eventsOf(agents, second).length === 2);
    await get(socket, "conversation.list", {});
    expect(eventsOf(seen, first)).toEqual([]);
    expect(eventsOf(seen, second)).toHaveLength(1);
  });

  it("ends with the login", async () => {
    const eve = await node.user("supervisor");
    const socket = await node.connect(eve);
    const seen = heard<WireEvent[]>(socket, "events");
    const id = await session();
    await get(socket, "session.watch", { sessionId: id, on: true });
    await node.logout(eve);
    await until("it is disconnected", () => socket.disconnected, 1_000);
    await say(customer, id, "alone");
    expect(eventsOf(seen, id)).toEqual([]);
  });

  it("has a limit for each socket", async () => {
    const socket = await node.connect(await node.user("supervisor"));
    const ids = await Promise.all(Array.from({ length: 51 }, () => session()));
    const outcomes: string[] = [];
    for (const sessionId of ids) outcomes.push(await outcome(socket, "session.watch", { sessionId, on: true }));
    expect(new Set(outcomes.slice(0, 50))).toEqual(new Set(["ok"]));
    expect(outcomes[50]).toBe("LIMIT_REACHED");
  });
});
