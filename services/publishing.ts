import type { ServiceBroker } from "moleculer";
import type { Publishing } from "../actors/conversation/conversation.projector";
import type { StoredEvent } from "../actors/conversation/conversation.events";
import { Outbox } from "../lib/outbox/publisher";
import { resourcesOf } from "../lib/resources";
import { broadcast } from "./call";
import { publishersOf } from "./publishers";

const SCHEDULER = ["scheduler"];

/** Where the events of this node's conversations are published; nothing where nobody listens. */
export function publishingOf(broker: ServiceBroker): { publishing?: Publishing } {
  const publishers = publishersOf(broker);
  if (publishers.length === 0) return {};
  const { store, clock } = resourcesOf(broker);
  const streamOf = ({ conversationId }: StoredEvent): string => conversationId;
  const onAdded = (): void => void broadcast(broker, "outbox.added", {}, SCHEDULER);
  return { publishing: new Outbox(publishers, streamOf, store, clock, onAdded) };
}
