import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { hostname } from "node:os";
import { extname, join } from "node:path";
import { type BrokerOptions, ServiceBroker, type ServiceSchema } from "moleculer";
import type { DestinationStream } from "pino";
import { brokerOptions } from "../moleculer.config";
import { systemClock, systemMonotonic, systemRandom } from "./actor/ports";
import { type Config, ConfigError, missingForCluster, readConfig } from "./config";
import { httpServerOf } from "./http-server";
import type { Kv } from "./kv/kv";
import { MemoryKv } from "./kv/memory";
import type * as redisKv from "./kv/redis";
import { lifecycleOf } from "./lifecycle";
import { metricsOf } from "./metrics";
import type * as nats from "./nats-transporter";
import { probeHandler } from "./probes";
import { nodeService } from "./node-service";
import { provideResources, resourcesOf } from "./resources";
import type { Store } from "./store/collection";
import type * as mongoStore from "./store/mongo/store";
import { openSqliteStore } from "./store/sqlite/store";
import { vitalsOf } from "./vitals";

export interface NodeOptions {
  /** The environment to read the configuration from, unless `config` is given. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly config?: Config;
  /** Where log lines go instead of the standard output. */
  readonly logDestination?: DestinationStream;
  /** Opened by the caller, closed with the node. By the settings when absent: MongoDB, or SQLite in DATA_DIR. */
  readonly store?: Store;
  /** By the settings when absent: Redis, or the memory of this process. */
  readonly kv?: Kv;
  /** Instead of NATS, for several nodes in one process. */
  readonly transporter?: BrokerOptions["transporter"];
  /** Further services, or instead of the ones in the folder those of the same name. */
  readonly services?: readonly ServiceSchema[];
}

export interface Node {
  readonly broker: ServiceBroker;
  readonly config: Config;
  /** Where its probes are, and REST and sockets when it serves them. */
  readonly url: string;
  /** Starts the services, then listens. Rejects after having closed everything when that fails. */
  start(): Promise<void>;
  /** Not ready, drained, services stopped, store closed: in this order, once. */
  stop(): Promise<void>;
}

const SERVICES_FOLDER = join(__dirname, "..", "services");
const EXTENSION = extname(__filename);

/**
 * Builds a node: opens its store and loads its services, but starts nothing.
 * @throws ConfigError; DataFolderLockedError when another process uses the data folder
 */
export async function createNode(options: NodeOptions = {}): Promise<Node> {
  const config = options.config ?? readConfig(options.env ?? process.env);
  const files = serviceFiles(config);
  if (!options.store) refuseHalfACluster(config);
  const transporter = options.transporter ?? (await openTransporter(config));
  const store = options.store ?? (await openStore(config));
  const kv = options.kv ?? (await openKv(config));
  const nodeID = config.NODE_ID ?? `${hostname()}-${process.pid}`;
  const broker = new ServiceBroker({ ...brokerOptions(config, nodeID, options.logDestination), transporter });
  const sole = transporter === null && config.MONGODB_URI === undefined;
  provideResources(broker, {
    config,
    store,
    kv,
    clock: systemClock,
    monotonic: systemMonotonic,
    random: systemRandom,
    sole,
  });
  httpServerOf(broker).handleOtherwise(probeHandler(broker));
  try {
    const given = new Set(options.services?.map((service) => service.name));
    for (const [name, file] of files) if (!given.has(name)) broker.loadService(file);
    for (const service of options.services ?? []) broker.createService(service);
    broker.createService(nodeService(broker));
  } catch (error) {
    await Promise.all([store.close(), kv.close()]);
    throw error;
  }
  return new RunningNode(broker, config, store, kv);
}

class RunningNode implements Node {
  private stopping: Promise<void> | undefined;

  constructor(
    readonly broker: ServiceBroker,
    readonly config: Config,
    private readonly store: Store,
    private readonly kv: Kv,
  ) {}

  get url(): string {
    return httpServerOf(this.broker).url;
  }

  async start(): Promise<void> {
    try {
      await this.store.check?.();
      await this.broker.start();
      if (!resourcesOf(this.broker).sole) vitalsOf(this.broker).start();
      await httpServerOf(this.broker).listen();
      lifecycleOf(this.broker).setReady();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  stop(): Promise<void> {
    this.stopping ??= this.stopOnce();
    return this.stopping;
  }

  private async stopOnce(): Promise<void> {
    const { broker } = this;
    await lifecycleOf(broker).drain((error) => broker.logger.error("draining failed", { error }));
    await broker.stop();
    await httpServerOf(broker).close();
    vitalsOf(broker).stop();
    metricsOf(broker).stop();
    await Promise.all([this.store.close(), this.kv.close()]);
  }
}

function refuseHalfACluster(config: Config): void {
  const missing = missingForCluster(config);
  if (missing.length > 0) throw new ConfigError(missing);
}

// What the embedded default does without is not loaded by it: a quarter of a second and 70 MB. By require, as import()
// of a file of ours finds compiled files only.
const load = createRequire(__filename);

async function openTransporter(config: Config): Promise<nats.NatsTransporter | null> {
  if (config.NATS_URL === undefined) return null;
  const { natsTransporter } = load("./nats-transporter") as typeof nats;
  return natsTransporter(config);
}

async function openKv({ REDIS_URL: url, NAMESPACE: namespace }: Config): Promise<Kv> {
  if (url === undefined) return new MemoryKv({ clock: systemClock });
  const { openRedisKv } = load("./kv/redis") as typeof redisKv;
  return openRedisKv({ url, prefix: `${namespace}:` });
}

async function openStore(config: Config): Promise<Store> {
  if (config.MONGODB_URI !== undefined) {
    const { openMongoStore } = load("./store/mongo/store") as typeof mongoStore;
    return openMongoStore({ uri: config.MONGODB_URI });
  }
  mkdirSync(config.DATA_DIR, { recursive: true, mode: 0o700 });
  return openSqliteStore({ folder: config.DATA_DIR });
}

/** The services that this process runs, by name: `services/<name>/<name>.service`. */
function serviceFiles(config: Config): Map<string, string> {
  const files = new Map<string, string>();
  for (const name of readdirSync(SERVICES_FOLDER)) {
    const file = join(SERVICES_FOLDER, name, `${name}.service${EXTENSION}`);
    if (existsSync(file)) files.set(name, file);
  }
  const unknown = config.SERVICES.filter((name) => !files.has(name));
  if (unknown.length > 0) {
    throw new ConfigError([`SERVICES: read "${unknown.join(",")}"; allowed are ${[...files.keys()].join(", ")}`]);
  }
  if (config.SERVICES.length > 0)
    for (const name of files.keys()) if (!config.SERVICES.includes(name)) files.delete(name);
  return files;
}
