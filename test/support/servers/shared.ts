import { randomBytes } from "node:crypto";
import Redis from "ioredis";
import { mongo } from "mongoose";
import { type MongoKind, MongoServer } from "./mongo";
import { NatsServer } from "./nats";
import type { ServerProcess } from "./process";
import { REDIS_DATABASES, RedisServer } from "./redis";
import { type ServerEnvironment, startAll } from "./servers";

/** Where the run's workers find the addresses; not named like the settings, so that no node takes them by itself. */
const VARIABLE = "PARLEY_TEST_SERVERS";

interface Addresses {
  readonly nats: string;
  readonly redis: string;
  /** By name: both stand-ins, or only `real` when MONGODB_URI was set. */
  readonly mongo: Readonly<Partial<Record<MongoName, string>>>;
}

export type MongoName = MongoKind | "real";

/** Starts the servers that all specs of a run share; resolves with what stops them. */
export async function startShared(): Promise<() => Promise<void>> {
  const [nats, redis] = [new NatsServer(), new RedisServer()];
  const real = process.env["MONGODB_URI"];
  const kinds: readonly MongoKind[] = real === undefined ? ["ferret", "java"] : [];
  const mongos = kinds.map((kind) => new MongoServer({ kind }));
  const all: ServerProcess[] = [nats, redis, ...mongos];
  await startAll(all);
  const stores = real === undefined ? mongos.map(({ kind, url }) => [kind, url] as const) : [["real", real] as const];
  const addresses: Addresses = { nats: nats.url, redis: redis.url, mongo: Object.fromEntries(stores) };
  process.env[VARIABLE] = JSON.stringify(addresses);
  return async () => void (await Promise.all(all.map((server) => server.stop())));
}

function addresses(): Addresses {
  const text = process.env[VARIABLE];
  if (text === undefined) throw new Error("the servers of the run are not up: this spec belongs in test/cluster");
  return JSON.parse(text) as Addresses;
}

/** The MongoDB servers of the run, to run one suite on each: both stand-ins, or the real one. */
export const mongoNames = (): readonly MongoName[] => Object.keys(addresses().mongo) as MongoName[];

export interface Fresh {
  readonly url: string;
  /** Deletes what is in it. */
  drop(): Promise<void>;
}

/** An empty database of its own on a MongoDB server of the run; the first of `mongoNames` when absent. */
export function freshDatabase(name: MongoName = mongoNames()[0] ?? "ferret"): Fresh {
  const server = addresses().mongo[name];
  if (server === undefined) throw new Error(`the run has no MongoDB server "${name}"`);
  const url = new URL(server);
  url.pathname = `/parley-test-${randomBytes(6).toString("hex")}`;
  return { url: url.href, drop: () => dropDatabase(url.href) };
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
  const client = new Redis(addresses().redis);
  const number = 1 + ((await client.incr("databases")) % (REDIS_DATABASES - 1));
  client.disconnect();
  const url = `${addresses().redis}/${number}`;
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
    NATS_URL: addresses().nats,
    REDIS_URL: redis.url,
    MONGODB_URI: database.url,
    NAMESPACE: `test-${randomBytes(6).toString("hex")}`,
  };
  return { env, drop: async () => void (await Promise.all([database.drop(), redis.drop()])) };
}
