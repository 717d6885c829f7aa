import type { StoredEvent } from "../../actors/conversation/conversation.events";
import { keepNewest } from "../../lib/keep-newest";
import { type SessionView, sessionView } from "../conversation-views";
import { URGENCIES } from "../schemas";

/** One numbered change of the queue, as subscribers get it. `removed` are session ids. */
export interface QueueChange {
  readonly seq: number;
  readonly prevSeq: number;
  readonly added: readonly SessionView[];
  readonly changed: readonly SessionView[];
  readonly removed: readonly string[];
}

/** Sessions that no longer wait are remembered, so that a late event does not bring one back. */
const MAX_REMEMBERED = 20_000;

/** The order of the queue: the more urgent first, then who has waited longest. */
export function compareWaiting(a: SessionView, b: SessionView): number {
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
  private readonly waiting = new Map<string, SessionView>();
  /** Session id to the seq of the newest event known, also of those that no longer wait. */
  private readonly known = new Map<string, number>();
  private lastChange = 0;

  get seq(): number {
    return this.lastChange;
  }

  /** All waiting sessions in order. */
  sessions(): SessionView[] {
    return [...this.waiting.values()].sort(compareWaiting);
  }

  /** Takes a session as it was read. One that does not wait only removes. */
  put(session: SessionView): QueueChange | undefined {
    if (session.lastSeq <= (this.known.get(session.id) ?? 0)) return undefined;
    this.remember(session.id, session.lastSeq);
    return session.status === "unassigned" ? this.add(session) : this.remove(session.id);
  }

  /** The waiting sessions by id, with the seq of the newest thing known of each. */
  seqs(): Map<string, number> {
    return new Map([...this.waiting.keys()].map((id) => [id, this.known.get(id) ?? 0]));
  }

  /** A session of which nothing newer than `seq` is known does not wait any more. */
  gone(id: string, seq: number): QueueChange | undefined {
    return this.known.get(id) === seq ? this.remove(id) : undefined;
  }

  /** Takes an event of any conversation; everything that does not concern the queue is ignored. */
  apply({ conversationId, seq, session }: StoredEvent): QueueChange | undefined {
    return session && this.put(sessionView(conversationId, session, seq));
  }

  private add(session: SessionView): QueueChange {
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
    keepNewest(this.known, MAX_REMEMBERED);
  }
}
