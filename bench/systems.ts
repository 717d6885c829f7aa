import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, startServer, type TestServer } from "../test/support/server";
import { until } from "../test/support/wait";
import type { LoadPlan } from "./generator/load";
import { anywhere, pinned } from "./machine";
import { CONNECTIONS, type Workload } from "./workloads";

const SERVER_CORE = 0;
const CREATIONS_AT_ONCE = 16;
/** Longer than any run. */
const TOKEN_SECONDS = "86400";

export interface Running {
  readonly plan: LoadPlan;
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly nodeArguments?: readonly string[];
  /** Leave the server's threads on any core. */
  readonly spread?: boolean;
}

/** A server that can be put under load. */
export interface System {
  readonly name: string;
  start(workload: Workload, options?: StartOptions): Promise<Running>;
}

const prefix = (spread: boolean): string[] => (spread ? anywhere() : pinned(SERVER_CORE));
const temporary = (): string => mkdtempSync(join(tmpdir(), "parley-bench-"));

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
    const answers = () =>
      fetch(`http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling`).then(
        (response) => response.ok,
        () => false,
      );
    await until("the peer listens", answers, 30_000);
    const rooms = workload.rooms.map((room, at) => ({ ...room, conversationId: `room-${at}` }));
    const auths = Array.from({ length: CONNECTIONS }, (_, index) => ({
      user: `user-${index}`,
      rooms: rooms.filter(({ members }) => members.includes(index)).map(({ conversationId }) => conversationId),
    }));
    return {
      plan: { port, auths, rooms, pid: child.pid ?? 0 },
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
      for (const workload of workloads) rooms.set(workload, await conversations(server, workload, users));
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
      plan: { port: server.port, auths: this.tokens.map((token) => ({ token })), rooms, pid: server.pid },
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

async function conversations(
  server: TestServer,
  workload: Workload,
  users: ReadonlyArray<{ id: string; token: string }>,
): Promise<string[]> {
  const make = async (members: readonly number[]): Promise<string> => {
    const [first, ...others] = members.map((index) => users[index]);
    const kind = members.length === 2 ? "direct" : "group";
    const body = { commandId: crypto.randomUUID(), kind, members: others.map((user) => user?.id) };
    return (await server.rest("POST", "/conversations", first?.token, body)).expect<{ id: string }>(201).id;
  };
  const ids: string[] = [];
  for (let from = 0; from < workload.rooms.length; from += CREATIONS_AT_ONCE) {
    const slice = workload.rooms.slice(from, from + CREATIONS_AT_ONCE);
    ids.push(...(await Promise.all(slice.map(({ members }) => make(members)))));
  }
  return ids;
}
