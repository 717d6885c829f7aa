import { io, type Socket } from "socket.io-client";
import type { WireEvent } from "../../services/schemas";
import type { TestUser } from "../support/api";
import { TestCluster } from "../support/cluster";
import type { ClusterNode } from "../support/cluster-node";
import { LAST_WORDS } from "../support/crashing-core";
import { until } from "../support/wait";

/** The time within which everybody has seen what a node wrote last. */
const SEEN_MS = 3_000;
const CORES = ["core-1", "core-2", "core-3"];

/** A stock client that does nothing by itself: what it has, it was sent. */
interface Member {
  readonly user: TestUser;
  readonly socket: Socket;
  readonly events: WireEvent[];
}

type Reply = { ok: true; data: never } | { ok: false; error: unknown };

describe("fan-out over io nodes", () => {
  let cluster: TestCluster;
  const sockets: Socket[] = [];

  beforeAll(async () => {
    const crashing = { entry: "test/support/crashing-core.ts" };
    const nodes = Object.fromEntries(CORES.map((id) => [id, crashing]));
    cluster = await TestCluster.start({ io: 2, core: 3, nodes });
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.disconnect();
    await Promise.all(cluster.nodes.filter(({ running }) => !running).map((node) => node.start()));
  });
  afterAll(() => cluster.stop());

  async function connect(user: TestUser, ioNode: string): Promise<Member> {
    const { url } = cluster.node(ioNode);
    const auth = { token: user.token };
    const socket = io(url, { transports: ["websocket"], forceNew: true, reconnection: false, auth });
    sockets.push(socket);
    const events: WireEvent[] = [];
    socket.on("events", (frame: WireEvent[]) => events.push(...frame));
    await until(`${user.id} is connected`, () => socket.connected);
    return { user, socket, events };
  }

  async function ask<T>({ socket }: Member, event: string, data: object): Promise<T> {
    const reply = (await socket.timeout(10_000).emitWithAck(event, data)) as Reply;
    if (!reply.ok) throw new Error(JSON.stringify(reply.error));
    return reply.data;
  }

  /** A group of users, the first two connected to the first io node and the others to the second. */
  async function group(count: number): Promise<{ members: Member[]; conversationId: string }> {
    const users = await cluster.users(count);
    const members = await Promise.all(users.map((user, n) => connect(user, n < 2 ? "io-1" : "io-2")));
    const others = users.slice(1).map(({ id }) => id);
    const command = { commandId: crypto.randomUUID(), kind: "group", members: others };
    const { id } = await ask<{ id: string }>(members[0] as Member, "conversation.create", command);
    await until("all are told", () => members.every(({ events }) => events.length === 1));
    return { members, conversationId: id };
  }

  const send = (member: Member, conversationId: string, text: string): Promise<{ seq: number }> =>
    ask(member, "message.send", { conversationId, commandId: crypto.randomUUID(), text });

  /** Sends what kills the home before it tells anybody, and answers that node when it is dead. */
  async function speakLast(member: Member, conversationId: string): Promise<ClusterNode> {
    send(member, conversationId, LAST_WORDS).catch(() => undefined);
    return until("a core node dies", () => cluster.of("core").find(({ running }) => !running));
  }

  const seqs = ({ events }: Member): number[] => events.map(({ seq }) => seq);
  const metric = async (id: string, name: string): Promise<number> => {
    const text = await (await fetch(`${cluster.node(id).url}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
  };

  it("shows everybody the last event of a core node that nobody ever asks again, within three seconds", async () => {
    const { members, conversationId } = await group(6);
    const [talking] = members as [Member];
    const there = members.slice(2);
    await send(talking, conversationId, "hello");
    await speakLast(talking, conversationId);
    const died = Date.now();
    // Who sent it, and the node that would have repeated the call, are gone too.
    await cluster.node("io-1").kill();
    await until("all have seen it", () => there.every((member) => seqs(member).includes(3)));
    expect(Date.now() - died).toBeLessThan(SEEN_MS);
    for (const member of there) {
      expect(seqs(member)).toEqual([1, 2, 3]);
      expect(member.events[2]?.data).toMatchObject({ text: LAST_WORDS });
    }
  });

  it("shows it also when the node is back under its name at once", async () => {
    const { members, conversationId } = await group(4);
    const home = await speakLast(members[0] as Member, conversationId);
    const died = Date.now();
    const back = home.start();
    await cluster.node("io-1").kill();
    const there = members.slice(2);
    await until("all have seen it", () => there.every((member) => seqs(member).includes(2)));
    expect(Date.now() - died).toBeLessThan(SEEN_MS);
    await back;
    // The new life is heard as well.
    await until("it goes on", () => send(there[0] as Member, conversationId, "again").catch(() => undefined));
    await until("all have that too", () => there.every((member) => seqs(member).includes(3)));
    for (const member of there) expect(seqs(member)).toEqual([1, 2, 3]);
  });

  it("answers the sender whose home died, and stores the message once", async () => {
    const { members, conversationId } = await group(4);
    const [talking] = members as [Member];
    const command = { conversationId, commandId: crypto.randomUUID(), text: LAST_WORDS };
    expect(await ask(talking, "message.send", command)).toMatchObject({ seq: 2 });
    await until("all have seen it", () => members.every((member) => seqs(member).includes(2)));
    await send(talking, conversationId, "next");
    await until("all have that too", () => members.every((member) => seqs(member).includes(3)));
    for (const member of members) expect(seqs(member)).toEqual([1, 2, 3]);
  });

  it("keeps rooms only where somebody is, and lets whoever comes late catch up at any io node", async () => {
    const rooms = await Promise.all(["io-1", "io-2"].map((id) => metric(id, "parley_rooms")));
    const { members, conversationId } = await group(2);
    const [talking, moving] = members as [Member, Member];
    for (let n = 0; n < 5; n++) await send(talking, conversationId, `text ${n}`);
    const [here = 0, there = 0] = rooms;
    expect([await metric("io-1", "parley_rooms"), await metric("io-2", "parley_rooms")]).toEqual([here + 1, there]);
    moving.socket.disconnect();
    for (let n = 5; n < 10; n++) await send(talking, conversationId, `text ${n}`);
    const moved = await connect(moving.user, "io-2");
    const cursors = { [conversationId]: 6 };
    const answer = await ask<{ events: WireEvent[]; more: boolean }>(moved, "conversation.sync", { cursors });
    expect(answer.events.map(({ seq }) => seq)).toEqual([7, 8, 9, 10, 11]);
    expect(answer.more).toBe(false);
    await send(talking, conversationId, "live");
    await until("it is live", () => seqs(moved).includes(12));
    expect(await metric("io-2", "parley_rooms")).toBe(there + 1);
  });
});
