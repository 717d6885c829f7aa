import { type Audience, isA, maySee, standingChanges, type StoredEvent } from "./conversation.events";
import type { SessionState } from "./conversation.session-state";

/**
 * Above this many members snapshots no longer list them; standings are then read from the member documents. Support
 * conversations always list theirs, as sessions decide on them: nobody joins one that has so many.
 */
export const LISTED_MEMBERS = 100;
/** Standing changes carried in the state of such a conversation before it is loaded afresh. */
export const MAX_OVERLAY = 512;

export type Standing = Audience | "none";

export interface LastMessage {
  readonly seq: number;
  readonly id: string;
  readonly at: number;
  readonly by: string;
  readonly text?: string;
  readonly editedAt?: number;
  readonly deletedAt?: number;
}

/**
 * The state of a conversation: the fold of its log, bounded. Immutable.
 */
export interface ConversationState {
  readonly id: string;
  /** The last event's seq; 0 before the first. */
  readonly seq: number;
  /** The last seq that the audience `all` may see. */
  readonly lastAll: number;
  readonly kind?: "support" | "direct" | "group";
  readonly title?: string;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly memberCount: number;
  /**
   * Who is in. While `complete`, everybody and nobody else; otherwise only what changed since the snapshot, with `none`
   * for those who left.
   */
  readonly members: ReadonlyMap<string, Standing>;
  /** Until a snapshot without the members is loaded. */
  readonly complete: boolean;
  /** Are the members part of the snapshot and of the view? */
  readonly listed: boolean;
  readonly session?: SessionState;
  /** The last message that everybody may see. */
  readonly lastMessage?: LastMessage;
  /** The last seq at which each of the two latest authors among the staff wrote, latest first. */
  readonly staffWrote: ReadonlyArray<{ readonly by: string; readonly seq: number }>;
}

const NOBODY: ReadonlyMap<string, Standing> = new Map();

/** The state before the first event. */
export const emptyState = (id: string): ConversationState => ({
  id,
  seq: 0,
  lastAll: 0,
  createdAt: 0,
  createdBy: "",
  memberCount: 0,
  members: NOBODY,
  complete: true,
  listed: true,
  staffWrote: [],
});

/** A user's standing as far as the state knows it; undefined when the member document must be asked. */
export function standingIn(state: ConversationState, userId: string): Standing | undefined {
  return state.members.get(userId) ?? (state.complete ? "none" : undefined);
}

/** The state after one more event. Pure; the fold of a log from `emptyState` is the truth. */
export function evolve(state: ConversationState, event: StoredEvent): ConversationState {
  const next: Mutable<ConversationState> = { ...state, seq: event.seq };
  if (event.audience === "all") next.lastAll = event.seq;
  if (event.type === "message.created") {
    evolveMessage(next, event);
    return next;
  }
  if (event.seq === 1) begin(next, event);
  if (event.session) next.session = event.session;
  evolveMembers(next, event);
  evolveLastMessage(next, event);
  return next;
}

/** `apply(fold(a), b) == fold(a ++ b)`: the fold that repairs a snapshot. */
export const fold = (state: ConversationState, events: readonly StoredEvent[]): ConversationState =>
  events.reduce(evolve, state);

function begin(next: Mutable<ConversationState>, event: StoredEvent): void {
  next.createdAt = event.at;
  next.createdBy = event.by;
  if (isA(event, "session.opened") || isA(event, "session.imported")) {
    next.kind = "support";
    if (event.data.subject !== undefined) next.title = event.data.subject;
  }
  if (isA(event, "conversation.created")) {
    next.kind = event.data.kind;
    if (event.data.title !== undefined) next.title = event.data.title;
  }
}

function evolveMessage(next: Mutable<ConversationState>, event: StoredEvent): void {
  if (!isA(event, "message.created")) return;
  if (maySee(event, "all")) {
    const { text } = event.data;
    const last = { seq: event.seq, id: event._id, at: event.at, by: event.by };
    next.lastMessage = text === undefined ? last : { ...last, text };
  }
  if (next.members.get(event.by) !== "staff") return;
  const { session } = next;
  if (session?.agentId === event.by && session.attendedAt === undefined)
    next.session = { ...session, attendedAt: event.at };
  const other = next.staffWrote.find(({ by }) => by !== event.by);
  const mine = { by: event.by, seq: event.seq };
  next.staffWrote = other ? [mine, other] : [mine];
}

function evolveMembers(next: Mutable<ConversationState>, event: StoredEvent): void {
  const changes = standingChanges(event);
  if (changes.length === 0) return;
  const members = new Map(next.members);
  for (const { userId, standing } of changes) {
    const was = members.get(userId) ?? "none";
    const joins = standing !== "none";
    // Whoever the state of a large conversation does not know was checked when the event was decided.
    if (next.complete ? joins && was === "none" : joins && event.type === "member.joined") next.memberCount++;
    if (!joins && (!next.complete || was !== "none")) next.memberCount--;
    if (joins || !next.complete) members.set(userId, standing);
    else members.delete(userId);
  }
  next.members = members;
  if (next.memberCount > LISTED_MEMBERS && next.kind !== "support") next.listed = false;
}

function evolveLastMessage(next: Mutable<ConversationState>, event: StoredEvent): void {
  const last = next.lastMessage;
  if (!last) return;
  if (isA(event, "message.edited") && event.data.seq === last.seq)
    next.lastMessage = { ...last, text: event.data.text, editedAt: event.at };
  if (isA(event, "message.deleted") && event.data.seq === last.seq) {
    const { text: _text, ...rest } = last;
    next.lastMessage = { ...rest, deletedAt: event.at };
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
