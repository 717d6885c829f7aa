import { setImmediate } from "node:timers/promises";
import type { ServiceBroker } from "moleculer";
import { type MarkDocument, MARKS } from "../../lib/actor/mark";
import { rendezvous } from "../../lib/actor/rendezvous";
import { isParleyError } from "../../lib/errors";
import { routingOf } from "../../lib/routing";
import { call } from "../../services/call";
import { conversationsOf } from "../../services/conversations";
import { callRoom } from "../../services/room/room.internal";
import { LocalCluster } from "../support/local-cluster";
import { until } from "../support/wait";

const SENDERS = 40;
/** What a caller waits at most; nobody may come near it. */
const PATIENCE_MS = 10_000;

const uuid = (): string => crypto.randomUUID();
const meta = (id: string) => ({ meta: { user: { id, roles: ["customer" as const], guest: false, family: "test" } } });

let cluster: LocalCluster;
const io = (): ServiceBroker => cluster.node("io-1").broker;
const brokerOf = (id: string): ServiceBroker => cluster.node(id).broker;
const homeOf = (id: string) => routingOf(io()).routerOf("message.send").home(id);
const activeOn = (node: string, id: string) => conversationsOf(brokerOf(node)).host.isActive(id);

afterEach(() => cluster.stop());

interface Chat {
  readonly id: string;
  readonly user: string;
}

async function makeChats(count: number): Promise<Chat[]> {
  const other = (await cluster.user()).id;
  const user = (await cluster.user()).id;
  const make = async (): Promise<Chat> => {
    const params = { commandId: uuid(), kind: "group" as const, members: [other] };
    return { id: (await call(io(), "room.create", params, meta(user))).id, user };
  };
  return Promise.all(Array.from({ length: count }, make));
}

const send = ({ id, user }: Chat, commandId = uuid()) =>
  call(io(), "message.send", { conversationId: id, commandId, text: "hello" }, meta(user));

/** Everybody sends one message after the other, each waiting for its answer, until told to stop. */
class Load {
  readonly acknowledged = new Map<string, { readonly id: string; readonly seq: number }>();
  readonly failures: string[] = [];
  slowestMs = 0;
  private running = true;
  private readonly senders: Array<Promise<void>>;

  constructor(private readonly chats: readonly Chat[]) {
    this.senders = chats.map((chat) => this.sendAll(chat));
  }

  async stop(): Promise<void> {
    this.running = false;
    await Promise.all(this.senders);
  }

  /** Resolves when so many more are acknowledged. */
  async more(count: number): Promise<void> {
    const wanted = this.acknowledged.size + count;
    await until(`${count} more are acknowledged`, () => this.acknowledged.size >= wanted, 20_000);
  }

  /** Everything acknowledged is in the log, once and at its seq, and nothing else is; no gaps. */
  async judge(): Promise<void> {
    expect(this.failures).toEqual([]);
    for (const chat of this.chats) {
      const { pages } = await callRoom(io(), "room.events", {
        reads: [{ conversationId: chat.id, after: 1, limit: 10_000 }],
      });
      const events = pages.flatMap((page) => page.events);
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_event, at) => at + 2));
      const acknowledged = [...this.acknowledged].filter(([, { id }]) => id === chat.id);
      expect(events.map(({ commandId, seq }) => [commandId, seq])).toEqual(
        acknowledged.map(([commandId, { seq }]) => [commandId, seq]),
      );
    }
  }

  private async sendAll(chat: Chat): Promise<void> {
    while (this.running) {
      const commandId = uuid();
      const startedAt = performance.now();
      try {
        const { seq } = await send(chat, commandId);
        this.acknowledged.set(commandId, { id: chat.id, seq });
      } catch (error) {
        this.failures.push(isParleyError(error) ? error.type : String(error));
        return;
      }
      this.slowestMs = Math.max(this.slowestMs, performance.now() - startedAt);
      // Store and network are in memory: without this no timer would ever run.
      await setImmediate();
    }
  }
}

describe("homes under load", () => {
  it("move from a core node that stops: nothing is lost, nothing fails, nobody waits long", async () => {
    cluster = await LocalCluster.start({ io: 1, core: 3 });
    const load = new Load(await makeChats(SENDERS));
    await load.more(500);
    for (const leaving of ["core-2", "core-1"]) {
      await cluster.node(leaving).stop();
      await load.more(500);
      await cluster.add("core", `${leaving}-next`);
      await load.more(500);
    }
    await load.stop();
    await load.judge();
    expect(load.slowestMs).toBeLessThan(3_000);
  }, 60_000);

  it("move from a core node that dies: whoever waits for it is served by another one", async () => {
    cluster = await LocalCluster.start({ io: 1, core: 3 });
    const load = new Load(await makeChats(SENDERS));
    await load.more(500);
    cluster.kill("core-2");
    await load.more(2_000);
    await load.stop();
    await load.judge();
    expect(load.slowestMs).toBeLessThan(5_000);
  }, 60_000);

  it("move from a core node that has lost its store, and back", async () => {
    cluster = await LocalCluster.start({ io: 1, core: 3 });
    const chats = await makeChats(SENDERS);
    const load = new Load(chats);
    await load.more(500);
    const theirs = chats.filter(({ id }) => homeOf(id) === "core-2");
    const store = cluster.storeOf("core-2");
    store.die();
    const isNobodysHome = () => theirs.every(({ id }) => homeOf(id) !== "core-2");
    await until("core-2 is nobody's home", isNobodysHome);
    await load.more(1_000);
    store.revive();
    await until("it is at home again", () => theirs.every(({ id }) => homeOf(id) === "core-2"));
    await load.more(500);
    await load.stop();
    await load.judge();
    expect(load.slowestMs).toBeLessThan(PATIENCE_MS);
  }, 60_000);
});

