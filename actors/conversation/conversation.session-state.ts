import type { Draft } from "./conversation.commands";
import type { Audience } from "./conversation.events";

export type SessionStatus = "unassigned" | "assigned" | "closing" | "closed";

/** The times that a session lives by, in milliseconds; an absent one is off. A topic's, copied when it is entered. */
export interface SessionRules {
  /** An assignee who neither opens nor answers for so long loses the session. */
  readonly attendMs?: number;
  /** Whom a session was transferred to must take it up in this time, or it goes back. */
  readonly acceptMs?: number;
  /** Silence after which the customer is warned, and after which the session is closed. */
  readonly warnMs?: number;
  readonly expireMs?: number;
  /** After opening. */
  readonly closingMs: number;
  readonly noShowMs: number;
  /** How long after its end a session can be reopened. */
  readonly reopenMs?: number;
  /** What becomes of an agent's sessions when the last connection has been lost for `graceMs`. */
  readonly offline: "keep" | "return";
  readonly graceMs: number;
}

const DAY_MS = 86_400_000;

/** The rules of a topic that nobody has described. */
export const DEFAULT_RULES: SessionRules = {
  closingMs: 30 * DAY_MS,
  noShowMs: 90 * DAY_MS,
  reopenMs: 7 * DAY_MS,
  offline: "keep",
  graceMs: 60_000,
};

/** By how many milliseconds a session stands before one that entered at the same time, and why. */
export interface HeadStart {
  /** Of the topic's urgency class. */
  readonly class: number;
  /** Of the strongest keyword rule that fits the first messages; `rule` names it. */
  readonly keyword?: number;
  readonly rule?: string;
  /** Of the customer's tier. */
  readonly tier?: number;
  /** Of the urgency that the customer asked for. */
  readonly hint?: number;
}

export const totalOf = (headStart: HeadStart): number =>
  headStart.class + (headStart.keyword ?? 0) + (headStart.tier ?? 0) + (headStart.hint ?? 0);

/** What a session takes over from its topic when it enters. */
export interface Desk {
  readonly headStart: HeadStart;
  readonly rules: SessionRules;
}

const DEFAULT_DESK: Desk = { headStart: { class: 0 }, rules: DEFAULT_RULES };

/** How the agent came to have it. */
export type Via = "claim" | "push" | "transfer" | "takeover";

export interface Rating {
  readonly score: number;
  readonly comment?: string;
  readonly at: number;
}

/** The support side of a conversation. Times are wall-clock milliseconds. */
export interface SessionState extends Desk {
  readonly status: SessionStatus;
  readonly topic: string;
  /** The one in force; who may see it is for `urgencyFor` to say. */
  readonly urgency: string;
  /** What the customer asked for; absent when nothing has changed it. */
  readonly askedUrgency?: string;
  readonly subject?: string;
  readonly customerId: string;
  readonly openedAt: number;
  /** The key that makes it the customer's only open session of the topic. */
  readonly openKey: string;
  /** When the wait began. Returned, it has not ended. */
  readonly enteredAt: number;
  /** The place in the queue, `enteredAt` less the head start: lower comes first. Only events change it. */
  readonly rank: number;
  readonly agentId?: string;
  readonly via?: Via;
  readonly assignedAt?: number;
  /** The event that gave it to the agent. */
  readonly assignedSeq?: number;
  /** Since when the agent is known to have opened or answered it. */
  readonly attendedAt?: number;
  /** Who handed it on, and has it again when it is not taken up. */
  readonly formerAgentId?: string;
  /** The slot of the agent that it takes; only a session that was pushed has one. */
  readonly slotKey?: string;
  /** Who served it last. */
  readonly lastAgentId?: string;
  readonly warnedAt?: number;
  readonly reopenedAt?: number;
  /** It came here after it had ended. */
  readonly imported?: true;
  readonly closedAt?: number;
  readonly closeReason?: string;
  readonly rating?: Rating;
}

/** What a customer has who asked for nothing. */
const UNASKED_URGENCY = "normal";

/** How urgent the session is to a viewer: what lifts it is the staff's, a customer sees what they asked for. Pure. */
export function urgencyFor(
  { urgency, askedUrgency = urgency, imported }: Pick<SessionState, "urgency" | "askedUrgency" | "imported">,
  viewer: Audience,
): string {
  if (viewer === "staff") return urgency;
  return imported ? UNASKED_URGENCY : askedUrgency;
}

/** Where and when an event is decided. */
interface Moment {
  readonly at: number;
  readonly seq: number;
}

