import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { freePort } from "../test/support/server";
import type { Servers } from "../test/support/servers";
import { until } from "../test/support/wait";
import { foreign } from "./cluster";
import type { Manner } from "./generator/load";
import { pinned } from "./machine";
import { answers, people, type Running, SERVER_CORE, SOCKET_IO, type System } from "./systems";
import type { Workload } from "./workloads";

interface Script {
  readonly name: string;
  readonly file: string;
  readonly port?: number;
}

/** moleculer-io's `call` event, answered by error and result. */
const MOLECULER_IO: Manner = { send: '["call","message.send",', ok: "[null,{" };

/** Two Socket.IO processes with the Redis adapter, mongoose in both. */
export const socketIoPeer = (servers: Servers): System => ({
  name: "Socket.IO + Redis adapter",
  mostSockets: 2,
  async start(workload) {
    const ports = [await freePort(), await freePort()];
    const scripts = ports.map((port) => ({ name: "socket.io", file: "socketio-redis.ts", port }));
    return run(servers, workload, scripts, SOCKET_IO);
  },
});

/** A moleculer-io gateway and a message service, one process each. */
export const moleculerPeer = (servers: Servers): System => ({
  name: "moleculer-io",
  async start(workload) {
    const gateway = { name: "gateway", file: "moleculer-gateway.ts", port: await freePort() };
    return run(servers, workload, [gateway, { name: "messages", file: "moleculer-messages.ts" }], MOLECULER_IO);
  },
});

async function run(servers: Servers, workload: Workload, scripts: readonly Script[], manner: Manner): Promise<Running> {
  const name = `peer${Date.now().toString(36)}`;
  const children = scripts.map((script) => start(script, environment(servers, name)));
  const ports = scripts.map(({ port }) => port).filter((port) => port !== undefined);
  for (const port of ports) await until("the peer listens", () => answers(port), 30_000);
  const processes = [
    ...scripts.map((script, at) => ({ name: script.name, pid: children[at]?.pid ?? 0 })),
    ...foreign(servers),
  ];
  return {
    plan: { ports, processes, manner, ...people(workload) },
    kill: () => void children[1]?.kill("SIGKILL"),
    async stop() {
      // moleculer-io waits for its sockets when it stops.
      for (const child of children) child.kill("SIGKILL");
      await until("the peer ends", () => children.every((child) => child.exitCode !== null || child.signalCode));
    },
  };
}

function start({ file, port }: Script, env: Readonly<Record<string, string>>): ChildProcess {
  const words = [...pinned(SERVER_CORE), process.execPath, "--require", "tsx/cjs", join(__dirname, "peers", file)];
  return spawn(words[0] ?? "", words.slice(1), {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...env, NODE_ENV: "production", ...(port !== undefined && { PORT: String(port) }) },
  });
}

/** The same servers; a database and a namespace of this run's own. */
function environment({ env }: Servers, name: string): Record<string, string> {
  const uri = new URL(env.MONGODB_URI);
  uri.pathname = `/${name}`;
  return { ...env, MONGODB_URI: uri.href, NAMESPACE: name };
}
