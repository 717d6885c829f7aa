import type { Socket } from "socket.io-client";
import { ConversationStore, memberId } from "../../actors/conversation/conversation.store";
import { type MarkDocument, MARKS } from "../../lib/actor/mark";
import { routingOf } from "../../lib/routing";
import { call } from "../../services/call";
import type { WireEvent } from "../../services/schemas";
import { LocalCluster } from "../support/local-cluster";
import { get, heard, type Login } from "../support/socket-node";
import { SeededRandom } from "../support/virtual-clock";
import { until } from "../support/wait";

/** The time within which everybody has seen what a node wrote last. */
const SEEN_MS = 3_000;
const MESSAGES = 30;

interface Member {
  readonly login: Login;
  readonly socket: Socket;
  readonly frames: WireEvent[][];
}

let cluster: LocalCluster;
beforeEach(() => {
  cluster.network.faults = { drop: 0, double: 0, delayMs: 0 };
  cluster.network.onEvent = () => true;
});

const uuid = (): string => crypto.randomUUID();
const seqs = ({ frames }: Member, conversationId: string): number[] =>
  frames.flat().flatMap((event) => (event.conversationId === conversationId ? [event.seq] : []));
const upTo = (seq: number, from = 1): number[] => Array.from({ length: seq - from + 1 }, (_, at) => from + at);

/** Users of one group, connected to the io nodes in turn. */
async function group(count: number, ios = 2): Promise<{ members: Member[]; conversationId: string }> {
  const logins: Login[] = [];
  for (let n = 0; n < count; n++) logins.push(await cluster.user());
  const members = await Promise.all(
    logins.map(async (login, n) => {
      const socket = await cluster.connect(login, `io-${(n % ios) + 1}`);
      return { login, socket, frames: heard<WireEvent[]>(socket, "events") };
    }),
  );
  const others = logins.slice(1).map(({ id }) => id);
  const command = { commandId: uuid(), kind: "group", members: others };
  const { id } = await get<{ id: string }>((members[0] as Member).socket, "conversation.create", command);
  await until("all are told", () => members.every((member) => seqs(member, id).length === 1));
  return { members, conversationId: id };
}

const send = (socket: Socket, conversationId: string, text = "hello"): Promise<{ seq: number }> =>
  get(socket, "message.send", { conversationId, commandId: uuid(), text });

const homeOf = (conversationId: string): string => {
  const home = routingOf(cluster.node("io-1").broker).routerOf("message.send").home(conversationId);
  if (home === undefined) throw new Error("nobody is at home");
  return home;
};

const nodesKnownTo = (id: string): string[] =>
  cluster
    .node(id)
    .broker.registry.getNodeList({ onlyAvailable: true })
    .map((node: { id: string }) => node.id);

