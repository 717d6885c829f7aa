/** `npm run migrate`: makes the collections and indexes of a MongoDB. Running it again changes nothing. */
import { existsSync } from "node:fs";
import { ConfigError, readConfig } from "../lib/config";
import { MongoAddressError, MongoFailure, openMongoStore, StoreNotMigratedError } from "../lib/store/mongo/store";
import { COLLECTIONS } from "../services/collections";
import { readOptions } from "./command-line";

const USAGE = `npm run migrate

Makes the collections and indexes of MONGODB_URI. Running it again changes nothing.
`;

async function main(): Promise<void> {
  readOptions(USAGE, {});
  if (existsSync(".env")) process.loadEnvFile(".env");
  const { MONGODB_URI: uri } = readConfig(process.env);
  if (uri === undefined) {
    process.stdout.write("MONGODB_URI is not set: the SQLite store makes its indexes itself.\n");
    return;
  }
  // An index of a large collection may take hours.
  const store = await openMongoStore({ uri, socketMs: 0, serverSelectionMs: 10_000 });
  try {
    const done = await store.migrate(COLLECTIONS);
    for (const line of done) process.stdout.write(`${line}\n`);
    process.stdout.write(`${done.length === 0 ? "Nothing to do" : "Done"}: ${COLLECTIONS.length} collections.\n`);
  } finally {
    await store.close();
  }
}

/** What an operator can put right in a line; the stack for everything else. */
function explain(error: unknown): string {
  if (error instanceof StoreNotMigratedError)
    return ["These differences are yours to decide about; drop the index, then run this again:", ...error.differences]
      .map((line, index) => (index === 0 ? line : `  ${line}`))
      .join("\n");
  if (error instanceof ConfigError || error instanceof MongoAddressError || error instanceof MongoFailure)
    return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

main().catch((error: unknown) => {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = 1;
});
