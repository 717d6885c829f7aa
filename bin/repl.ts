import { existsSync } from "node:fs";
import { ConfigError, readConfig } from "../lib/config";
import { observe } from "../lib/observer";
import { startRepl } from "../repl/start";

/** A console in a running cluster: joins it as a node that serves nothing. */
async function main(): Promise<void> {
  if (existsSync(".env")) process.loadEnvFile(".env");
  const config = readConfig({ LOG_LEVEL: "error", ...process.env, SERVICES: "", NODE_ID: "" });
  const broker = await observe({ config, name: "repl" });
  startRepl(broker, () => void broker.stop().then(() => process.exit(0)));
}

main().catch((error: unknown) => {
  const known = error instanceof ConfigError ? `The configuration is not valid.\n${error.message}` : undefined;
  process.stderr.write(`${known ?? (error instanceof Error ? error.message : String(error))}\n`);
  process.exit(1);
});
