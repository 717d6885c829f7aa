import { performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { io, type Socket } from "socket.io-client";
import type { ServerProcess } from "../support/servers/process";
import { type Servers, startServers } from "../support/servers/servers";
import type { TestUser } from "../support/api";
import { TestCluster } from "../support/cluster";
import { readLog } from "../support/history";
import { rest } from "../support/rest";
import { until } from "../support/wait";

/** Within this a client has an answer, whatever is down. */
const ANSWERED_MS = 2_000;
/** How far the test's own machine may be behind. */
const MARGIN_MS = 300;
/** Who has no answer by then gets none. */
const NEVER_MS = 5_000;
const BACK_MS = 5_000;
const DOWN_SECONDS = 8;
/** Longer than the time in which a core node must renew its mark. */
const LONG_SECONDS = 30;
const TALKERS = 4;

interface Reply {
  readonly ok: boolean;
  readonly data?: { readonly seq: number };
  readonly error?: { readonly type: string; readonly retryable: boolean };
}

interface Attempt {
  readonly begunAt: number;
  readonly ms: number;
  readonly outcome: string;
  readonly retryable: boolean;
}

/** Sends one message after the other, repeating each with the same id until it is acknowledged. */
class Talker {
  readonly attempts: Attempt[] = [];
  readonly acknowledged = new Map<string, number>();
  private stopped = false;
  private readonly talking: Promise<void>;

  constructor(
    private readonly socket: Socket,
    private readonly name: string,
    private readonly conversationId: string,
  ) {
    this.talking = this.talk();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.talking;
  }

  private async talk(): Promise<void> {
    for (let n = 0; !this.stopped; n++) {
      const commandId = `${this.name}-${n}`;
      while (!(await this.send(commandId))) await pause(50);
      await pause(20);
    }
  }

  private async send(commandId: string): Promise<boolean> {
    const begunAt = performance.now();
    const body = { conversationId: this.conversationId, commandId, text: commandId };
    const answer = this.socket.timeout(NEVER_MS).emitWithAck("message.send", body) as Promise<Reply>;
    const reply = await answer.catch((): Reply => ({ ok: false, error: { type: "none", retryable: false } }));
    const ms = performance.now() - begunAt;
    const { type = "ok", retryable = true } = reply.error ?? {};
    this.attempts.push({ begunAt, ms, outcome: type, retryable });
    if (reply.data) this.acknowledged.set(commandId, reply.data.seq);
    return reply.ok;
  }
}

describe("a cluster that loses one of its servers", () => {
  let servers: Servers;
  let cluster: TestCluster;
  let conversationId: string;
  let owner: TestUser;
  const sockets: Socket[] = [];
  const talkers: Talker[] = [];

  beforeAll(async () => {
    servers = await startServers();
    cluster = await TestCluster.start({ gateway: 1, io: 2, core: 2, scheduler: 1, servers: servers.env });
    const [first, ...others] = await cluster.users(TALKERS);
    if (!first) throw new Error("no users");
    owner = first;
    const body = { commandId: "group", kind: "group", members: others.map(({ id }) => id) };
    conversationId = (await cluster.rest("POST", "/conversations", owner.token, body)).expect<{ id: string }>(201).id;
    for (const [n, user] of [owner, ...others].entries()) {
      const { url } = cluster.node(`io-${1 + (n % 2)}`);
      const socket = io(url, { transports: ["websocket"], auth: { token: user.token }, reconnection: false });
      sockets.push(socket);
      await until("connected", () => socket.connected);
    }
  }, 90_000);
  afterAll(async () => {
    await Promise.all(talkers.map((talker) => talker.stop()));
    for (const socket of sockets) socket.disconnect();
    await cluster.stop();
    await servers.stop();
  });

  const talk = (name: string): void => {
    talkers.push(...sockets.map((socket, n) => new Talker(socket, `${name}-${n}`, conversationId)));
  };
  /** Attempts that were begun at or after a moment. */
  const since = (at: number): Attempt[] =>
    talkers.flatMap(({ attempts }) => attempts).filter(({ begunAt }) => begunAt >= at);
  const quiet = async (): Promise<Map<string, number>> => {
    const all = talkers.splice(0);
    await Promise.all(all.map((talker) => talker.stop()));
    return new Map(all.flatMap((talker) => [...talker.acknowledged]));
  };
  const readiness = async (): Promise<Array<{ id: string; status: number; parts: Record<string, string> }>> =>
    Promise.all(
      cluster.nodes.map(async ({ id, url }) => {
        const answer = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(ANSWERED_MS) });
        const { parts } = (await answer.json()) as { parts: Record<string, string> };
        return { id, status: answer.status, parts };
      }),
    );
  const partsAre = async (part: string, state: string, status: number): Promise<boolean> =>
    (await readiness()).every((node) => node.parts[part] === state && node.status === status);
  const isStored = async (acknowledged: ReadonlyMap<string, number>): Promise<void> => {
    const log = await readLog(cluster, conversationId, owner);
    const found = new Map<string, number[]>();
    for (const { seq, data } of log) {
      const { text } = data as { text?: string };
      if (text !== undefined) found.set(text, [...(found.get(text) ?? []), seq]);
    }
    const wrong = [...acknowledged].filter(([text, seq]) => found.get(text)?.join() !== String(seq));
    expect(wrong).toEqual([]);
    expect([...found.values()].filter((seqs) => seqs.length > 1)).toEqual([]);
    expect(log.map(({ seq }) => seq)).toEqual(log.map((_event, n) => n + 1));
  };
  /** A request to the gateway itself is answered in time, too. */
  const isRefused = async (): Promise<void> => {
    const begunAt = performance.now();
    const { status, error } = await rest(cluster.node("gateway-1").url, "GET", "/conversations", owner.token);
    expect([status, error.retryable]).toEqual([503, true]);
    expect(performance.now() - begunAt).toBeLessThan(ANSWERED_MS + MARGIN_MS);
  };
  const serverOf = (name: string): ServerProcess => {
    const server = { broker: servers.nats, kv: servers.redis, store: servers.mongo }[name];
    if (!server) throw new Error("this spec stops the store: it cannot run on a MongoDB that was there already");
    return server;
  };

  it("serves health of every process, and all are up", async () => {
    await until("all are ready", async () => (await readiness()).every(({ status }) => status === 200));
    expect((await readiness()).map(({ parts }) => parts)).toEqual(
      cluster.nodes.map(() => ({ node: "ready", broker: "up", store: "up", kv: "up" })),
    );
    for (const { url } of cluster.nodes) expect((await fetch(`${url}/health/live`)).status).toBe(200);
  });

  it.each([
    ["broker", "killed", DOWN_SECONDS],
    ["broker", "suspended", DOWN_SECONDS],
    ["store", "killed", LONG_SECONDS],
    ["store", "suspended", DOWN_SECONDS],
  ])(
    "answers everything while the %s is %s for %i s, and acknowledges only what is stored",
    async (part, fault, seconds) => {
      const server = serverOf(part);
      talk(`${part}-${fault}`);
      await until("all talk", () => talkers.every(({ acknowledged }) => acknowledged.size > 5));
      const downAt = performance.now();
      await (fault === "killed" ? server.kill("SIGKILL") : server.suspend());
      await until("every process says so", () => partsAre(part, "down", 503), 4_000);
      await isRefused();
      await pause(seconds * 1_000);
      await (fault === "killed" ? server.start() : server.resume());
      const backAt = performance.now();
      const recovered = (): boolean =>
        talkers.every(({ attempts }) => attempts.some(({ begunAt, outcome }) => begunAt > backAt && outcome === "ok"));
      await until("all talk again", recovered, BACK_MS);
      await until("every process is ready", () => partsAre(part, "up", 200), BACK_MS);
      const meanwhile = since(downAt);
      const acknowledged = await quiet();
      expect(meanwhile.filter(({ retryable }) => !retryable)).toEqual([]);
      expect(meanwhile.filter(({ ms }) => ms > ANSWERED_MS + MARGIN_MS)).toEqual([]);
      expect(meanwhile.some(({ outcome }) => outcome === "UNAVAILABLE" || outcome === "UNKNOWN_OUTCOME")).toBe(true);
      await isStored(acknowledged);
    },
    90_000,
  );

  it.each(["killed", "suspended"])(
    "goes on sending while Redis is %s, says so, not again and again, and knows who is there when it is back",
    async (fault) => {
      const server = serverOf("kv");
      const said = (text: string) => cluster.of("core").map(({ logs }) => logs.split(text).length - 1);
      const before = said("presence cannot be kept");
      talk(`kv-${fault}`);
      await until("all talk", () => talkers.every(({ acknowledged }) => acknowledged.size > 5));
      const downAt = performance.now();
      await (fault === "killed" ? server.kill("SIGKILL") : server.suspend());
      await until("every process says so and takes traffic", () => partsAre("kv", "down", 200), 4_000);
      const presence = (await sockets[0]?.emitWithAck("presence.set", { status: "busy" })) as Reply;
      expect(presence).toMatchObject({ ok: false, error: { type: "UNAVAILABLE", retryable: true } });
      (await cluster.rest("POST", "/auth/guest", undefined, { name: "Guest" })).expect(201);
      await pause(DOWN_SECONDS * 500);
      await (fault === "killed" ? server.start() : server.resume());
      await until("every process sees it", () => partsAre("kv", "up", 200), BACK_MS);
      const meanwhile = since(downAt);
      const acknowledged = await quiet();
      expect(meanwhile.filter(({ outcome }) => outcome !== "ok")).toEqual([]);
      expect(meanwhile.filter(({ ms }) => ms > ANSWERED_MS)).toEqual([]);
      await isStored(acknowledged);
      const own = async (): Promise<unknown> => {
        const { id } = owner;
        const statuses = (await sockets[0]?.emitWithAck("presence.get", { userIds: [id] })) as { data?: object };
        return (statuses.data as Record<string, { status: string }> | undefined)?.[id]?.status;
      };
      await until("presence is known again", async () => (await own()) === "online", BACK_MS);
      const begun = () => said("presence cannot be kept");
      await until(
        "each core node says that it is over",
        () => begun().join() === said("presence is kept again").join(),
      );
      // One more where it came back for a moment.
      for (const [n, times] of begun().entries()) expect([1, 2]).toContain(times - (before[n] ?? 0));
    },
    60_000,
  );
});
