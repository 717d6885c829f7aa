import type { Static } from "@sinclair/typebox";
import { isA, type StoredEvent } from "../../actors/conversation/conversation.events";
import { type Session as SessionSchema, URGENCIES } from "../schemas";

export type Session = Static<typeof SessionSchema>;

/** One numbered change of the queue, as subscribers get it. `removed` are session ids. */
export interface QueueChange {
  readonly seq: number;
  readonly prevSeq: number;
  readonly added: readonly Session[];
  readonly changed: readonly Session[];
  readonly removed: readonly string[];
}

/** The session waits again, but its details are not here: read it and `put` it. */
export interface QueueLookup {
  readonly lookup: string;
}

/** Sessions that no longer wait are remembered, so that a late event does not bring one back. */
const MAX_REMEMBERED = 20_000;

/** The order of the queue: the more urgent first, then who has waited longest. */
export function compareWaiting(a: Session, b: Session): number {
  return (
    URGENCIES.indexOf(b.urgency) - URGENCIES.indexOf(a.urgency) ||
    compareStrings(a.openedAt, b.openedAt) ||
    compareStrings(a.id, b.id)
  );
}

const compareStrings = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * The waiting sessions, kept from session events that may come late, twice or out of order: of each session only what
 * is newer than the newest thing known counts. Its changes are numbered 1, 2, 3, ...
 */
export class QueueView {
  private readonly waiting = new Map<string, Session>();
  /** Session id to the seq of the newest event known, also of those that no longer wait. */
  private readonly known = new Map<string, number>();
  private lastChange = 0;

  get seq(): number {
    return this.lastChange;
  }

  /** All waiting sessions in order. */
  sessions(): Session[] {
    return [...this.waiting.values()].sort(compareWaiting);
  }

  /** Takes a session as it was read. One that does not wait only removes. */
  put(session: Session): QueueChange | undefined {
    if (session.lastSeq < (this.known.get(session.id) ?? 0)) return undefined;
    this.remember(session.id, session.lastSeq);
    return session.status === "unassigned" ? this.add(session) : this.remove(session.id);
  }

  /** Takes an event of any conversation; everything that does not concern the queue is ignored. */
  apply(event: StoredEvent): QueueChange | QueueLookup | undefined {
    if (!event.type.startsWith("session.")) return undefined;
    const id = event.conversationId;
    if (event.seq <= (this.known.get(id) ?? 0)) return undefined;
    this.remember(id, event.seq);
    if (isA(event, "session.opened")) return this.add(opened(event));
    if (waitsAgain(event)) return { lookup: id };
    return this.remove(id);
  }

  private add(session: Session): QueueChange {
    const added = !this.waiting.has(session.id);
    this.waiting.set(session.id, session);
    return this.change(added ? { added: [session] } : { changed: [session] });
  }

  private remove(id: string): QueueChange | undefined {
    return this.waiting.delete(id) ? this.change({ removed: [id] }) : undefined;
  }

  private change(what: Partial<Pick<QueueChange, "added" | "changed" | "removed">>): QueueChange {
    const prevSeq = this.lastChange++;
    return { seq: this.lastChange, prevSeq, added: [], changed: [], removed: [], ...what };
  }

  private remember(id: string, seq: number): void {
    this.known.delete(id);
    this.known.set(id, seq);
    if (this.known.size <= MAX_REMEMBERED) return;
    for (const oldest of this.known.keys()) {
      this.known.delete(oldest);
      return;
    }
  }
}

const waitsAgain = (event: StoredEvent): boolean =>
  isA(event, "session.returned") || (isA(event, "session.transferred") && event.data.agentId === undefined);

function opened(event: StoredEvent<"session.opened">): Session {
  const { topic, urgency, subject, customerId } = event.data;
  return {
    id: event.conversationId,
    conversationId: event.conversationId,
    status: "unassigned",
    topic,
    urgency: URGENCIES.find((known) => known === urgency) ?? "normal",
    ...(subject !== undefined && { subject }),
    customerId,
    openedAt: new Date(event.at).toISOString(),
    lastSeq: event.seq,
  };
}
