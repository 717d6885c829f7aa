import type { Collection } from "../../lib/store/collection";
import type { KeyFact } from "./conversation.commands";
import type { StoredEvent } from "./conversation.events";

/** The name of the key that makes a session the customer's only open one of its topic; see `nextKey`. */
export const openKeyPrefix = (customerId: string, topic: string): string =>
  `open/${encodePart(customerId)}/${encodePart(topic)}`;

/** The name of the key that takes a slot of an agent, numbered from 1. */
export const slotKeyPrefix = (agentId: string, slot: number): string => `${SLOT}${encodePart(agentId)}/${slot}`;

const SLOT = "slot/";

/** A lone surrogate, which no URI can carry, becomes the replacement character, as it does in the store. */
const encodePart = (part: string): string => encodeURIComponent(Buffer.from(part).toString());

/**
 * Who has the key of this name, and which key may be taken next: `<prefix>/<generation>`. A key is free once an event
 * that ends it is durable.
 */
export async function nextKey(events: Collection<StoredEvent>, prefix: string): Promise<KeyFact> {
  const fact = await keyFact(events, prefix, false);
  // Who is refused for a key must not be so for one that was given up; who takes one is proven by the insert.
  return fact.holder === undefined ? fact : keyFact(events, prefix, true);
}

async function keyFact(events: Collection<StoredEvent>, prefix: string, fresh: boolean): Promise<KeyFact> {
  const latest = await events.findOne(
    { key: { $gte: `${prefix}/0`, $lt: `${prefix}/:` } },
    { sort: { key: -1 }, fresh },
  );
  if (latest?.key === undefined) return { next: `${prefix}/${generation(1)}` };
  const ended = await events.findOne(prefix.startsWith(SLOT) ? { endsSlot: latest.key } : { endsOpen: latest.key }, {
    fresh,
  });
  const next = `${prefix}/${generation(Number(latest.key.slice(prefix.length + 1)) + 1)}`;
  return ended ? { next } : { next, holder: latest.conversationId };
}

const generation = (g: number): string => String(g).padStart(10, "0");
