import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, startServer } from "../test/support/server";
import { until } from "../test/support/wait";
import { makeConversations } from "./conversations";
import type { LoadPlan, Manner } from "./generator/load";
import { anywhere, pinned } from "./machine";
import { CONNECTIONS, type Workload } from "./workloads";

/** The core of the server under test. */
export const SERVER_CORE = 0;
/** Longer than any run. */
export const TOKEN_SECONDS = "86400";

export interface Running {
  readonly plan: LoadPlan;
  /** Ends the process behind the second port with SIGKILL. */
  kill?(): void;
  stop(): Promise<void>;
}

export interface StartOptions {
  /** Processes that take sockets; 1 when absent. More than the system can have are refused. */
  readonly sockets?: number;
  readonly nodeArguments?: readonly string[];
  /** Leave the server's threads on any core. */
  readonly spread?: boolean;
}

/** A server that can be put under load. */
export interface System {
  readonly name: string;
  /** Processes that can take sockets side by side; 1 when absent. */
  readonly mostSockets?: number;
  start(workload: Workload, options?: StartOptions): Promise<Running>;
}

const prefix = (spread: boolean): string[] => (spread ? anywhere() : pinned(SERVER_CORE));
const temporary = (): string => mkdtempSync(join(tmpdir(), "parley-bench-"));

/** Connections and rooms of a peer: whoever says who it is, is believed. */
export function people(workload: Workload): Pick<LoadPlan, "auths" | "rooms"> {
  const rooms = workload.rooms.map((room, at) => ({ ...room, conversationId: `room-${at}` }));
  const auths = Array.from({ length: CONNECTIONS }, (_, index) => ({
    user: `user-${index}`,
    rooms: rooms.filter(({ members }) => members.includes(index)).map(({ conversationId }) => conversationId),
  }));
  return { auths, rooms };
}

/** A peer speaks as Parley does, and has nothing for clients that come back. */
export const SOCKET_IO: Manner = { send: '["message.send",', ok: '[{"ok":true' };

/** Does a Socket.IO server listen on this port? */
export const answers = (port: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling`).then(
    (response) => response.ok,
    () => false,
  );

/** The bare Socket.IO server of bench/peers. */
export const peer: System = {
  name: "bare Socket.IO",
  async start(workload, { nodeArguments = [], spread = false } = {}) {
    const [dataDir, port] = [temporary(), await freePort()];
    const words = [...prefix(spread), process.execPath, ...nodeArguments, "--require", "tsx/cjs"];
    const child = spawn(words[0] ?? "", [...words.slice(1), join(__dirname, "peers/bare-socketio.ts")], {
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, PORT: String(port), DATA_DIR: dataDir },
    });
    await until("the peer listens", () => answers(port), 30_000);
    return {
      plan: {
        ports: [port],
        processes: [{ name: "server", pid: child.pid ?? 0 }],
        manner: SOCKET_IO,
        ...people(workload),
      },
      async stop() {
        child.kill("SIGTERM");
        await until("the peer ends", () => child.exitCode !== null || child.signalCode !== null);
        rmSync(dataDir, { recursive: true, force: true });
      },
    };
  },
};

/** Parley, its users and conversations made once and copied for every start. */
export class Parley implements System {
  readonly name = "Parley";

  private constructor(
    private readonly seed: string,
    private readonly tokens: readonly string[],
    private readonly rooms: ReadonlyMap<Workload, readonly string[]>,
  ) {}

  /** Signs 1,000 users up and makes the conversations of these workloads. Remove them with `remove`. */
  static async prepare(workloads: readonly Workload[]): Promise<Parley> {
    const seed = temporary();
    const server = await startServer({ dataDir: seed, env: { ACCESS_TOKEN_SECONDS: TOKEN_SECONDS } });
    try {
      const users = await server.users(CONNECTIONS);
      const rooms = new Map<Workload, readonly string[]>();
      for (const workload of workloads) rooms.set(workload, await makeConversations(server, workload, users));
      const tokens = users.map(({ token }) => token);
      return new Parley(seed, tokens, rooms);
    } finally {
      await server.kill("SIGTERM");
    }
  }

  async start(workload: Workload, { nodeArguments = [], spread = false }: StartOptions = {}): Promise<Running> {
    const dataDir = temporary();
    cpSync(this.seed, dataDir, { recursive: true });
    const env = { ACCESS_TOKEN_SECONDS: TOKEN_SECONDS };
    const server = await startServer({ dataDir, env, nodeArguments, prefix: prefix(spread) });
    const ids = this.rooms.get(workload) ?? [];
    const rooms = workload.rooms.map((room, at) => ({ ...room, conversationId: ids[at] ?? "" }));
    return {
      plan: {
        ports: [server.port],
        auths: this.tokens.map((token) => ({ token })),
        rooms,
        processes: [{ name: "server", pid: server.pid }],
      },
      async stop() {
        await server.kill("SIGTERM");
        rmSync(dataDir, { recursive: true, force: true });
      },
    };
  }

  remove(): void {
    rmSync(this.seed, { recursive: true, force: true });
  }
}
