import { setTimeout as pause } from "node:timers/promises";
import { io, type Socket } from "socket.io-client";
import type { TestUser } from "../support/api";
import { TestCluster } from "../support/cluster";
import type { ClusterNode } from "../support/cluster-node";
import { readLog } from "../support/history";
import { until } from "../support/wait";

const SENDERS = 20;
/** A dead node is known by a ping without an answer; nobody waits until it has left the registry. */
const SLOWEST_MS = 8_000;
/** Longer than the registry waits for a heartbeat. */
const SLEEP_MS = 8_000;

interface Ack {
  readonly ok: boolean;
  readonly data: { readonly seq: number };
  readonly error?: { readonly type: string; readonly retryable: boolean };
}

interface Chat {
  readonly user: TestUser;
  readonly socket: Socket;
  readonly id: string;
}

let cluster: TestCluster;
const chats: Chat[] = [];
const uuid = (): string => crypto.randomUUID();

async function openChat(user: TestUser, other: TestUser): Promise<Chat> {
  const socket = io(cluster.url, { transports: ["websocket"], forceNew: true, auth: { token: user.token } });
  await until("it is connected", () => socket.connected);
  const params = { commandId: uuid(), kind: "group", members: [other.id] };
  const { data } = (await socket.emitWithAck("conversation.create", params)) as { data: { id: string } };
  return { user, socket, id: data.id };
}

beforeAll(async () => {
  cluster = await TestCluster.start({ gateway: 1, io: 2, core: 3 });
  const users = await cluster.users(SENDERS + 1);
  const other = users.pop() as TestUser;
  chats.push(...(await Promise.all(users.map((user) => openChat(user, other)))));
});
afterAll(async () => {
  for (const { socket } of chats) socket.disconnect();
  await cluster.stop();
});

/** Each client sends one message after the other, and repeats what may be repeated. */
class Load {
  readonly failures: string[] = [];
  readonly tookMs: number[] = [];
  readonly acknowledged = chats.map((): Array<{ commandId: string; seq: number }> => []);
  private running = true;
  private readonly senders = chats.map((chat, at) => this.sendAll(chat, this.acknowledged[at] ?? []));

  async stop(): Promise<void> {
    this.running = false;
    await Promise.all(this.senders);
  }

  async more(count: number): Promise<void> {
    const wanted = this.tookMs.length + count;
    await until(`${count} more are answered`, () => this.tookMs.length >= wanted, 60_000);
  }

  /** Nothing failed; everything acknowledged is in the log at its seq, once, in the order of sending. */
  async judge(): Promise<void> {
    expect(this.failures).toEqual([]);
    for (const [at, { id, user }] of chats.entries()) {
      const acknowledged = this.acknowledged[at] ?? [];
      const log = await readLog(cluster, id, user);
      expect(log.map(({ seq }) => seq)).toEqual(log.map((_event, index) => index + 1));
      const sent = new Set(acknowledged.map(({ commandId }) => commandId));
      const found = log.filter(({ commandId }) => sent.has(commandId));
      expect(found.map(({ commandId, seq }) => ({ commandId, seq }))).toEqual(acknowledged);
    }
  }

  private async sendAll({ socket, id }: Chat, acknowledged: Array<{ commandId: string; seq: number }>): Promise<void> {
    while (this.running) {
      const commandId = uuid();
      const startedAt = performance.now();
      const answer = await this.send(socket, { conversationId: id, commandId, text: "hello" });
      this.tookMs.push(performance.now() - startedAt);
      if (answer.ok) acknowledged.push({ commandId, seq: answer.data.seq });
      else this.failures.push(`${answer.error?.type ?? "?"} after ${Math.round(this.tookMs.at(-1) ?? 0)} ms`);
    }
  }

  /** A store that is slow on a busy machine is told to clients, too. */
  private async send(socket: Socket, params: object): Promise<Ack> {
    for (;;) {
      const answer = (await socket.emitWithAck("message.send", params)) as Ack;
      if (answer.ok || !answer.error?.retryable) return answer;
    }
  }
}

describe("core nodes under load", () => {
  it("stop and start one after the other: nothing is lost, nothing fails, nobody waits long", async () => {
    const load = new Load();
    await load.more(100);
    for (const core of cluster.of("core")) {
      await core.kill("SIGTERM");
      await load.more(100);
      await core.start();
      await load.more(100);
    }
    await load.stop();
    await load.judge();
    expect(Math.max(...load.tookMs)).toBeLessThan(SLOWEST_MS);
  });

  it("are killed: nothing is lost, nothing fails, nobody waits long", async () => {
    const load = new Load();
    await load.more(100);
    for (const core of cluster.of("core").slice(0, 2)) {
      await core.kill("SIGKILL");
      await load.more(500);
      await core.start();
      await load.more(100);
    }
    await load.stop();
    await load.judge();
    expect(Math.max(...load.tookMs)).toBeLessThan(SLOWEST_MS);
  });

  it("stand still and wake up: two homes write one log, and the one that slept shows nothing old", async () => {
    const load = new Load();
    await load.more(100);
    const sleeper = cluster.node("core-2");
    sleeper.suspend();
    await load.more(500);
    // It is gone from every registry by then: when it wakes, it thinks that it is at home.
    await pause(SLEEP_MS);
    sleeper.resume();
    await load.more(500);
    await load.stop();
    await load.judge();
    expect(await fenceHits(sleeper)).toBeGreaterThan(0);
    const newest = await Promise.all(chats.map(readNewest));
    expect(newest).toEqual(load.acknowledged.map((acknowledged) => acknowledged.at(-1)?.seq));
  });
});

async function fenceHits({ url }: ClusterNode): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^parley_fence_hits_total (\d+)$/m.exec(metrics)?.[1]);
}

/** A store that is slow on a busy machine is told to clients, too: they ask again. */
async function readNewest({ id, user }: Chat): Promise<number | undefined> {
  const answer = await until("the history is read", async () => {
    const read = await cluster.rest("GET", `/conversations/${id}/messages?limit=1`, user.token);
    return read.status !== 503 && read;
  });
  return answer.expect<{ messages: Array<{ seq: number }> }>(200).messages[0]?.seq;
}
