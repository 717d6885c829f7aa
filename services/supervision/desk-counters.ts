import type { Static } from "@sinclair/typebox";
import type { StoredEvent } from "../../actors/conversation/conversation.events";
import { bisect } from "../../lib/bisect";
import { keepNewest } from "../../lib/keep-newest";
import type { TopicCounts } from "./supervision.contract";

/** A session as far as it is counted. */
export interface CountedSession {
  readonly id: string;
  /** The event through which this is known. */
  readonly seq: number;
  readonly topic: string;
  readonly status: string;
  /** When the wait began, in wall-clock milliseconds. */
  readonly enteredAt: number;
}

/** How a topic stands. */
export type CountsOfTopic = Static<typeof TopicCounts>;

interface Lane {
  waiting: number;
  assigned: number;
  closing: number;
  /** When the waits began, in order. */
  readonly since: number[];
}

/** Sessions that have ended are remembered, so that a late event does not bring one back. */
const MAX_REMEMBERED = 50_000;

/**
 * How many sessions of each topic wait, are served and are about to close, kept from session events that may come late,
 * twice or out of order: of each session only what is newer than the newest thing known counts. A change costs a binary
 * search, however many sessions there are. Pure but for what it keeps.
 */
export class DeskCounters {
  private readonly open = new Map<string, CountedSession>();
  private readonly ended = new Map<string, number>();
  private readonly lanes = new Map<string, Lane>();
  private readonly changed = new Set<string>();

  /** Takes a session as it was at some event. */
  put(session: CountedSession): void {
    const { id, seq, status } = session;
    const before = this.open.get(id);
    if (seq <= (before?.seq ?? this.ended.get(id) ?? 0)) return;
    if (before) this.count(before, -1);
    if (status === "closed") this.end(id, seq);
    else {
      this.ended.delete(id);
      this.open.set(id, session);
      this.count(session, 1);
    }
  }

  /** Takes an event of any conversation; everything that concerns no session is ignored. */
  apply({ conversationId: id, seq, session }: StoredEvent): void {
    if (!session) return;
    const { topic, status, enteredAt } = session;
    this.put({ id, seq, topic, status, enteredAt });
  }

  /** The open sessions by id, with the event through which each is known. */
  seqs(): Map<string, number> {
    return new Map([...this.open].map(([id, { seq }]) => [id, seq]));
  }

  /** A session of which nothing newer than `seq` is known is not open any more. */
  gone(id: string, seq: number): void {
    const before = this.open.get(id);
    if (before?.seq !== seq) return;
    this.count(before, -1);
    this.end(id, seq);
  }

  /** Every topic that has open sessions. */
  all(): CountsOfTopic[] {
    return [...this.lanes.keys()].map((topic) => this.of(topic));
  }

  /** The topics that have changed since this was last asked; one without open sessions has zeros. */
  takeChanges(): CountsOfTopic[] {
    const topics = [...this.changed];
    this.changed.clear();
    return topics.map((topic) => this.of(topic));
  }

  private of(topic: string): CountsOfTopic {
    const { waiting = 0, assigned = 0, closing = 0, since = [] } = this.lanes.get(topic) ?? {};
    const [first] = since;
    const counts = { topic, waiting, assigned, closing };
    return first === undefined ? counts : { ...counts, waitingSince: new Date(first).toISOString() };
  }

  private end(id: string, seq: number): void {
    this.open.delete(id);
    this.ended.set(id, seq);
    keepNewest(this.ended, MAX_REMEMBERED);
  }

  private count({ topic, status, enteredAt }: CountedSession, by: 1 | -1): void {
    const lane = this.lanes.get(topic) ?? { waiting: 0, assigned: 0, closing: 0, since: [] };
    this.lanes.set(topic, lane);
    this.changed.add(topic);
    if (status === "unassigned") {
      lane.waiting += by;
      const place = bisect(lane.since, (since) => since < enteredAt);
      lane.since.splice(place, by === 1 ? 0 : 1, ...(by === 1 ? [enteredAt] : []));
    } else if (status === "assigned") lane.assigned += by;
    else lane.closing += by;
    if (lane.waiting + lane.assigned + lane.closing === 0) this.lanes.delete(topic);
  }
}
