import {
  type EventType,
  isA,
  type StandingChange,
  standingChanges,
  type StoredEvent,
} from "../../actors/conversation/conversation.events";
import type { SessionState, Via } from "../../actors/conversation/conversation.session-state";
import { SYSTEM } from "../auth/principal";

/** How a segment of a session began, and how it ended. */
export type Began = "opened" | "reopened" | "imported" | "returned" | "bounced" | "transferred" | Via;
export type Ended = "assigned" | "takeover" | "returned" | "bounced" | "transferred" | "closed" | "expired" | "no-show";

/** A time in which a session waited in one topic, or one agent had it. Times are wall-clock milliseconds. */
export interface Segment {
  readonly topic: string;
  /** Who had it; it waited when nobody had. */
  readonly agentId?: string;
  readonly from: number;
  readonly began: Began;
  readonly to?: number;
  readonly ended?: Ended;
  /** Whom a session that had waited was given to. */
  readonly takenBy?: string;
  /** Messages that everybody could see. */
  readonly said: { readonly customer: number; readonly staff: number };
}

/** What statistics need to know of a session: the fold of its log. Immutable. */
export interface SessionFacts {
  readonly customerId: string;
  readonly openedAt: number;
  /** Oldest first, one after the other; between the end and a reopening there is none. */
  readonly segments: readonly Segment[];
  /** Older segments that are no longer kept. */
  readonly dropped: number;
  /** The first answer of the staff that the customer could see. */
  readonly firstResponse?: { readonly at: number; readonly topic: string; readonly agentId: string };
  readonly rating?: { readonly at: number; readonly score: number; readonly topic: string; readonly agentId?: string };
  /** Who has staff standing. */
  readonly staff: readonly string[];
}

/** A session that is handed around without end must fit into a document. */
export const MAX_SEGMENTS = 500;

/**
 * The facts after one more event of the log, which comes in order and without gaps; undefined for conversations that are
 * no sessions. Pure: `factsOf(a ++ b)` is `factsOf(b, factsOf(a))`.
 */
export function factsAfter(facts: SessionFacts | undefined, event: StoredEvent): SessionFacts | undefined {
  if (!facts) return event.seq === 1 && event.session ? begun(event, event.session) : undefined;
  if (isA(event, "message.created")) return withMessage(facts, event);
  const after = withStanding(facts, standingChanges(event));
  const { session } = event;
  if (!session) return after;
  if (isA(event, "session.rated")) return withRating(after, event, session);
  const step = stepOf(event);
  return step ? withStep(after, step, event.at, session) : after;
}

/** Does a session event of this type change the facts? */
export const changesFacts = ({ type }: Pick<StoredEvent, "type">): boolean => !SILENT.has(type);

const SILENT: ReadonlySet<EventType> = new Set<EventType>([
  "session.attended",
  "session.reclassified",
  "session.warned",
  "session.closing",
]);

/** See `factsAfter`. */
export const factsOf = (events: readonly StoredEvent[], facts?: SessionFacts): SessionFacts | undefined =>
  events.reduce(factsAfter, facts);

/** What one event ends and begins. */
interface Step {
  readonly ended?: Ended;
  readonly began?: Began;
}

function stepOf(event: StoredEvent): Step | undefined {
  if (isA(event, "session.assigned")) {
    const { via } = event.data;
    return { ended: via === "takeover" ? "takeover" : "assigned", began: via };
  }
  if (isA(event, "session.transferred")) return { ended: "transferred", began: "transferred" };
  if (isA(event, "session.bounced")) return { ended: "bounced", began: "bounced" };
  if (isA(event, "session.returned")) return { ended: "returned", began: "returned" };
  if (isA(event, "session.closed")) return { ended: endOf(event) };
  if (isA(event, "session.reopened")) return { began: "reopened" };
  return undefined;
}

/** People may give any reason; time gives these two. */
function endOf({ by, data: { reason } }: StoredEvent<"session.closed">): Ended {
  return by === SYSTEM.id && (reason === "expired" || reason === "no-show") ? reason : "closed";
}

function begun(event: StoredEvent, session: SessionState): SessionFacts {
  const { customerId, closedAt } = session;
  // What is closed by its first event has been somebody's elsewhere, for how long nobody knows.
  const began = closedAt === undefined ? "opened" : "imported";
  const segment = segmentOf(session, began, event.at);
  const facts: SessionFacts = {
    customerId,
    openedAt: event.at,
    segments: [closedAt === undefined ? segment : { ...segment, to: Math.max(closedAt, event.at), ended: "closed" }],
    dropped: 0,
    staff: [],
  };
  return withStanding(facts, standingChanges(event));
}

const segmentOf = ({ topic, agentId }: SessionState, began: Began, from: number): Segment => ({
  topic,
  ...(agentId !== undefined && { agentId }),
  from,
  began,
  said: { customer: 0, staff: 0 },
});

function withStep(facts: SessionFacts, { ended, began }: Step, at: number, session: SessionState): SessionFacts {
  const next = began && segmentOf(session, began, at);
  const last = facts.segments.at(-1);
  const before = facts.segments.slice(0, -1);
  const closed = last && (ended && last.to === undefined ? endedBy(last, ended, at, next) : last);
  const segments = [...before, ...(closed ? [closed] : []), ...(next ? [next] : [])];
  const excess = Math.max(0, segments.length - MAX_SEGMENTS);
  return { ...facts, segments: segments.slice(excess), dropped: facts.dropped + excess };
}

/** Clocks of two nodes may differ: nothing ends before it began. */
function endedBy(segment: Segment, ended: Ended, at: number, next: Segment | undefined): Segment {
  const taken = segment.agentId === undefined && next?.agentId !== undefined;
  return { ...segment, to: Math.max(at, segment.from), ended, ...(taken && { takenBy: next.agentId }) };
}

function withMessage(facts: SessionFacts, event: StoredEvent<"message.created">): SessionFacts {
  const last = facts.segments.at(-1);
  if (event.audience !== "all" || !last) return facts;
  const author = event.by === facts.customerId ? "customer" : facts.staff.includes(event.by) ? "staff" : undefined;
  if (!author) return facts;
  const said = { ...last.said, [author]: last.said[author] + 1 };
  const heard = { ...facts, segments: [...facts.segments.slice(0, -1), { ...last, said }] };
  if (author === "customer" || facts.firstResponse) return heard;
  const at = Math.max(event.at, facts.openedAt);
  return { ...heard, firstResponse: { at, topic: last.topic, agentId: event.by } };
}

function withStanding(facts: SessionFacts, changes: readonly StandingChange[]): SessionFacts {
  if (changes.length === 0) return facts;
  const staff = new Set(facts.staff);
  for (const { userId, standing } of changes) {
    if (standing === "staff") staff.add(userId);
    else staff.delete(userId);
  }
  return { ...facts, staff: [...staff].sort() };
}

function withRating(facts: SessionFacts, event: StoredEvent<"session.rated">, session: SessionState): SessionFacts {
  const { topic, lastAgentId } = session;
  const rated = { at: event.at, score: event.data.score, topic };
  return { ...facts, rating: { ...rated, ...(lastAgentId !== undefined && { agentId: lastAgentId }) } };
}
