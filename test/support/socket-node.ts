import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServiceBroker, ServiceSchema } from "moleculer";
import { io, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";
import { readConfig } from "../../lib/config";
import type { WireError } from "../../lib/errors";
import { createNode } from "../../lib/node";
import type { Store } from "../../lib/store/collection";
import { MemoryStore } from "../../lib/store/memory";
import { call } from "../../services/call";
import type { Role } from "../../services/schemas";
import { ADMIN_ENV, type Login, setRoles, signUp } from "./accounts";
import { UNLIMITED } from "./api";
import { until } from "./wait";

export type { Login } from "./accounts";

export type Reply<T = unknown> = { ok: true; data: T } | { ok: false; error: WireError };

/** A whole node in this process, over a store in memory, with every limit out of the way unless `env` sets it. */
export interface SocketNode {
  readonly broker: ServiceBroker;
  readonly url: string;
  guest(name?: string): Promise<Login>;
  user(...roles: Role[]): Promise<Login>;
  setRoles(userId: string, ...roles: Role[]): Promise<void>;
  logout(login: Login): Promise<void>;
  /** A stock client that connects with this token and does not reconnect by itself. Closed by `stop`. */
  client(token: string | undefined, options?: Partial<ManagerOptions & SocketOptions>): Socket;
  /** The same, connected. @throws Error of the refusal */
  connect(login: Login, options?: Partial<ManagerOptions & SocketOptions>): Promise<Socket>;
  stop(): Promise<void>;
}

export interface SocketNodeOptions {
  readonly store?: Store;
  readonly env?: Readonly<Record<string, string>>;
  readonly services?: readonly ServiceSchema[];
}

/** Nodes that a failed test did not stop. */
const running = new Set<() => Promise<void>>();
afterAll(() => Promise.all([...running].map((stop) => stop())));

export async function startSocketNode({ env = {}, services = [], store }: SocketNodeOptions = {}): Promise<SocketNode> {
  const folder = mkdtempSync(join(tmpdir(), "parley-socket-"));
  const config = readConfig({
    ...UNLIMITED,
    ...ADMIN_ENV,
    DATA_DIR: folder,
    PORT: "0",
    LOG_LEVEL: "silent",
    DRAIN_SECONDS: "1",
    ...env,
  });
  const node = await createNode({ config, store: store ?? new MemoryStore(), services });
  const stop = (): Promise<void> => {
    running.delete(stop);
    for (const socket of clients) socket.disconnect();
    return node.stop().finally(() => rmSync(folder, { recursive: true, force: true }));
  };
  const clients = new Set<Socket>();
  running.add(stop);
  await node.start();
  const { broker } = node;
  const url = node.url ?? "";
  const client: SocketNode["client"] = (token, options = {}) => {
    const auth = token === undefined ? {} : { token };
    const socket = io(url, { transports: ["websocket"], forceNew: true, reconnection: false, auth, ...options });
    clients.add(socket);
    return socket;
  };
  return {
    broker,
    url,
    client,
    setRoles: (userId, ...roles) => setRoles(broker, userId, ...roles),
    user: (...roles) => signUp(broker, ...roles),
    guest: async (name = "Guest") => {
      const pair = await call(broker, "auth.guest", { name });
      return { id: pair.user.id, token: pair.accessToken, refreshToken: pair.refreshToken };
    },
    logout: async ({ refreshToken }) => void (await call(broker, "auth.logout", { refreshToken })),
    connect: async (login, options) => {
      const socket = client(login.token, options);
      let refusal: Error | undefined;
      socket.once("connect_error", (error) => (refusal = error));
      await until("connected or refused", () => socket.connected || refusal !== undefined);
      if (refusal) throw refusal;
      return socket;
    },
    stop,
  };
}

/** One call with an acknowledgement. */
export const ask = async <T = unknown>(socket: Socket, event: string, ...args: unknown[]): Promise<Reply<T>> =>
  (await socket.timeout(5_000).emitWithAck(event, ...args)) as Reply<T>;

/** The data of a successful call. @throws Error with the refusal */
export async function get<T>(socket: Socket, event: string, ...args: unknown[]): Promise<T> {
  const reply = await ask<T>(socket, event, ...args);
  if (!reply.ok) throw new Error(`${event}: ${JSON.stringify(reply.error)}`);
  return reply.data;
}

/** The type of a refusal, `ok` for a success. */
export async function outcome(socket: Socket, event: string, ...args: unknown[]): Promise<string> {
  const reply = await ask(socket, event, ...args);
  return reply.ok ? "ok" : reply.error.type;
}

/** Collects what the server sends under a name. */
export function heard<T>(socket: Socket, event: string): T[] {
  const all: T[] = [];
  socket.on(event, (data: T) => all.push(data));
  return all;
}
