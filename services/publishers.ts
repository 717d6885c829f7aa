import type { ServiceBroker } from "moleculer";
import type { StoredEvent } from "../actors/conversation/conversation.events";
import type { Publisher } from "../lib/outbox/publisher";

/** Somebody outside the conversations who must learn of events. */
export type EventPublisher = Publisher<StoredEvent>;

/** Makes a publisher of this node. It decides what is wanted on core nodes, and delivers on scheduler nodes. */
export type MakePublisher = (broker: ServiceBroker) => EventPublisher;

/** The one table of publishers; every node has the same. */
const PUBLISHERS: readonly MakePublisher[] = [];

const added = new WeakMap<ServiceBroker, MakePublisher[]>();

/** Gives this broker a publisher beyond the table; before its services are created. */
export function addPublisher(broker: ServiceBroker, make: MakePublisher): void {
  added.set(broker, [...(added.get(broker) ?? []), make]);
}

/** The publishers of this node. */
export const publishersOf = (broker: ServiceBroker): readonly EventPublisher[] =>
  [...PUBLISHERS, ...(added.get(broker) ?? [])].map((make) => make(broker));
