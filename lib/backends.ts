import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import type { BrokerOptions } from "moleculer";
import { systemClock } from "./actor/ports";
import type { Config } from "./config";
import type { Kv } from "./kv/kv";
import { MemoryKv } from "./kv/memory";
import type * as redisKv from "./kv/redis";
import type * as natsConnection from "./nats-connection";
import type * as nats from "./nats-transporter";
import type { Prerequisite } from "./prerequisites";
import type { Store } from "./store/collection";
import type * as mongoStore from "./store/mongo/store";
import { openSqliteStore } from "./store/sqlite/store";

type Transporter = NonNullable<BrokerOptions["transporter"]>;

/** What a node works with, opened by whoever gives it. */
export interface GivenBackends {
  readonly store?: Store;
  readonly kv?: Kv;
  /** For several nodes in one process. */
  readonly transporter?: Transporter;
}

export interface Backends {
  readonly transporter: Transporter | null;
  readonly store: Store;
  readonly kv: Kv;
  /** Servers without which nothing can be served; none but those of the settings. */
  readonly prerequisites: readonly Prerequisite[];
}

/**
 * Opens what the settings name and nobody has given: NATS, MongoDB or SQLite in DATA_DIR, Redis or this process's memory.
 * It waits for no server.
 * @throws DataFolderLockedError when another process uses the data folder; ConfigError, MongoAddressError, RedisAddressError
 */
export async function openBackends(config: Config, given: GivenBackends): Promise<Backends> {
  const prerequisites: Prerequisite[] = [];
  const transporter = given.transporter ?? openTransporter(config, prerequisites);
  const store = given.store ?? (await openStore(config, prerequisites));
  return { transporter, store, kv: given.kv ?? openKv(config), prerequisites };
}

// What the embedded default does without is not loaded by it: a quarter of a second and 70 MB. By require, as import()
// of a file of ours finds compiled files only.
const load = createRequire(__filename);

function openTransporter(config: Config, prerequisites: Prerequisite[]): nats.NatsTransporter | null {
  if (config.NATS_URL === undefined) return null;
  const { natsTransporter } = load("./nats-transporter") as typeof nats;
  const { greetNats, natsAddresses } = load("./nats-connection") as typeof natsConnection;
  const where = natsAddresses(config.NATS_URL).map(({ host }) => host);
  prerequisites.push({ name: `NATS at ${where.join(", ")}`, ask: () => greetNats(config) });
  return natsTransporter(config);
}

function openKv({ REDIS_URL: url, NAMESPACE: namespace }: Config): Kv {
  if (url === undefined) return new MemoryKv({ clock: systemClock });
  const { openRedisKv } = load("./kv/redis") as typeof redisKv;
  return openRedisKv({ url, prefix: `${namespace}:` });
}

async function openStore(
  { MONGODB_URI: uri, DATA_DIR: folder }: Config,
  prerequisites: Prerequisite[],
): Promise<Store> {
  if (uri === undefined) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return openSqliteStore({ folder });
  }
  const { openMongoStore } = load("./store/mongo/store") as typeof mongoStore;
  const store = await openMongoStore({ uri });
  prerequisites.push({ name: `MongoDB at ${hostsOf(uri)}`, ask: () => store.ping() });
  return store;
}

/** Without user and password, also where they hold characters that should have been encoded. */
const hostsOf = (uri: string): string => /^[^:]+:\/\/(?:.*@)?([^/?@]*)/s.exec(uri)?.[1] ?? "";
