import type { StoredEvent } from "./conversation.events";
import type { Projector } from "./conversation.projector";
import type { ConversationStore } from "./conversation.store";

export interface RecoveryPorts {
  readonly store: ConversationStore;
  readonly projector: Pick<Projector, "repair" | "write">;
  /** Broadcasts events that perhaps nobody was told of. */
  readonly found: (events: readonly StoredEvent[]) => void;
}

/**
 * Does for an incarnation that ended what it could not do any more: its events in flushes after `flush`, but for those in
 * `known`, are projected, published and broadcast. Adds them to `known`, and resolves with their number when all that
 * is durable.
 */
export async function recoverFlushes(
  { store, projector, found }: RecoveryPorts,
  incarnation: string,
  flush: number,
  known: Set<string>,
): Promise<number> {
  let recovered = 0;
  for (let from = flush + 1; ;) {
    const page = await store.readFlushPage(incarnation, from, Number.MAX_SAFE_INTEGER);
    const events = page.events.filter(({ _id }) => !known.has(_id));
    if (events.length > 0) {
      for (const id of new Set(events.map(({ conversationId }) => conversationId))) {
        // What the snapshot covers was projected and published before it was written.
        const { state, found: beyond } = await store.load(id);
        if (beyond.length > 0) projector.repair(beyond, state);
      }
      await projector.write();
      found(events);
      for (const { _id } of events) known.add(_id);
      recovered += events.length;
    }
    if (page.through === Number.MAX_SAFE_INTEGER) return recovered;
    from = page.through + 1;
  }
}
