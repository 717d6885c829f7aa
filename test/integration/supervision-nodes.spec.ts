import type { Socket } from "socket.io-client";
import { type AuditDocument, AUDIT } from "../../services/audit/audit.store";
import type { WireEvent } from "../../services/schemas";
import { LocalCluster } from "../support/local-cluster";
import { get, heard, type Login } from "../support/socket-node";
import { until } from "../support/wait";

const command = () => ({ commandId: crypto.randomUUID() });

describe("supervision over several nodes", () => {
  let cluster: LocalCluster;
  let sue: Login;
  let customer: Socket;
  let agent: Socket;
  let supervisor: Socket;

  beforeAll(async () => {
    cluster = await LocalCluster.start({ io: 2, core: 2 });
    sue = await cluster.user("supervisor");
    customer = await cluster.connect(await cluster.user(), "io-1");
    agent = await cluster.connect(await cluster.user("agent"), "io-1");
    supervisor = await cluster.connect(sue, "io-2");
  }, 60_000);

  afterAll(() => cluster.stop(), 30_000);

  const session = async (topic = crypto.randomUUID()): Promise<string> => {
    const { id } = await get<{ id: string }>(customer, "session.open", { ...command(), topic });
    await get(agent, "session.claim", { ...command(), sessionId: id });
    return id;
  };
  const say = (socket: Socket, conversationId: string, text: string, more: object = {}) =>
    get<{ seq: number }>(socket, "message.send", { ...command(), conversationId, text, ...more });

  it("sessions of every home are watched, written down, from an io node where nobody is in them", async () => {
    const events = heard<WireEvent[]>(supervisor, "events");
    const seen = (id: string) => events.flat().filter(({ conversationId }) => conversationId === id);
    const ids = await Promise.all(Array.from({ length: 6 }, () => session()));
    for (const sessionId of ids) await get(supervisor, "session.watch", { sessionId, on: true });
    for (const id of ids) await say(agent, id, "a note", { audience: "staff" });
    await until("all are seen", () => ids.every((id) => seen(id).length === 1));
    const written = await cluster.store.collection<AuditDocument>(AUDIT).find({ by: sue.id });
    expect(written.map(({ target }) => target).sort()).toEqual([...ids].sort());
  });

  it("who loses the role gets nothing more within a second, wherever that was decided", async () => {
    const eve = await cluster.user("supervisor");
    const socket = await cluster.connect(eve, "io-2");
    const [events, ended] = [heard<WireEvent[]>(socket, "events"), heard<object>(socket, "watch")];
    const id = await session();
    await get(socket, "session.watch", { sessionId: id, on: true });
    await say(agent, id, "seen", { audience: "staff" });
    await until("it is seen", () => events.length === 1);
    await cluster.setRoles("core-1", eve.id, "agent");
    await until("it is told", () => ended.length === 1, 1_000);
    const others = heard<WireEvent[]>(agent, "events");
    await say(agent, id, "unseen", { audience: "staff" });
    await until("the agent has it", () => others.length > 0);
    await get(socket, "conversation.list", {});
    expect(events).toHaveLength(1);
  });

  it("a receipt at a note names the message before it, wherever the customer is connected", async () => {
    const id = await session();
    const receipts = heard<{ conversationId: string; receipts: Array<{ readSeq: number }> }>(customer, "receipts");
    const { seq: message } = await say(agent, id, "hello");
    const { seq: note } = await say(agent, id, "a note", { audience: "staff" });
    await get(agent, "receipt.read", { conversationId: id, seq: note });
    await until("it is told", () => receipts.some(({ conversationId }) => conversationId === id));
    expect(receipts.find(({ conversationId }) => conversationId === id)?.receipts[0]?.readSeq).toBe(message);
  });

  it("the counters have what was opened on any node before and after", async () => {
    const topic = crypto.randomUUID();
    await session(topic);
    const frames = heard<{ topics: Array<{ topic: string; assigned: number }> }>(supervisor, "counters");
    const begun = await get<(typeof frames)[number]>(supervisor, "desk.counters", { subscribe: true });
    expect(begun.topics).toContainEqual(expect.objectContaining({ topic, waiting: 0, assigned: 1 }));
    const later = crypto.randomUUID();
    await session(later);
    const counted = () => frames.flatMap(({ topics }) => topics).findLast((counts) => counts.topic === later);
    await until("the later one is counted", () => counted()?.assigned === 1);
  });
});
