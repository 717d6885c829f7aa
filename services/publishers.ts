import type { ServiceBroker } from "moleculer";
import type { StoredEvent } from "../actors/conversation/conversation.events";
import type { Publisher } from "../lib/outbox/publisher";
import { classifierPublisher } from "./session/classifier.publisher";
import { statisticsPublisher } from "./statistics/statistics.publisher";

/** Somebody outside the conversations who must learn of events. */
export type EventPublisher = Publisher<StoredEvent>;

/** Makes a publisher of this node. It decides what is wanted on core nodes, and delivers on scheduler nodes. */
export type MakePublisher = (broker: ServiceBroker) => EventPublisher;

/** The one table of publishers, the same on every node; read when a node is created. */
export const PUBLISHERS: MakePublisher[] = [classifierPublisher, statisticsPublisher];

/** The publishers of this node. */
export const publishersOf = (broker: ServiceBroker): readonly EventPublisher[] =>
  PUBLISHERS.map((make) => make(broker));
