import { access, constants, stat } from "node:fs/promises";
import { mongo } from "mongoose";
import type { Config } from "../config";
import type { CollectionDefinition } from "../store/collection";
import { MongoAddressError, openMongoStore, StoreNotMigratedError } from "../store/mongo/store";
import { type Check, fail, type Finding, ok, warn } from "./finding";
import { timed } from "./reach";

const ANSWER_MS = 5_000;
const SHOWN_DIFFERENCES = 3;

/** Does the document store take durable writes, and has it the indexes that the log stands on? */
export const storeCheck = (config: Config, collections: readonly CollectionDefinition[]): Check => ({
  name: "store",
  run: () => (config.MONGODB_URI === undefined ? folder(config.DATA_DIR) : mongoDb(config.MONGODB_URI, collections)),
});

async function folder(path: string): Promise<Finding[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [fail(`DATA_DIR ${path} is no folder`, "Correct DATA_DIR.")];
    await access(path, constants.R_OK | constants.W_OK);
    return [ok(`the folder ${path} can be written`)];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return [ok(`the folder ${path} is made at the first start`)];
    return [
      fail(`the folder ${path} cannot be written (${code})`, "Give this user the right to, or correct DATA_DIR."),
    ];
  }
}

async function mongoDb(uri: string, collections: readonly CollectionDefinition[]): Promise<Finding[]> {
  const server = await serverOf(uri);
  if (server.level === "fail") return [server];
  return [server, ...(await documents(uri, collections))];
}

/** Who answers, and of how many copies it is one. */
async function serverOf(uri: string): Promise<Finding> {
  let client: mongo.MongoClient | undefined;
  try {
    client = new mongo.MongoClient(uri, { serverSelectionTimeoutMS: ANSWER_MS });
    const admin = (await client.connect()).db().admin();
    const { ms, answer: hello } = await timed(() => admin.command({ hello: 1 }));
    const { version } = (await admin.command({ buildInfo: 1 })) as { version?: string };
    const { setName, hosts } = hello as { setName?: string; hosts?: readonly string[] };
    const text = `MongoDB ${version ?? "?"} answers in ${ms} ms`;
    const copies = setName === undefined ? 1 : (hosts?.length ?? 1);
    if (copies < 3)
      return warn(
        `${text}; there ${copies === 1 ? "is one copy" : "are two copies"}`,
        "A replica set of three survives one.",
      );
    return ok(`${text}, replica set ${setName} of ${copies}`);
  } catch (error) {
    return explain(error as Error);
  } finally {
    await client?.close();
  }
}

/** A durable write, and the indexes. */
async function documents(uri: string, collections: readonly CollectionDefinition[]): Promise<Finding[]> {
  const store = await openMongoStore({ uri, serverSelectionMs: ANSWER_MS });
  try {
    for (const definition of collections) store.collection(definition);
    const { ms } = await timed(() => store.ping());
    const written = ok(`a write of the majority, with its journal, takes ${ms} ms`);
    return [written, await indexes(store)];
  } catch (error) {
    const name = error instanceof Error ? error.name : "";
    return [fail(`a write of the majority failed (${name})`, "See that a majority of the replica set is up.")];
  } finally {
    await store.close();
  }
}

async function indexes(store: { check(): Promise<void> }): Promise<Finding> {
  try {
    await store.check();
    return ok("every index is there");
  } catch (error) {
    if (!(error instanceof StoreNotMigratedError)) throw error;
    const { differences } = error;
    const shown = differences.slice(0, SHOWN_DIFFERENCES).join("; ");
    const more = differences.length > SHOWN_DIFFERENCES ? `; and ${differences.length - SHOWN_DIFFERENCES} more` : "";
    return fail(`${shown}${more}`, "Run npm run migrate.");
  }
}

/** Never the message: it may quote the address. */
function explain(error: Error): Finding {
  if (error instanceof MongoAddressError || /^Mongo(Parse|InvalidArgument)Error$/.test(error.name))
    return fail("MONGODB_URI cannot be understood", "Correct it.");
  if (error.name === "MongoServerSelectionError")
    return fail("no MongoDB server that takes writes was found", "Start it, or correct MONGODB_URI.");
  const { codeName } = error as { codeName?: string };
  if (codeName === "AuthenticationFailed" || codeName === "Unauthorized")
    return fail("MongoDB does not let us in", "Correct user and password in MONGODB_URI.");
  return fail(`MongoDB answers with ${codeName ?? error.name}`, "See its log.");
}