describe("a call while no node offers the action", () => {
  it("waits for one", async () => {
    cluster = await LocalCluster.start({ io: 1, core: 1 });
    const [chat] = (await makeChats(1)) as [Chat];
    await cluster.node("core-1").stop();
    const sent = send(chat);
    const read = call(io(), "room.list", {}, meta(chat.user));
    await cluster.add("core", "core-2");
    expect(await sent).toMatchObject({ seq: 2 });
    expect((await read).conversations).toMatchObject([{ id: chat.id }]);
  });

  it("waits no longer than to its deadline", async () => {
    cluster = await LocalCluster.start({ io: 1, core: 1 });
    const [chat] = (await makeChats(1)) as [Chat];
    await cluster.node("core-1").stop();
    const sent = call(
      io(),
      "message.send",
      { conversationId: chat.id, commandId: uuid(), text: "hello" },
      { ...meta(chat.user), timeout: 500 },
    );
    await expect(sent).rejects.toMatchObject({ type: "UNAVAILABLE" });
  });
});

describe("an activation", () => {
  it("leaves a node that is not its home any more", async () => {
    cluster = await LocalCluster.start({ io: 1, core: 1 });
    const chats = await makeChats(SENDERS);
    await cluster.add("core", "core-2");
    const moved = chats.filter(({ id }) => rendezvous(id, ["core-1", "core-2"]) === "core-2");
    expect(moved.length).toBeGreaterThan(0);
    await until("the first node has let go", () => moved.every(({ id }) => !activeOn("core-1", id)));
    const staying = chats.filter((chat) => !moved.includes(chat));
    expect(staying.every(({ id }) => activeOn("core-1", id))).toBe(true);
    for (const chat of chats) expect(await send(chat)).toMatchObject({ seq: 2 });
    expect(moved.every(({ id }) => activeOn("core-2", id))).toBe(true);
  }, 30_000);

  it("serves whoever calls it where it is not at home, and shows what its home wrote", async () => {
    cluster = await LocalCluster.start({ io: 1, core: 2 });
    const [chat] = (await makeChats(1)) as [Chat];
    const home = homeOf(chat.id) ?? "";
    const elsewhere = home === "core-1" ? "core-2" : "core-1";
    const there = { ...meta(chat.user), nodeID: elsewhere };
    const params = { conversationId: chat.id, commandId: uuid(), text: "hello" };
    expect(await call(io(), "message.send", params, there)).toMatchObject({ seq: 2 });
    expect(await send(chat)).toMatchObject({ seq: 3 });
    expect(await call(io(), "message.send", { ...params, commandId: uuid() }, there)).toMatchObject({ seq: 4 });
    for (let seq = 5; seq < 10; seq++) expect(await send(chat)).toMatchObject({ seq });
    const history = () => call(io(), "message.history", { conversationId: chat.id }, there);
    // It compares what it has with the log once a second.
    await until("it shows all", async () => (await history()).messages.at(-1)?.seq === 9, 3_000);
  });

  it("is moved to the node that an operator names", async () => {
    cluster = await LocalCluster.start({ io: 1, core: 3 });
    const [chat] = (await makeChats(1)) as [Chat];
    const from = homeOf(chat.id) ?? "";
    const to = ["core-1", "core-2", "core-3"].find((id) => id !== from) ?? "";
    expect(await callRoom(io(), "room.move", { conversationId: chat.id, to })).toEqual({ from, to });
    expect(activeOn(from, chat.id)).toBe(false);
    await until("it is at home there", () => homeOf(chat.id) === to);
    expect(await send(chat)).toMatchObject({ seq: 2 });
    expect(activeOn(to, chat.id)).toBe(true);
    await expect(callRoom(io(), "room.move", { conversationId: chat.id, to: "nowhere" })).rejects.toMatchObject({
      type: "NOT_FOUND",
    });
  });
});

describe("a core node", () => {
  it("says in its mark that it ended when it stops, and leaves it as it was when its store is dead, in the time to drain", async () => {
    cluster = await LocalCluster.start({ io: 1, core: 2 });
    await makeChats(20);
    const marks = () => cluster.store.collection<MarkDocument>(MARKS).find({ _id: { $gt: "" } });
    const ended = async () => (await marks()).filter((mark) => mark.ended).length;
    expect(await marks()).toHaveLength(2);
    await cluster.node("core-1").stop();
    expect(await ended()).toBe(1);
    cluster.storeOf("core-2").die();
    const startedAt = performance.now();
    await cluster.node("core-2").stop();
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    expect([(await marks()).length, await ended()]).toEqual([2, 1]);
  });
});
