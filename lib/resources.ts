import type { ServiceBroker } from "moleculer";
import type { Clock, Monotonic, Random } from "./actor/ports";
import type { Config } from "./config";
import type { Kv } from "./kv/kv";
import type { Store } from "./store/collection";

/** What a node owns and its services share. Opened before the broker starts, closed after it has stopped. */
export interface Resources {
  readonly config: Config;
  readonly store: Store;
  readonly kv: Kv;
  readonly clock: Clock;
  readonly monotonic: Monotonic;
  readonly random: Random;
  /** No other process shares the store: nothing of it changes behind this node's back. */
  readonly sole: boolean;
}

const byBroker = new WeakMap<ServiceBroker, Resources>();

/** Hands the node's resources to the services of this broker. */
export function provideResources(broker: ServiceBroker, resources: Resources): void {
  byBroker.set(broker, resources);
}

/** The node's resources. Throws when the broker was started without them. */
export function resourcesOf(broker: ServiceBroker): Resources {
  const resources = byBroker.get(broker);
  if (!resources) throw new Error("this broker was started without resources: call provideResources first");
  return resources;
}
