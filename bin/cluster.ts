import { existsSync } from "node:fs";
import { styleText } from "node:util";
import { readConfig } from "../lib/config";
import { isForPeople } from "../lib/logger";
import { NODE_ROLES } from "../services/roles";
import { Cluster } from "./cluster/cluster";
import { requireServers, sharedEnvironment } from "./cluster/environment";
import { type ClusterOptions, readOptions, USAGE } from "./cluster/options";

/** Starts a cluster on this machine: its processes, and a front door on PORT that serves clients at one address. */
async function main(): Promise<void> {
  process.umask(0o077);
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(USAGE);
    return;
  }
  if (existsSync(".env")) process.loadEnvFile(".env");
  const config = readConfig({ ...process.env, SERVICES: "", NODE_ID: "" });
  requireServers(config);
  // What each process does in order would bury what goes wrong.
  const format = { LOG_FORMAT: isForPeople(config.LOG_FORMAT) ? "text" : "json" };
  const env = { LOG_LEVEL: "warn", ...process.env, ...format, ...(await sharedEnvironment(config)) };
  const cluster = new Cluster(config, options, env, say);
  stopOnSignals(cluster);
  await cluster.migrate();
  await cluster.start().catch(async (error: unknown) => {
    await cluster.stop();
    throw error;
  });
  process.stdout.write(`Parley is ready: ${cluster.url} (${describe(options)})\n`);
}

const describe = ({ counts }: ClusterOptions): string => NODE_ROLES.map((role) => `${counts[role]} ${role}`).join(", ");

const NAME_WIDTH = 12;

/** A line of a process, behind its name. */
const say = (name: string, line: string): void =>
  void process.stdout.write(`${styleText("dim", `${name.padEnd(NAME_WIDTH)}|`, { stream: process.stdout })} ${line}\n`);

/** The first signal stops in order, the second at once: the guard then ends the processes. */
function stopOnSignals(cluster: Cluster): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(1);
    stopping = true;
    void cluster.stop().then(() => process.exit(0));
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
}

/** One line for what can be put right by whoever started it, the stack for everything else. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  if (code === "EADDRINUSE") return `Port ${port} is in use: stop what uses it, or set PORT.`;
  if (code?.startsWith("ERR_PARSE_ARGS")) return `${error.message}\n${USAGE}`;
  return error.message;
}

main().catch((error: unknown) => {
  process.stderr.write(`${explain(error)}\n`);
  process.exit(1);
});