describe("io nodes", () => {
  beforeAll(async () => {
    cluster = await LocalCluster.start({ io: 2, core: 3 });
  });
  afterAll(() => cluster.stop());

  it.each([1, 2, 3])(
    "show everybody every event once and in order, though broadcasts are lost, doubled, late and out of order (seed %i)",
    async (seed) => {
      const groups = await Promise.all(upTo(4).map(() => group(4)));
      cluster.network.random = new SeededRandom("network", seed);
      cluster.network.faults = { drop: 0.3, double: 0.3, delayMs: 120 };
      const lost = cluster.network.lost.length;
      await Promise.all(
        groups.flatMap(({ members, conversationId }) =>
          members.map(async ({ socket }) => {
            for (let n = 0; n < MESSAGES; n++) await send(socket, conversationId);
          }),
        ),
      );
      expect(cluster.network.lost.length - lost).toBeGreaterThan(20);
      const all = upTo(1 + 4 * MESSAGES);
      for (const { members, conversationId } of groups) {
        await until("all have all", () => members.every((member) => seqs(member, conversationId).length >= all.length));
        for (const member of members) expect(seqs(member, conversationId)).toEqual(all);
      }
    },
  );

  it("keep the rooms of their own sockets only", async () => {
    const rooms = (id: string): Promise<number> => cluster.metric(id, "parley_rooms");
    const [here, there] = [await rooms("io-1"), await rooms("io-2")];
    const { conversationId, members } = await group(2, 1);
    await send((members[0] as Member).socket, conversationId);
    expect([await rooms("io-1"), await rooms("io-2")]).toEqual([here + 1, there]);
    for (const { socket } of members) socket.disconnect();
    await until("the room is closed", async () => (await rooms("io-1")) === here);
    expect(await rooms("io-2")).toBe(there);
  });

  it("answer a late sync with what was sent through another one, and go on live from there", async () => {
    const { conversationId, members } = await group(2, 1);
    const [talking, leaving] = members as [Member, Member];
    leaving.socket.disconnect();
    for (let n = 0; n < 5; n++) await send(talking.socket, conversationId);
    const socket = await cluster.connect(leaving.login, "io-2");
    const back: Member = { ...leaving, socket, frames: heard<WireEvent[]>(socket, "events") };
    const cursors = { [conversationId]: 1 };
    const answer = await get<{ events: WireEvent[]; more: boolean }>(socket, "conversation.sync", { cursors });
    expect(answer.events.map(({ seq }) => seq)).toEqual(upTo(6, 2));
    expect(answer.more).toBe(false);
    await send(talking.socket, conversationId);
    await until("it is live", () => seqs(back, conversationId).includes(7));
  });

  it("that were cut off for a while have everything in order when they are back", async () => {
    const { conversationId, members } = await group(4);
    cluster.network.cut("io-2");
    const [talking] = members as [Member];
    for (let n = 0; n < 20; n++) await send(talking.socket, conversationId);
    await until("the others think it is gone", () => !nodesKnownTo("core-1").includes("io-2"));
    for (let n = 0; n < 20; n++) await send(talking.socket, conversationId);
    const there = members.filter((_member, n) => n % 2 === 1);
    for (const member of there) expect(seqs(member, conversationId)).toEqual([1]);
    cluster.network.heal("io-2");
    await until("all have all", () => members.every((member) => seqs(member, conversationId).length >= 41));
    for (const member of members) expect(seqs(member, conversationId)).toEqual(upTo(41));
  });

  it("whose connection to the broker comes back have what nobody tells them of any more", async () => {
    const { conversationId, members } = await group(2, 1);
    const [login, newcomer] = [(members[0] as Member).login, (members[1] as Member).login];
    // What a core node wrote that began, was projected and ended while this node was cut off.
    const store = new ConversationStore(cluster.store);
    const born = uuid();
    const create = { kind: "group" as const, members: [login.id, newcomer.id] };
    const said = { incarnation: "unheard/1", flush: 1, by: login.id, at: Date.now(), request: "" };
    const base = { ...said, audience: "all" as const };
    await store.insert([
      {
        ...base,
        _id: uuid(),
        conversationId,
        seq: 2,
        prevSeq: { all: 1, staff: 1 },
        commandId: uuid(),
        type: "message.created",
        data: { text: "acknowledged" },
      },
      {
        ...base,
        _id: uuid(),
        conversationId: born,
        seq: 1,
        prevSeq: { all: 0, staff: 0 },
        commandId: uuid(),
        type: "conversation.created",
        data: create,
      },
    ]);
    await store.members.insertMany(
      create.members.map((userId) => ({
        _id: memberId(born, userId),
        conversationId: born,
        userId,
        standing: "all" as const,
        active: true,
        seq: 1,
        at: Date.now(),
      })),
    );
    void cluster.node("io-1").broker.broadcastLocal("$transporter.up");
    await until("all have the message", () => members.every((member) => seqs(member, conversationId).includes(2)));
    await until("all are told of the group", () => members.every((member) => seqs(member, born).includes(1)));
    for (const member of members) expect(seqs(member, conversationId)).toEqual([1, 2]);
  });

  it("that start later hear how far each core node is, and miss nothing from then on", async () => {
    const { conversationId, members } = await group(2, 1);
    const [talking, moving] = members as [Member, Member];
    for (let n = 0; n < 5; n++) await send(talking.socket, conversationId);
    await cluster.add("io", "io-3");
    const socket = await cluster.connect(moving.login, "io-3");
    const there: Member = { ...moving, socket, frames: heard<WireEvent[]>(socket, "events") };
    await get(socket, "conversation.sync", { cursors: { [conversationId]: 6 } });
    cluster.network.faults = { drop: 1, double: 0, delayMs: 0 };
    await send(talking.socket, conversationId);
    cluster.network.faults = { drop: 0, double: 0, delayMs: 0 };
    await until("it has what was lost", () => seqs(there, conversationId).includes(7));
    expect(seqs(there, conversationId)).toEqual([7]);
  });
});

