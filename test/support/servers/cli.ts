import { readOptions } from "../../../bin/command-line";
import type { MongoKind } from "./mongo";
import { startServers } from "./servers";
import { messageOf } from "../../../lib/message-of";

const USAGE = `npm run servers -- [--mongo ferret|java]

Starts NATS, Redis and a MongoDB stand-in, prints their addresses, and stays until it is stopped.
`;
const PARENT_CHECK_MS = 500;

/** The stand-in that was asked for, if any. */
function kindOf(): MongoKind | undefined {
  const { mongo } = readOptions(USAGE, { mongo: { type: "string" } });
  if (mongo === undefined || mongo === "ferret" || mongo === "java") return mongo;
  throw new Error(`--mongo ${mongo} is neither ferret nor java\n${USAGE}`);
}

/** Resolves on a signal to stop, or when the npm that started this process was killed and cannot pass one on. */
function stopRequested(): Promise<void> {
  const parent = process.ppid;
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolve());
    setInterval(() => {
      if (process.env["npm_lifecycle_event"] !== undefined && process.ppid !== parent) resolve();
    }, PARENT_CHECK_MS);
  });
}

/** Starts the servers, prints their addresses, and stays until it is stopped. */
async function main(): Promise<void> {
  const mongo = kindOf();
  const stopped = stopRequested();
  const servers = await startServers(mongo === undefined ? { mongoUri: process.env["MONGODB_URI"] } : { mongo });
  const lines = Object.entries(servers.env).map(([name, value]) => `${name}=${value}\n`);
  process.stdout.write(lines.join(""));
  await stopped;
  await servers.stop();
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exit(1);
  },
);
