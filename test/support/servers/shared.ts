import { randomBytes } from "node:crypto";
import Redis from "ioredis";
import { mongo } from "mongoose";
import { type MongoKind, MongoServer } from "./mongo";
import { NatsServer } from "./nats";
import { progress } from "./obtain";
import type { ServerProcess } from "./process";
import { REDIS_DATABASES, RedisServer } from "./redis";
import type { ServerEnvironment } from "./servers";
import { messageOf } from "../../../lib/message-of";

/** Where the run's workers find the addresses; not named like the settings, so that no node takes them by itself. */
const VARIABLE = "PARLEY_TEST_SERVERS";

/** Where a server is, or why it is not there. */
type Outcome = { readonly url: string } | { readonly error: string };

interface Outcomes {
  readonly nats: Outcome;
  readonly redis: Outcome;
  /** By name: both stand-ins, or only `real` when MONGODB_URI was set. */
  readonly mongo: Readonly<Partial<Record<MongoName, Outcome>>>;
}

export type MongoName = MongoKind | "real";

/**
 * Starts the servers that all specs of a run share; resolves with what stops them. One that cannot be had fails the
 * specs that ask for it.
 */
export async function startShared(): Promise<() => Promise<void>> {
  const [nats, redis] = [new NatsServer(), new RedisServer()];
  const real = process.env["MONGODB_URI"];
  const kinds: readonly MongoKind[] = real === undefined ? ["ferret", "java"] : [];
  const mongos = kinds.map((kind) => new MongoServer({ kind }));
  const stores = mongos.map(async (server) => [server.kind, await outcomeOf(server)] as const);
  const outcomes: Outcomes = {
    nats: await outcomeOf(nats),
    redis: await outcomeOf(redis),
    mongo: real === undefined ? Object.fromEntries(await Promise.all(stores)) : { real: { url: real } },
  };
  process.env[VARIABLE] = JSON.stringify(outcomes);
  const all: readonly ServerProcess[] = [nats, redis, ...mongos];
  return async () => void (await Promise.all(all.map((server) => server.stop())));
}

async function outcomeOf(server: ServerProcess): Promise<Outcome> {
  try {
    await server.start();
    return { url: server.url };
  } catch (error) {
    const message = messageOf(error);
    progress(message);
    return { error: message };
  }
}

function outcomes(): Outcomes {
  const text = process.env[VARIABLE];
  if (text === undefined) throw new Error("no servers were started for this run: the spec belongs in test/cluster");
  return JSON.parse(text) as Outcomes;
}

function urlOf(outcome: Outcome): string {
  if ("error" in outcome) throw new Error(outcome.error);
  return outcome.url;
}

/** The MongoDB servers of the run, to run one suite on each: both stand-ins, or the real one. */
export const mongoNames = (): readonly MongoName[] => Object.keys(outcomes().mongo) as MongoName[];

export interface Fresh {
  readonly url: string;
  /** Deletes what is in it. */
  drop(): Promise<void>;
}

/** An empty database of its own on a MongoDB server of the run; the first of `mongoNames` when absent. */
export function freshDatabase(name: MongoName = mongoNames()[0] ?? "ferret"): Fresh {
  const server = outcomes().mongo[name];
  if (server === undefined) throw new Error(`the run has no MongoDB server "${name}"`);
  const url = withDatabase(urlOf(server), `parley-test-${randomBytes(6).toString("hex")}`);
  return { url, drop: () => dropDatabase(url) };
}

/** The same server and options with another database; a user still logs in where the original address says. */
export function withDatabase(uri: string, database: string): string {
  const [, server = "", original = "", query = ""] = /^([^/]+:\/\/[^/?]+)\/?([^?]*)\??(.*)$/.exec(uri) ?? [];
  const login = server.includes("@") && !/(^|&)authSource=/i.test(query);
  const options = [...(query === "" ? [] : [query]), ...(login ? [`authSource=${original || "admin"}`] : [])];
  return `${server}/${database}${options.length > 0 ? `?${options.join("&")}` : ""}`;
}

async function dropDatabase(url: string): Promise<void> {
  const client = new mongo.MongoClient(url);
  try {
    await client.db().dropDatabase();
  } finally {
    await client.close();
  }
}

/** An empty numbered database of its own on the run's Redis. Publishing knows no databases. */
export async function freshRedis(): Promise<Fresh> {
  const server = urlOf(outcomes().redis);
  const client = new Redis(server);
  const number = 1 + ((await client.incr("databases")) % (REDIS_DATABASES - 1));
  client.disconnect();
  const url = `${server}/${number}`;
  const flush = async () => {
    const own = new Redis(url);
    await own.flushdb();
    own.disconnect();
  };
  await flush();
  return { url, drop: flush };
}

export interface FreshEnvironment {
  /** For the nodes of one cluster: the run's servers, with databases and a broker namespace of its own. */
  readonly env: ServerEnvironment & { readonly NAMESPACE: string };
  drop(): Promise<void>;
}

/** What one spec needs to start a cluster on the servers of the run, apart from every other spec. */
export async function freshEnvironment(name?: MongoName): Promise<FreshEnvironment> {
  const database = freshDatabase(name);
  const redis = await freshRedis();
  const env = {
    NATS_URL: urlOf(outcomes().nats),
    REDIS_URL: redis.url,
    MONGODB_URI: database.url,
    NAMESPACE: `test-${randomBytes(6).toString("hex")}`,
  };
  return { env, drop: async () => void (await Promise.all([database.drop(), redis.drop()])) };
}
