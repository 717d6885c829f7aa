import type { ServiceBroker } from "moleculer";

/** What a broker's node has one of: made when it is first asked for, the same one for all who ask. */
export function perBroker<T extends object>(make: (broker: ServiceBroker) => T): (broker: ServiceBroker) => T {
  const made = new WeakMap<ServiceBroker, T>();
  return (broker) => {
    let one = made.get(broker);
    if (!one) made.set(broker, (one = make(broker)));
    return one;
  };
}
