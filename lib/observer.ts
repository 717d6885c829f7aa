import { hostname } from "node:os";
import { ServiceBroker } from "moleculer";
import { brokerOptions } from "../moleculer.config";
import { systemClock } from "./actor/ports";
import { pause } from "./actor/time";
import { type Config, ConfigError } from "./config";
import { greetNats, natsAddresses } from "./nats-connection";
import { natsTransporter } from "./nats-transporter";

export interface ObserverOptions {
  readonly config: Config;
  /** What it is for: the beginning of its node id. */
  readonly name: string;
  /** How long no further node must have been heard of; nodes are heard of within a second, busy ones later. */
  readonly settleMs?: number;
}

const LOOK_MS = 20;
/** The answers to a newcomer's greeting arrive within milliseconds; a busy node may take longer. */
const GREETING_MS = 3_000;
/** Every node is heard of once a second. */
const SETTLE_MS = 1_100;

/**
 * Joins a running cluster as a node that serves nothing, to look at it and to call its actions. Resolves when it knows
 * the nodes there are. Stop the broker to leave.
 * @throws ConfigError without NATS_URL; Error when NATS gives no connection, or nobody is there
 */
export async function observe(options: ObserverOptions): Promise<ServiceBroker> {
  const { config, name, settleMs = SETTLE_MS } = options;
  if (config.NATS_URL === undefined) throw new ConfigError(["NATS_URL: missing; a cluster is found there"]);
  await requireNats(config, config.NATS_URL);
  const nodeID = `${name}-${hostname()}-${process.pid}`;
  const broker = new ServiceBroker({ ...brokerOptions(config, nodeID), transporter: natsTransporter(config) });
  await broker.start();
  if (await meetsNodes(broker, settleMs)) return broker;
  await broker.stop();
  throw new Error(`No node answers in the namespace "${config.NAMESPACE}" of this NATS server.`);
}

/** A broker whose first connection fails would try again for ever, also after it was stopped. */
async function requireNats(config: Config, url: string): Promise<void> {
  await greetNats(config).catch((error: Error) => {
    const where = natsAddresses(url).map(({ host }) => host);
    throw new Error(`There is no connection to NATS at ${where.join(", ")}: ${error.message}.`);
  });
}

/** Waits until another node is known, and then until no further one has come for a while. */
async function meetsNodes(broker: ServiceBroker, settleMs: number): Promise<boolean> {
  const greeted = Date.now() + GREETING_MS;
  let known = 0;
  let since = Date.now();
  while (known > 0 ? Date.now() - since < settleMs : Date.now() < greeted) {
    const count = othersOf(broker);
    if (count !== known) {
      known = count;
      since = Date.now();
    }
    await pause(systemClock, LOOK_MS);
  }
  return known > 0;
}

const othersOf = ({ registry }: ServiceBroker): number => registry.getNodeList({ onlyAvailable: true }).length - 1;
