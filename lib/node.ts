import { existsSync, readdirSync } from "node:fs";
import { hostname } from "node:os";
import { extname, join } from "node:path";
import { ServiceBroker, type ServiceSchema } from "moleculer";
import type { DestinationStream } from "pino";
import { brokerOptions } from "../moleculer.config";
import { systemClock, systemMonotonic, systemRandom } from "./actor/ports";
import { type Backends, type GivenBackends, openBackends } from "./backends";
import { type Config, ConfigError, missingForCluster, readConfig } from "./config";
import { HeldPort } from "./held-port";
import { httpServerOf } from "./http-server";
import { lifecycleOf } from "./lifecycle";
import { metricsOf } from "./metrics";
import { nodeService } from "./node-service";
import { awaitAnswers } from "./prerequisites";
import { probeHandler } from "./probes";
import { provideResources, resourcesOf } from "./resources";
import { vitalsOf } from "./vitals";

/** What is given is opened by the caller and closed with the node; the settings say what is opened instead of the rest. */
export interface NodeOptions extends GivenBackends {
  /** The environment to read the configuration from, unless `config` is given. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly config?: Config;
  /** Where log lines go instead of the standard output. */
  readonly logDestination?: DestinationStream;
  /** Further services, or instead of the ones in the folder those of the same name. */
  readonly services?: readonly ServiceSchema[];
}

export interface Node {
  readonly broker: ServiceBroker;
  readonly config: Config;
  /** Where its probes are, and REST and sockets when it serves them. */
  readonly url: string;
  /**
   * Waits for NATS and MongoDB where the settings name them, starts the services, then listens; until then its port
   * answers probes. Rejects after having closed everything when that fails.
   */
  start(): Promise<void>;
  /** Not ready, drained, services stopped, store closed: in this order, once. */
  stop(): Promise<void>;
}

const SERVICES_FOLDER = join(__dirname, "..", "services");
const EXTENSION = extname(__filename);

/**
 * Builds a node: takes its port, opens its store and loads its services, but starts nothing.
 * @throws ConfigError; the system's error when the port is taken; DataFolderLockedError when another process uses the
 * data folder
 */
export async function createNode(options: NodeOptions = {}): Promise<Node> {
  const config = options.config ?? readConfig(options.env ?? process.env);
  const files = serviceFiles(config);
  if (!options.store) refuseHalfACluster(config);
  const port = await HeldPort.take({ host: config.HOST, port: config.PORT });
  let backends: Backends | undefined;
  try {
    backends = await openBackends(config, options);
    const broker = createBroker(config, backends, options.logDestination);
    port.handle(probeHandler(broker, 503));
    const given = new Set(options.services?.map((service) => service.name));
    for (const [name, file] of files) if (!given.has(name)) broker.loadService(file);
    for (const service of options.services ?? []) broker.createService(service);
    broker.createService(nodeService(broker));
    return new RunningNode(broker, config, backends, port);
  } catch (error) {
    await Promise.all([port.release(), backends?.store.close(), backends?.kv.close()]);
    throw error;
  }
}

function createBroker(config: Config, backends: Backends, logDestination?: DestinationStream): ServiceBroker {
  const { store, kv, transporter } = backends;
  const nodeID = config.NODE_ID ?? `${hostname()}-${process.pid}`;
  const broker = new ServiceBroker({ ...brokerOptions(config, nodeID, logDestination), transporter });
  const ports = { clock: systemClock, monotonic: systemMonotonic, random: systemRandom };
  const sole = transporter === null && config.MONGODB_URI === undefined;
  provideResources(broker, { config, store, kv, ...ports, sole });
  httpServerOf(broker).handleOtherwise(probeHandler(broker));
  return broker;
}

/** A node that is gone, and not yet known to be, holds up a start no longer than this. */
const INTRODUCTION_MS = 500;

class RunningNode implements Node {
  private stopping: Promise<void> | undefined;

  constructor(
    readonly broker: ServiceBroker,
    readonly config: Config,
    private readonly backends: Backends,
    private readonly port: HeldPort,
  ) {}

  get url(): string {
    return httpServerOf(this.broker).url;
  }

  async start(): Promise<void> {
    try {
      await this.awaitServers();
      if (this.stopping) return;
      await this.backends.store.check?.();
      await this.broker.start();
      await this.introduce();
      if (!resourcesOf(this.broker).sole) vitalsOf(this.broker).start();
      await this.port.release();
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

  /**
   * Makes the services known to the other nodes, which Moleculer does only a second after they have started: until then
   * nobody tells this node anything.
   */
  private async introduce(): Promise<void> {
    const { broker } = this;
    if (!broker.transit) return;
    await broker.registry.discoverer.sendLocalNodeInfo();
    const others = broker.registry
      .getNodeList({ onlyAvailable: true })
      .flatMap(({ id }) => (id === broker.nodeID ? [] : [id]));
    // Whoever answers what came after it has read it. A ping to nobody is not answered.
    if (others.length > 0) await broker.ping(others, INTRODUCTION_MS);
  }

  private awaitServers(): Promise<void> {
    const { logger } = this.broker;
    return awaitAnswers(this.backends.prerequisites, {
      clock: systemClock,
      wanted: () => this.stopping === undefined,
      onWaiting: (name, reason) => logger.warn(`waiting for ${name}: ${reason}`),
      onAnswer: (name) => logger.warn(`${name} answers`),
    });
  }

  private async stopOnce(): Promise<void> {
    const { broker } = this;
    await lifecycleOf(broker).drain((error) => broker.logger.error("draining failed", { error }));
    await broker.stop();
    await Promise.all([this.port.release(), httpServerOf(broker).close()]);
    vitalsOf(broker).stop();
    metricsOf(broker).stop();
    await Promise.all([this.backends.store.close(), this.backends.kv.close()]);
  }
}

function refuseHalfACluster(config: Config): void {
  const missing = missingForCluster(config);
  if (missing.length > 0) throw new ConfigError(missing);
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
