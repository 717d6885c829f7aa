import { existsSync } from "node:fs";
import { readConfig } from "../lib/config";
import { observe } from "../lib/observer";
import { startRepl } from "../repl/start";
import { readOptions } from "./command-line";
import { messageOf } from "../lib/message-of";

const USAGE = `npm run repl

A console in the cluster of NATS_URL and NAMESPACE. For one process: npm start -- --repl
`;

/** A console in a running cluster: joins it as a node that serves nothing. */
async function main(): Promise<void> {
  readOptions(USAGE, {});
  if (existsSync(".env")) process.loadEnvFile(".env");
  const config = readConfig({ LOG_LEVEL: "error", ...process.env, SERVICES: "", NODE_ID: "" });
  const broker = await observe({ config, name: "repl" });
  startRepl(broker, () => void broker.stop().then(() => process.exit(0)));
}

main().catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(1);
});