/** The session as an event leaves it; undefined for events that do not touch it. Pure. */
export function sessionAfter(
  session: SessionState | undefined,
  draft: Draft,
  moment: Moment,
): SessionState | undefined {
  if (draft.type === "session.opened") return opened(draft, moment);
  if (draft.type === "session.imported") return imported(draft, moment);
  if (!session) return undefined;
  switch (draft.type) {
    case "session.assigned": {
      const given = assigned(session, draft.data.agentId, draft.data.via, moment);
      return draft.key === undefined ? given : { ...given, slotKey: draft.key };
    }
    case "session.attended":
      return { ...session, attendedAt: moment.at };
    case "session.transferred":
      return transferred(session, draft, moment);
    case "session.bounced":
      return draft.data.agentId === undefined
        ? waiting(session)
        : { ...assigned(session, draft.data.agentId, "transfer", moment), attendedAt: moment.at };
    case "session.returned":
      return waiting(session);
    case "session.reclassified":
      return reclassified(session, draft);
    case "session.warned":
      return { ...session, warnedAt: moment.at };
    case "session.closing":
      return { ...session, status: "closing" };
    case "session.closed":
      return closed(session, draft.data.reason, moment.at);
    case "session.reopened":
      return reopened(session, draft, moment.at);
    case "session.rated": {
      const { score, comment } = draft.data;
      return { ...session, rating: { score, ...(comment !== undefined && { comment }), at: moment.at } };
    }
    default:
      return undefined;
  }
}

type DraftOf<T extends Draft["type"]> = Extract<Draft, { type: T }>;

const ranked = (session: Omit<SessionState, "rank">): SessionState => ({
  ...session,
  rank: session.enteredAt - totalOf(session.headStart),
});

function opened(draft: DraftOf<"session.opened" | "session.imported">, { at }: Moment): SessionState {
  const { data, key = "", desk = DEFAULT_DESK } = draft;
  const { topic, urgency, subject, customerId } = data;
  const session = { status: "unassigned", topic, urgency, customerId, openedAt: at, enteredAt: at } as const;
  return ranked({ ...session, ...desk, openKey: key, ...(subject !== undefined && { subject }) });
}

function imported(draft: DraftOf<"session.imported">, moment: Moment): SessionState {
  const { agentId, closedAt, reason } = draft.data;
  const session = opened(draft, moment);
  const served = agentId === undefined ? session : { ...session, agentId, lastAgentId: agentId };
  return { ...closed(served, reason, closedAt), imported: true };
}

function reclassified(session: SessionState, { data }: DraftOf<"session.reclassified">): SessionState {
  const { urgency, headStart } = data;
  return ranked({ ...session, urgency, askedUrgency: session.askedUrgency ?? session.urgency, headStart });
}

function transferred(session: SessionState, draft: DraftOf<"session.transferred">, moment: Moment): SessionState {
  const { agentId, topic = session.topic, from } = draft.data;
  if (agentId !== undefined) {
    const given = assigned(session, agentId, "transfer", moment);
    return from === undefined ? given : { ...given, formerAgentId: from };
  }
  const { desk = DEFAULT_DESK, key = session.openKey } = draft;
  return ranked({ ...waiting(session), ...desk, topic, openKey: key });
}

function assigned(session: SessionState, agentId: string, via: Via, { at, seq }: Moment): SessionState {
  const given = { agentId, lastAgentId: agentId, via, assignedAt: at, assignedSeq: seq };
  return { ...waiting(session), status: statusBut(session, "assigned"), ...given };
}

/** A session that is closing keeps that status, whoever serves it. */
const statusBut = (session: SessionState, status: SessionStatus): SessionStatus =>
  session.status === "closing" ? "closing" : status;

/** Back in the queue, at its old place. */
function waiting(session: SessionState): SessionState {
  const { agentId: _a, via: _v, assignedAt: _t, assignedSeq: _s, attendedAt: _o, ...rest } = session;
  const { formerAgentId: _f, slotKey: _k, ...left } = rest;
  return { ...left, status: statusBut(session, "unassigned") };
}

function closed(session: SessionState, reason: string | undefined, at: number): SessionState {
  const { slotKey: _slot, ...rest } = session;
  return { ...rest, status: "closed", closedAt: at, ...(reason !== undefined && { closeReason: reason }) };
}

function reopened(session: SessionState, draft: DraftOf<"session.reopened">, at: number): SessionState {
  const { key = session.openKey, desk } = draft;
  const { closedAt: _closedAt, closeReason: _closeReason, warnedAt: _warnedAt, ...rest } = session;
  const again = { ...waiting({ ...rest, status: "unassigned" }), openKey: key };
  return ranked({ ...again, ...desk, enteredAt: at, reopenedAt: at });
}
