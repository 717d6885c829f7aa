import type { StoredEvent } from "../../actors/conversation/conversation.events";
import { bisect } from "../../lib/bisect";
import { keepNewest } from "../../lib/keep-newest";
import { type SessionView, sessionView } from "../conversation-views";

/** What became of one session: it waits `before` or `after`, or both. */
export interface QueueDelta {
  readonly before?: SessionView;
  readonly after?: SessionView;
}

/** One numbered change of the queue, as subscribers get it. `removed` are session ids. */
export interface QueueChange {
  readonly seq: number;
  readonly prevSeq: number;
  readonly added: readonly SessionView[];
  readonly changed: readonly SessionView[];
  readonly removed: readonly string[];
}

/** Is it in the queue? One that is closing is as well, while nobody has it. */
export const isWaiting = ({ status, agentId }: Pick<SessionView, "status" | "agentId">): boolean =>
  status === "unassigned" || (status === "closing" && agentId === undefined);

/** Sessions that no longer wait are remembered, so that a late event does not bring one back. */
const MAX_REMEMBERED = 20_000;

/** The order of the queue: by rank, which only events change; equal ones by id. */
export function compareWaiting(a: SessionView, b: SessionView): number {
  return rankOf(a) - rankOf(b) || compareStrings(a.id, b.id);
}

const rankOf = ({ rank, openedAt }: SessionView): number => rank ?? Date.parse(openedAt);
const compareStrings = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * The waiting sessions, kept from session events that may come late, twice or out of order: of each session only what
 * is newer than the newest thing known counts. A change costs a binary search, however many wait.
 */
export class QueueView {
  private readonly waiting = new Map<string, SessionView>();
  /** The same by topic, each in order. */
  private readonly lanes = new Map<string, SessionView[]>();
  /** Of sessions that no longer wait: id to the seq of the newest event known. */
  private readonly past = new Map<string, number>();

  get size(): number {
    return this.waiting.size;
  }

  /** All waiting sessions in order, or those of a topic. */
  sessions(topic?: string): readonly SessionView[] {
    return topic === undefined ? [...this.waiting.values()].sort(compareWaiting) : (this.lanes.get(topic) ?? []);
  }

  /** The topics that sessions wait in. */
  topics(): string[] {
    return [...this.lanes.keys()];
  }

  /** Takes a session as it was read. One that does not wait only removes. */
  put(session: SessionView): QueueDelta | undefined {
    const { id, lastSeq } = session;
    if (lastSeq <= (this.waiting.get(id)?.lastSeq ?? this.past.get(id) ?? 0)) return undefined;
    if (!isWaiting(session)) return this.remove(id, lastSeq);
    const before = this.waiting.get(id);
    if (before) this.leave(before);
    this.enter(session);
    return before ? { before, after: session } : { after: session };
  }

  /** The waiting sessions by id, with the seq of the newest thing known of each. */
  seqs(): Map<string, number> {
    return new Map([...this.waiting.values()].map(({ id, lastSeq }) => [id, lastSeq]));
  }

  /** A session of which nothing newer than `seq` is known does not wait any more. */
  gone(id: string, seq: number): QueueDelta | undefined {
    return this.waiting.get(id)?.lastSeq === seq ? this.remove(id, seq) : undefined;
  }

  /** Takes an event of any conversation; everything that does not concern the queue is ignored. */
  apply({ conversationId, seq, session }: StoredEvent): QueueDelta | undefined {
    return session && this.put(sessionView(conversationId, session, seq, "staff"));
  }

  private remove(id: string, seq: number): QueueDelta | undefined {
    this.past.delete(id);
    this.past.set(id, seq);
    keepNewest(this.past, MAX_REMEMBERED);
    const before = this.waiting.get(id);
    if (!before) return undefined;
    this.leave(before);
    return { before };
  }

  private enter(session: SessionView): void {
    this.waiting.set(session.id, session);
    this.past.delete(session.id);
    const lane = this.lanes.get(session.topic);
    if (lane) lane.splice(placeIn(lane, session), 0, session);
    else this.lanes.set(session.topic, [session]);
  }

  private leave(session: SessionView): void {
    this.waiting.delete(session.id);
    const lane = this.lanes.get(session.topic);
    if (!lane) return;
    lane.splice(placeIn(lane, session), 1);
    if (lane.length === 0) this.lanes.delete(session.topic);
  }
}

/** Where a session stands in a lane, or would. */
const placeIn = (lane: readonly SessionView[], session: SessionView): number =>
  bisect(lane, (other) => compareWaiting(other, session) < 0);

/** What several changes in a row come to, for somebody who sees the queue of this topic, or of all. Pure. */
export function summarise(
  deltas: readonly QueueDelta[],
  topic: string | undefined,
): Pick<QueueChange, "added" | "changed" | "removed"> | undefined {
  const net = new Map<string, QueueDelta>();
  for (const { before, after } of deltas) {
    const id = (before ?? after)?.id;
    if (id === undefined) continue;
    const first = net.get(id);
    const was = first ? first.before : before;
    net.set(id, { ...(was && { before: was }), ...(after && { after }) });
  }
  const sees = (session: SessionView | undefined): session is SessionView =>
    session !== undefined && (topic === undefined || session.topic === topic);
  const change = { added: [] as SessionView[], changed: [] as SessionView[], removed: [] as string[] };
  for (const { before, after } of net.values()) {
    if (sees(after)) (sees(before) ? change.changed : change.added).push(after);
    else if (sees(before)) change.removed.push(before.id);
  }
  return change.added.length + change.changed.length + change.removed.length > 0 ? change : undefined;
}
