import { existsSync } from "node:fs";
import { readConfig } from "../lib/config";
import { createNode, type Node } from "../lib/node";
import { startRepl } from "../repl/start";
import { readOptions } from "./command-line";

const USAGE = `npm start -- [--repl]
npm run start:node -- gateway|io|core|scheduler [--repl]

Starts the server, or one process of a cluster. Settings are environment variables or lines of .env: see docs/configuration.md.

  --repl   a console in it
`;

/** Beyond DRAIN_SECONDS, after which a process that still has not stopped is ended. */
const STOP_MARGIN_MS = 10_000;

async function main(): Promise<void> {
  const { repl = false } = readOptions(USAGE, { repl: { type: "boolean" } });
  // What the server writes (database, keys, the first password) is for its own user only.
  process.umask(0o077);
  if (existsSync(".env")) process.loadEnvFile(".env");
  const config = readConfig(repl ? { LOG_LEVEL: "warn", ...process.env } : process.env);
  const node = await createNode({ config });
  const stop = () => void shutDown(node);
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.on("uncaughtException", (error) => crash(node, error));
  await node.start();
  if (stopping) return;
  process.stdout.write(banner(node));
  if (repl) startRepl(node.broker, stop);
}

function banner({ url, broker, config }: Node): string {
  const store = config.MONGODB_URI === undefined ? `data in ${config.DATA_DIR}` : "documents in MongoDB";
  const runs = (service: string): boolean => broker.getLocalService(service) !== undefined;
  return [
    `Parley is ready: ${broker.nodeID}, ${store}`,
    ...(config.SERVICES.length > 0 ? [`  services  ${config.SERVICES.join(", ")}`] : []),
    ...(runs("gateway") ? [`  REST      ${url}/v1`] : []),
    ...(runs("io") ? [`  Sockets   ${url} (Socket.IO)`] : []),
    ...(runs("gateway") ? [`  API docs  ${url}/docs`] : []),
    "",
  ].join("\n");
}

let stopping = false;

/** The first signal stops in order, the second at once. */
async function shutDown(node: Node): Promise<void> {
  if (stopping) process.exit(1);
  stopping = true;
  const limit = setTimeout(() => process.exit(1), node.config.DRAIN_SECONDS * 1_000 + STOP_MARGIN_MS);
  limit.unref();
  await node.stop();
  process.exit(0);
}

/** Crash-only: after an error that nobody expected no state in memory is trusted; everything durable is in the store. */
function crash(node: Node, error: unknown): never {
  node.broker.logger.fatal("unexpected error, the process ends", { error });
  process.exit(1);
}

const EXPLAINED = new Set([
  "ConfigError",
  "DataFolderLockedError",
  "StoreNotMigratedError",
  "MongoAddressError",
  "MongoFailure",
  "RedisAddressError",
]);

/** One line for what an operator can put right, the stack for everything else. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, port, address } = error as NodeJS.ErrnoException & { port?: number; address?: string };
  if (code === "EADDRINUSE") return `Port ${port} of ${address} is in use: stop what uses it, or set PORT.`;
  if (code === "EACCES" && port !== undefined) return `Port ${port} may not be opened by this user: set PORT.`;
  if (EXPLAINED.has(error.name)) return error.message;
  return error.stack ?? error.message;
}

main().catch((error: unknown) => {
  process.stderr.write(`${explain(error)}\n`);
  process.exit(1);
});