describe("a core node that dies between the durable write and the broadcast", () => {
  beforeAll(async () => {
    cluster = await LocalCluster.start({ io: 2, core: 3 });
  });
  afterAll(() => cluster.stop());

  /** Writes a last event on a node that dies before anybody hears of it; nobody repeats the command. */
  async function lastWords(conversationId: string, { login }: Member): Promise<number> {
    const home = homeOf(conversationId);
    const { network } = cluster;
    const dead = new Promise<void>((resolve) => {
      network.onEvent = (from, name, data) => {
        const { events = [] } = data as { events?: Array<{ data: { text?: string } }> };
        if (name !== "log.flush" || !events.some((event) => event.data.text === "last words")) return true;
        cluster.kill(from);
        resolve();
        return false;
      };
    });
    const user = { id: login.id, roles: ["customer" as const], guest: false, family: "test" };
    const message = { conversationId, commandId: uuid(), text: "last words" };
    call(cluster.node(home).broker, "message.send", message, { meta: { user } }).catch(() => undefined);
    await dead;
    return Date.now();
  }

  it("has its last event seen by everybody within three seconds", async () => {
    const { members, conversationId } = await group(4);
    await send((members[0] as Member).socket, conversationId);
    const died = await lastWords(conversationId, members[0] as Member);
    await until("all have seen it", () => members.every((member) => seqs(member, conversationId).includes(3)));
    expect(Date.now() - died).toBeLessThan(SEEN_MS);
    for (const member of members) expect(seqs(member, conversationId)).toEqual([1, 2, 3]);
    // The conversation goes on at another home, with nothing missing.
    expect(await send((members[1] as Member).socket, conversationId)).toMatchObject({ seq: 4 });
    await until("all have it", () => members.every((member) => seqs(member, conversationId).includes(4)));
    for (const member of members) expect(seqs(member, conversationId)).toEqual([1, 2, 3, 4]);
  });

  it("has it seen also when it came so late that it was never heard of before", async () => {
    await cluster.settled();
    const { members, conversationId } = await group(2);
    cluster.network.onEvent = (from) => from !== "core-4";
    await cluster.add("core", "core-4");
    let other = conversationId;
    for (let n = 0; homeOf(other) !== "core-4"; n++) {
      const command = { commandId: `${n}`, kind: "group", members: [(members[1] as Member).login.id] };
      const made = await get<{ id: string }>((members[0] as Member).socket, "conversation.create", command);
      other = made.id;
    }
    const died = await lastWords(other, members[0] as Member);
    await until("all have seen it", () => members.every((member) => seqs(member, other).includes(2)));
    expect(Date.now() - died).toBeLessThan(SEEN_MS);
  });

  it("has what it wrote seen within three seconds even by io nodes that never hear of it", async () => {
    await cluster.settled();
    const { members, conversationId } = await group(4);
    const store = new ConversationStore(cluster.store);
    const [created] = await store.readAfter(conversationId, 0, 1);
    if (!created) throw new Error("nobody has made it");
    // In a registry of its own, on the other side of a split: all that is left of it is in the store.
    const [mark] = await cluster.store.collection<MarkDocument>(MARKS).find({ _id: created.incarnation });
    if (!mark) throw new Error("there is no mark");
    await cluster.store.collection<MarkDocument>(MARKS).insertMany([{ ...mark, _id: "unheard", flush: 0 }]);
    const written = { type: "message.created", data: { text: "hello" }, incarnation: "unheard", flush: 1 } as const;
    const id = { _id: uuid(), commandId: uuid(), seq: 2, prevSeq: { all: 1, staff: 1 } };
    await store.insert([{ ...created, ...written, ...id }]);
    const at = Date.now();
    await until("all have seen it", () => members.every((member) => seqs(member, conversationId).includes(2)));
    expect(Date.now() - at).toBeLessThan(SEEN_MS);
  });
});
