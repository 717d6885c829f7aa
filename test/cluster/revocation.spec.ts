import { performance } from "node:perf_hooks";
import { ServiceBroker } from "moleculer";
import { io, type Socket } from "socket.io-client";
import { readConfig } from "../../lib/config";
import { natsTransporter } from "../../lib/nats-transporter";
import { parseKeys } from "../../services/auth/keys";
import { AccessTokens } from "../../services/auth/tokens";
import { callUsers } from "../../services/users/users.internal";
import type { TestUser } from "../support/api";
import { TestCluster } from "../support/cluster";
import type { TokenPair } from "../support/rest";
import { freshEnvironment, type FreshEnvironment } from "../support/servers/shared";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy";
import { until } from "../support/wait";

/** Within this every socket of a login that ended is closed, on every node. */
const CLOSED_MS = 1_000;
/** Within this a client has an answer, whatever is down. */
const ANSWERED_MS = 2_000;

const PAUSE_MS = 5;
const EXPIRES_IN_SECONDS = 4;

interface Reply {
  readonly ok: boolean;
  readonly error?: { readonly type: string; readonly retryable: boolean };
}

/** A socket that acts again as soon as it has an answer, and knows when each act was begun that was done. */
class Actor {
  readonly done: number[] = [];
  readonly revoked: unknown[] = [];
  closedAt = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(readonly socket: Socket) {
    socket.on("disconnect", () => (this.closedAt ||= performance.now()));
    socket.on("revoked", (data) => this.revoked.push(data));
    this.act();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.socket.disconnect();
  }

  /** Acts that were begun after this moment and done. */
  doneSince(at: number): number {
    return this.done.filter((begunAt) => begunAt > at).length;
  }

  act(): void {
    if (!this.socket.connected) return;
    const begunAt = performance.now();
    this.socket.emit("conversation.list", {}, (reply: Reply) => {
      if (reply.ok) this.done.push(begunAt);
      this.timer = setTimeout(() => this.act(), PAUSE_MS);
    });
  }
}

