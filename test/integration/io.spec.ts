import type { WireEvent } from "../../services/schemas";
import { ask, get, heard, outcome, type SocketNode, startSocketNode } from "../support/socket-node";
import { until } from "../support/wait";

const id = (): string => crypto.randomUUID();

describe("sockets", () => {
  let node: SocketNode;
  beforeAll(async () => {
    node = await startSocketNode();
  });
  afterAll(() => node.stop());

  const direct = async () => {
    const [anna, ben] = await Promise.all([node.user(), node.user()]);
    const [a, b] = await Promise.all([node.connect(anna), node.connect(ben)]);
    const { id: conversationId } = await get<{ id: string }>(a, "conversation.create", {
      commandId: id(),
      kind: "direct",
      members: [ben.id],
    });
    return { anna, ben, a, b, conversationId };
  };
  const eventsOf = (frames: WireEvent[][]): WireEvent[] => frames.flat();

  it("answers with data, and brings the message to every member including the sender", async () => {
    const { a, b, conversationId } = await direct();
    const frames = [heard<WireEvent[]>(a, "events"), heard<WireEvent[]>(b, "events")];
    const commandId = id();
    const reply = await ask(a, "message.send", { conversationId, commandId, text: "Hello" });
    expect(reply).toMatchObject({ ok: true, data: { seq: 2 } });
    for (const frame of frames) {
      const event = await until("the event", () => eventsOf(frame).find((one) => one.commandId === commandId));
      expect(event).toMatchObject({ seq: 2, prevSeq: 1, type: "message.created", data: { text: "Hello" } });
    }
  });

  it("makes members of a new conversation live without asking", async () => {
    const [anna, ben] = await Promise.all([node.user(), node.user()]);
    const [a, b] = await Promise.all([node.connect(anna), node.connect(ben)]);
    const frames = heard<WireEvent[]>(b, "events");
    await get(a, "conversation.create", { commandId: id(), kind: "group", title: "Team", members: [ben.id] });
    const event = await until("the event", () => eventsOf(frames)[0]);
    expect(event).toMatchObject({ type: "conversation.created", seq: 1, prevSeq: 0 });
  });

  it("lets a client that was away catch up and go on without a gap", async () => {
    const { a, ben, conversationId } = await direct();
    for (let n = 0; n < 20; n++) await get(a, "message.send", { conversationId, commandId: id(), text: `${n}` });
    const back = await node.connect(ben);
    const frames = heard<WireEvent[]>(back, "events");
    const sending = Promise.all(
      Array.from({ length: 20 }, (_, n) => get(a, "message.send", { conversationId, commandId: id(), text: `${n}` })),
    );
    const synced = await get<{ events: WireEvent[]; more: boolean }>(back, "conversation.sync", {
      cursors: { [conversationId]: 1 },
    });
    await sending;
    await until("all events", () => [...synced.events, ...eventsOf(frames)].some((event) => event.seq === 41));
    const seqs = [...new Set([...synced.events, ...eventsOf(frames)].map((event) => event.seq))].sort((x, y) => x - y);
    expect(seqs).toEqual(Array.from({ length: 40 }, (_, n) => n + 2));
  });

  it("tells typing to the others only, and takes it back when the typist goes", async () => {
    const { anna, a, b, conversationId } = await direct();
    const [own, others] = [heard(a, "typing"), heard(b, "typing")];
    expect(await ask(a, "typing", { conversationId, on: true })).toEqual({ ok: true, data: null });
    await until("typing is told", () => others.length === 1);
    expect(others[0]).toEqual({ conversationId, userId: anna.id, on: true });
    a.disconnect();
    await until("typing is taken back", () => others.length === 2);
    expect(others[1]).toEqual({ conversationId, userId: anna.id, on: false });
    expect(own).toEqual([]);
  });

  it("tells receipts to the members", async () => {
    const { ben, a, b, conversationId } = await direct();
    const receipts = heard(a, "receipts");
    expect(await get(b, "receipt.read", { conversationId, seq: 1 })).toEqual({ seq: 1 });
    await until("a receipt", () => receipts.length > 0);
    expect(receipts[0]).toEqual({ conversationId, receipts: [{ userId: ben.id, readSeq: 1, deliveredSeq: 1 }] });
  });

  it("shows the last disconnect as offline within two seconds", async () => {
    const { ben, a, b } = await direct();
    const statuses = heard<{ userId: string; status: string; lastSeenAt?: string }>(a, "presence");
    await until("online", async () => {
      const shown = await get<Record<string, { status: string }>>(a, "presence.get", { userIds: [ben.id] });
      return shown[ben.id]?.status === "online";
    });
    const left = Date.now();
    b.disconnect();
    const offline = await until("offline", () => statuses.find((one) => one.status === "offline"));
    expect(Date.now() - left).toBeLessThan(2_000);
    expect(offline.userId).toBe(ben.id);
    expect(Date.parse(offline.lastSeenAt ?? "")).toBeGreaterThanOrEqual(left - 100);
  });

  it("does not show a status to strangers", async () => {
    const { ben } = await direct();
    const stranger = await node.connect(await node.user());
    expect(await get(stranger, "presence.get", { userIds: [ben.id] })).toEqual({});
  });

  it("keeps the queue of an agent up to date, in order and numbered", async () => {
    const agent = await node.connect(await node.user("agent"));
    const changes = heard<{ seq: number; prevSeq: number; added: Array<{ id: string }>; removed: string[] }>(
      agent,
      "queue",
    );
    const before = await get<{ seq: number }>(agent, "session.queue", { subscribe: true });
    const customer = await node.connect(await node.guest());
    const session = await get<{ id: string }>(customer, "session.open", { commandId: id() });
    await until("added", () => changes.length === 1);
    expect(changes[0]).toMatchObject({ prevSeq: before.seq, added: [{ id: session.id, status: "unassigned" }] });
    const late = await node.connect(await node.user("agent"));
    const list = await get<{ sessions: Array<{ id: string }> }>(late, "session.queue", { subscribe: true });
    expect(list.sessions.map((one) => one.id)).toContain(session.id);
    await get(late, "session.claim", { sessionId: session.id, commandId: id() });
    await until("removed", () => changes.length === 2);
    expect(changes[1]).toMatchObject({ prevSeq: changes[0]?.seq, removed: [session.id] });
  });

  it("counts a missing payload as an empty one and ignores further arguments", async () => {
    const socket = await node.connect(await node.user());
    expect(await outcome(socket, "conversation.list")).toBe("ok");
    expect(await outcome(socket, "conversation.list", { limit: 1 }, "more", 5)).toBe("ok");
  });

  it("sends an error event when there is no acknowledgement", async () => {
    const socket = await node.connect(await node.user());
    const errors = heard(socket, "error");
    socket.emit("message.send", {});
    await until("an error", () => errors.length > 0);
    expect(errors[0]).toMatchObject({ type: "VALIDATION", retryable: false });
  });

  it.each([
    ["long polling", ["polling"], "polling"],
    ["long polling that is upgraded", ["polling", "websocket"], "websocket"],
  ])("serves clients over %s, in order and without a hole", async (_name, transports, final) => {
    const [anna, ben] = await Promise.all([node.user(), node.user()]);
    const a = await node.connect(anna);
    const b = await node.connect(ben, { transports });
    const frames = heard<WireEvent[]>(b, "events");
    const { id: conversationId } = await get<{ id: string }>(a, "conversation.create", {
      commandId: id(),
      kind: "direct",
      members: [ben.id],
    });
    for (let n = 0; n < 100; n++) {
      await get(n % 2 === 0 ? a : b, "message.send", { conversationId, commandId: id(), text: "x".repeat(n * 50 + 1) });
    }
    await until("all events", () => eventsOf(frames).length === 101);
    expect(eventsOf(frames).map(({ seq }) => seq)).toEqual(Array.from({ length: 101 }, (_, n) => n + 1));
    await until("the final transport", () => b.io.engine.transport.name === final);
  });
});
