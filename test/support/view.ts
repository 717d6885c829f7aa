import type { WireEvent } from "../../services/schemas";

interface Followed {
  readonly taken: WireEvent[];
  /** Arrived beyond a hole, by seq. */
  readonly waiting: Map<number, WireEvent>;
  lastSeq: number;
  gone: boolean;
}

/** A client's picture of its conversations: events in order, each once, holes noticed by `prevSeq`. */
export class View {
  private readonly followed = new Map<string, Followed>();
  /** By conversation, the events taken over. */
  readonly seen = new Map<string, readonly WireEvent[]>();
  /** Events that came again and were dropped. */
  duplicates = 0;

  lastSeq(conversationId: string): number {
    return this.followed.get(conversationId)?.lastSeq ?? 0;
  }

  cursors(): Record<string, number> {
    const open = [...this.followed].filter(([, talk]) => !talk.gone);
    return Object.fromEntries(open.map(([conversationId, { lastSeq }]) => [conversationId, lastSeq]));
  }

  /** Stops following a conversation until an event of it comes again; what was taken over stays. */
  forget(conversationId: string): void {
    const talk = this.follow(conversationId);
    talk.waiting.clear();
    talk.gone = true;
  }

  /** Takes events over. @returns true when something is missing before one of them */
  take(events: readonly WireEvent[]): boolean {
    let hole = false;
    for (const event of events) {
      const talk = this.follow(event.conversationId);
      talk.gone = false;
      if (event.seq <= talk.lastSeq) this.duplicates++;
      else talk.waiting.set(event.seq, event);
      advance(talk);
      hole ||= talk.waiting.size > 0;
    }
    return hole;
  }

  /** Follows a conversation from its beginning. */
  follow(conversationId: string): Followed {
    const known = this.followed.get(conversationId);
    if (known) return known;
    const talk: Followed = { taken: [], waiting: new Map(), lastSeq: 0, gone: false };
    this.followed.set(conversationId, talk);
    this.seen.set(conversationId, talk.taken);
    return talk;
  }
}

/** Takes what attaches to the last event: its predecessor is there, or is of an audience this viewer left. */
function advance(talk: Followed): void {
  for (const [seq, event] of [...talk.waiting].sort(([a], [b]) => a - b)) {
    if (seq > talk.lastSeq && event.prevSeq > talk.lastSeq) return;
    talk.waiting.delete(seq);
    if (seq <= talk.lastSeq) continue;
    talk.taken.push(event);
    talk.lastSeq = seq;
  }
}
