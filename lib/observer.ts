import { hostname } from "node:os";
import { type BrokerOptions, ServiceBroker } from "moleculer";
import { brokerOptions } from "../moleculer.config";
import { type Config, ConfigError } from "./config";
import { natsTransporter } from "./nats-transporter";

export interface ObserverOptions {
  readonly config: Config;
  /** What it is for: the beginning of its node id. */
  readonly name: string;
  /** Instead of NATS. */
  readonly transporter?: BrokerOptions["transporter"];
}

const LOOK_MS = 20;
/** The answers to a newcomer's greeting arrive within milliseconds; a busy node may take longer. */
const GREETING_MS = 3_000;
const SETTLE_MS = 300;

/**
 * Joins a running cluster as a node that serves nothing, to look at it and to call its actions. Resolves when it knows
 * the nodes there are. Stop the broker to leave.
 * @throws ConfigError without NATS_URL; Error when nobody is there
 */
export async function observe(options: ObserverOptions): Promise<ServiceBroker> {
  const { config, name } = options;
  const transporter = options.transporter ?? natsTransporter(config);
  if (!transporter) throw new ConfigError(["NATS_URL: missing; a cluster is found there"]);
  const nodeID = `${name}-${hostname()}-${process.pid}`;
  const broker = new ServiceBroker({ ...brokerOptions(config, nodeID), transporter });
  await broker.start();
  const deadline = Date.now() + GREETING_MS;
  while (othersOf(broker) === 0) {
    if (Date.now() > deadline) {
      await broker.stop();
      throw new Error(`No node answers in the namespace "${config.NAMESPACE}" of this NATS server.`);
    }
    await pause(LOOK_MS);
  }
  // Where one has answered the others are about to.
  await pause(SETTLE_MS);
  return broker;
}

interface Registry {
  getNodeList(options: { onlyAvailable: boolean }): unknown[];
}

const othersOf = (broker: ServiceBroker): number =>
  (broker.registry as unknown as Registry).getNodeList({ onlyAvailable: true }).length - 1;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