describe("revocation over nodes", () => {
  let environment: FreshEnvironment;
  let cluster: TestCluster;
  /** Calls what only services call. */
  let operator: ServiceBroker;
  let nats: TcpProxy;
  let store: TcpProxy;
  const actors: Actor[] = [];
  const sockets: Socket[] = [];

  beforeAll(async () => {
    environment = await freshEnvironment();
    const { NATS_URL = "", MONGODB_URI = "" } = environment.env;
    [nats, store] = await Promise.all([proxyOf(NATS_URL), proxyOf(MONGODB_URI)]);
    const env = { NATS_URL: nats.through(NATS_URL), MONGODB_URI: store.through(MONGODB_URI) };
    cluster = await TestCluster.start({
      gateway: 1,
      io: 2,
      core: 2,
      env: environment.env,
      nodes: { "io-2": { env } },
    });
    const config = readConfig({ ...cluster.environment, DATA_DIR: "data", NODE_ID: "operator" });
    const transporter = natsTransporter(config);
    operator = new ServiceBroker({ namespace: config.NAMESPACE, nodeID: "operator", logger: false, transporter });
    await operator.start();
    await operator.waitForServices("users");
  }, 60_000);
  afterEach(() => {
    for (const actor of actors.splice(0)) actor.stop();
    for (const socket of sockets.splice(0)) socket.disconnect();
    nats.resume();
    store.resume();
  });
  afterAll(async () => {
    await operator.stop();
    await cluster.stop();
    await Promise.all([nats.close(), store.close()]);
    await environment.drop();
  });

  const connect = async (user: TestUser, node: string): Promise<Socket> => {
    const { url } = cluster.node(node);
    const socket = io(url, {
      transports: ["websocket"],
      forceNew: true,
      reconnection: false,
      auth: { token: user.token },
    });
    sockets.push(socket);
    await until(`connected to ${node}`, () => socket.connected);
    return socket;
  };
  const act = async (user: TestUser, node: string): Promise<Actor> => {
    const actor = new Actor(await connect(user, node));
    actors.push(actor);
    await until(`acts on ${node}`, () => actor.done.length > 5);
    return actor;
  };
  const logOut = async ({ tokens }: TestUser): Promise<number> => {
    const { refreshToken } = tokens;
    (await cluster.rest("POST", "/auth/logout", undefined, { refreshToken })).expect(204);
    return performance.now();
  };
  const ask = async (socket: Socket): Promise<Reply & { ms: number }> => {
    const begunAt = performance.now();
    const reply = (await socket.timeout(15_000).emitWithAck("conversation.list", {})) as Reply;
    return { ...reply, ms: performance.now() - begunAt };
  };

  it("closes all sockets of a login on every node, and none of them acts after the answer", async () => {
    const [user, other] = await cluster.users(2);
    if (!user || !other) throw new Error("no users");
    const all = await Promise.all(["io-1", "io-1", "io-2", "io-2"].map((node) => act(user, node)));
    const bystander = await act(other, "io-2");
    const answeredAt = await logOut(user);
    await until("all are closed", () => all.every((actor) => actor.closedAt > 0), CLOSED_MS);
    expect(all.map((actor) => actor.doneSince(answeredAt))).toEqual([0, 0, 0, 0]);
    expect(all.map((actor) => actor.revoked)).toEqual(all.map(() => [{ reason: "revoked" }]));
    const acts = bystander.done.length;
    await until("the other user goes on", () => bystander.done.length > acts);
  });

  it("reaches a node that is cut off from the broker, which hears of it from the store", async () => {
    const user = await cluster.user();
    const [near, far] = [await act(user, "io-1"), await connect(user, "io-2")];
    let closedAt = 0;
    far.on("disconnect", () => (closedAt = performance.now()));
    nats.freeze();
    const begunAt = performance.now();
    const answeredAt = await logOut(user);
    await until("both are closed", () => near.closedAt > 0 && closedAt > 0, CLOSED_MS);
    expect(near.doneSince(answeredAt)).toBe(0);
    expect(answeredAt - begunAt).toBeLessThan(ANSWERED_MS);
  });

  it("closes the sockets of a token that expires on every node, also on one that hears nothing", async () => {
    const user = await cluster.user();
    const { token, expiresAt } = expiring(user, cluster.environment["AUTH_KEYS"] ?? "");
    const all = await Promise.all(["io-1", "io-2"].map((node) => act({ ...user, token }, node)));
    const lasting = await act(user, "io-1");
    nats.freeze();
    const expired = performance.now() + expiresAt - Date.now();
    const closed = () => all.every((actor) => actor.closedAt > 0);
    await until("both are closed", closed, expiresAt + CLOSED_MS - Date.now());
    expect(all.map((actor) => actor.doneSince(expired))).toEqual([0, 0]);
    expect(all.map((actor) => actor.revoked)).toEqual(all.map(() => [{ reason: "expired" }]));
    expect(lasting.closedAt).toBe(0);
  });

  it("closes all sockets of a user who is deleted, of every login and on every node", async () => {
    const user = await cluster.user();
    const { email } = user.tokens.user;
    const login = await cluster.rest("POST", "/auth/login", undefined, { email, password: "correct horse" });
    const again = { ...user, token: login.expect<TokenPair>(200).accessToken };
    const sockets = [user, again].flatMap((each) => ["io-1", "io-2"].map((node) => act(each, node)));
    const all = await Promise.all(sockets);
    nats.freeze();
    expect(await callUsers(operator, "users.delete", { id: user.id })).toEqual({ deleted: true });
    const answeredAt = performance.now();
    await until("all are closed", () => all.every((actor) => actor.closedAt > 0), CLOSED_MS);
    expect(all.map((actor) => actor.doneSince(answeredAt))).toEqual([0, 0, 0, 0]);
  });

  it("gives and takes roles on live sockets of a node that is cut off from the broker", async () => {
    const [user] = await cluster.users(1);
    if (!user) throw new Error("no user");
    const socket = await connect(user, "io-2");
    const queue = async (): Promise<string> => {
      const reply = (await socket.timeout(15_000).emitWithAck("session.queue", { subscribe: true })) as Reply;
      return reply.ok ? "ok" : (reply.error?.type ?? "");
    };
    const become = async (role: string): Promise<void> => {
      const path = `/users/${user.id}/roles`;
      (await cluster.rest("PUT", path, await cluster.adminToken(), { roles: [role] })).expect(200);
    };
    expect(await queue()).toBe("FORBIDDEN");
    await become("agent");
    expect(await queue()).toBe("ok");
    nats.cut();
    await become("customer");
    nats.resume();
    expect(await queue()).toBe("FORBIDDEN");
  });

  it("lets nobody act on a node that knows neither broker nor store, and catches up when it is back", async () => {
    const [leaving, staying] = await cluster.users(2);
    if (!leaving || !staying) throw new Error("no users");
    const [gone, kept] = [await connect(leaving, "io-2"), await act(staying, "io-2")];
    nats.cut();
    store.freeze();
    await logOut(leaving);
    const refused = await ask(gone);
    expect(refused).toMatchObject({ ok: false, error: { type: "UNAVAILABLE", retryable: true } });
    expect(refused.ms).toBeLessThan(ANSWERED_MS);
    nats.resume();
    store.resume();
    await until("the login that ended is closed", () => gone.disconnected, 5_000);
    const acts = kept.done.length;
    await until("the other one goes on", () => kept.done.length > acts, 5_000);
    expect(kept.closedAt).toBe(0);
  });

  it("does not let a process act on what it knew before it stood still", async () => {
    const user = await cluster.user();
    const actor = await act(user, "io-2");
    cluster.node("io-2").suspend();
    const answeredAt = await logOut(user);
    actor.act();
    cluster.node("io-2").resume();
    await until("closed", () => actor.closedAt > 0, 2 * CLOSED_MS);
    expect(actor.doneSince(answeredAt)).toBe(0);
  });
});

/** Another access token of the same login, and when it expires, in wall-clock milliseconds. */
function expiring({ token }: TestUser, keys: string): { token: string; expiresAt: number } {
  const tokens = new AccessTokens(parseKeys(keys), Date);
  const short = tokens.issue(tokens.verify(token), EXPIRES_IN_SECONDS);
  return { token: short, expiresAt: tokens.verify(short).expiresAt };
}

function proxyOf(url: string): Promise<TcpProxy> {
  const { hostname: host, port } = new URL(url);
  return startTcpProxy({ host, port: Number(port) });
}
