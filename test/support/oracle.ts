/**
 * The oracle: given what every client did and saw, and what the server finally holds, was the promise kept? Pure, and
 * linear in the number of commands and events, so that it judges half a million of them.
 */

/** The rules, by the letters used in reports. */
export const RULES = {
  A: "every acknowledged command is in the history exactly once, where and as acknowledged",
  B: "the seqs of a history are 1..n",
  C: "what a member saw is in order and, once quiet, equals the history",
  D: "a sender's messages are in sending order",
  E: "an unacknowledged command is in the history once or not at all",
  F: "nobody received what is not theirs",
} as const;

export interface SentCommand {
  readonly conversationId: string;
  readonly commandId: string;
  /** What was asked for, in a form that `HistoryEvent.content` repeats; for a message, its text. */
  readonly intent?: string;
  /** The acknowledged seq; absent while the outcome is unknown or refused. */
  readonly seq?: number;
}

export interface SeenEvent {
  readonly seq: number;
  readonly prevSeq: number;
  readonly id: string;
}

/** One client: a socket that one user kept open, lost and reopened. */
export interface ClientLog {
  readonly user: string;
  /** In the order in which they were first sent. */
  readonly sent: Iterable<SentCommand>;
  /** By conversation, in the order in which the client took them over. */
  readonly seen: ReadonlyMap<string, readonly SeenEvent[]>;
  /** Seq from which the client followed a conversation; 0, the beginning, when absent. */
  readonly since?: ReadonlyMap<string, number>;
}

export interface HistoryEvent {
  readonly seq: number;
  readonly id: string;
  readonly by: string;
  readonly commandId: string;
  readonly content?: string;
  /** `all` when absent. */
  readonly audience?: "all" | "staff";
}

/** Seqs during which a user was a member, both ends included. */
export interface Stay {
  readonly from: number;
  readonly to?: number;
  readonly staff?: boolean;
}

export interface History {
  readonly conversationId: string;
  /** Ascending. */
  readonly events: readonly HistoryEvent[];
  readonly members: ReadonlyMap<string, readonly Stay[]>;
}

export interface Violation {
  readonly rule: keyof typeof RULES;
  readonly conversationId: string;
  readonly user?: string;
  readonly seq?: number;
  readonly commandId?: string;
  readonly detail: string;
}

interface Part {
  readonly user: string;
  readonly sent: SentCommand[];
  readonly seen: readonly SeenEvent[];
  readonly since: number;
}

/**
 * Judges a run after it went quiet (every client connected and caught up).
 * @returns every violation found, empty when the promise was kept
 */
export function judge(logs: Iterable<ClientLog>, histories: Iterable<History>): Violation[] {
  const parts = byConversation(logs);
  const violations: Violation[] = [];
  for (const history of histories) {
    violations.push(...judgeConversation(history, parts.get(history.conversationId) ?? []));
    parts.delete(history.conversationId);
  }
  for (const [conversationId, rest] of parts) violations.push(...withoutHistory(conversationId, rest));
  return violations;
}

function byConversation(logs: Iterable<ClientLog>): Map<string, Part[]> {
  const parts = new Map<string, Part[]>();
  for (const log of logs) {
    const own = new Map<string, Part>();
    const part = (conversationId: string): Part => {
      const known = own.get(conversationId);
      if (known) return known;
      const seen = log.seen.get(conversationId) ?? [];
      const fresh: Part = { user: log.user, sent: [], seen, since: log.since?.get(conversationId) ?? 0 };
      own.set(conversationId, fresh);
      const others = parts.get(conversationId);
      if (others) others.push(fresh);
      else parts.set(conversationId, [fresh]);
      return fresh;
    };
    for (const command of log.sent) part(command.conversationId).sent.push(command);
    for (const conversationId of log.seen.keys()) part(conversationId);
  }
  return parts;
}

function* withoutHistory(conversationId: string, parts: readonly Part[]): Generator<Violation> {
  for (const { user, sent, seen } of parts) {
    for (const { commandId, seq } of sent)
      if (seq !== undefined)
        yield { rule: "A", conversationId, user, seq, commandId, detail: "acknowledged, but there is no history" };
    for (const { seq } of seen)
      yield { rule: "F", conversationId, user, seq, detail: "received from a conversation without a history" };
  }
}

function* judgeConversation(history: History, parts: readonly Part[]): Generator<Violation> {
  yield* gaps(history);
  const byCommand = new Map<string, HistoryEvent>();
  for (const event of history.events) {
    const key = `${event.by} ${event.commandId}`;
    const first = byCommand.get(key);
    if (first) yield twice(history, parts, first, event);
    else byCommand.set(key, event);
  }
  for (const part of parts) {
    yield* acknowledged(history, part, byCommand);
    yield* sendingOrder(history, part, byCommand);
    yield* strangers(history, part);
    yield* view(history, part);
  }
}

function* gaps({ conversationId, events }: History): Generator<Violation> {
  let expected = 1;
  for (const { seq } of events) {
    if (seq !== expected) yield { rule: "B", conversationId, seq, detail: `expected seq ${expected}` };
    expected = seq + 1;
  }
}

/** A command that made two events breaks A when somebody was told it is done, else E. */
function twice(history: History, parts: readonly Part[], first: HistoryEvent, second: HistoryEvent): Violation {
  const { by, commandId, seq } = second;
  const acked = parts.some(
    ({ user, sent }) => user === by && sent.some((command) => command.commandId === commandId && command.seq),
  );
  const detail = `already at seq ${first.seq}`;
  return { rule: acked ? "A" : "E", conversationId: history.conversationId, user: by, seq, commandId, detail };
}

function* acknowledged(history: History, part: Part, byCommand: Map<string, HistoryEvent>): Generator<Violation> {
  for (const { commandId, seq, intent } of part.sent) {
    const event = byCommand.get(`${part.user} ${commandId}`);
    const where = { conversationId: history.conversationId, user: part.user, commandId };
    if (seq !== undefined && !event) yield { rule: "A", ...where, seq, detail: "acknowledged, but not in the history" };
    if (!event) continue;
    if (seq !== undefined && seq !== event.seq)
      yield { rule: "A", ...where, seq, detail: `acknowledged at this seq, but stored at ${event.seq}` };
    if (intent !== undefined && event.content !== undefined && event.content !== intent)
      yield { rule: seq === undefined ? "E" : "A", ...where, seq: event.seq, detail: "stored with another content" };
  }
}

function* sendingOrder(history: History, part: Part, byCommand: Map<string, HistoryEvent>): Generator<Violation> {
  let last = 0;
  for (const { commandId } of part.sent) {
    const seq = byCommand.get(`${part.user} ${commandId}`)?.seq;
    if (seq === undefined) continue;
    if (seq < last) {
      const detail = `sent after the message at seq ${last}`;
      yield { rule: "D", conversationId: history.conversationId, user: part.user, seq, commandId, detail };
    }
    last = Math.max(last, seq);
  }
}

const isFor = (stays: readonly Stay[], event: HistoryEvent): boolean =>
  stays.some(
    (stay) =>
      event.seq >= stay.from &&
      event.seq <= (stay.to ?? Number.MAX_SAFE_INTEGER) &&
      (stay.staff === true || event.audience !== "staff"),
  );

function* strangers(history: History, { user, seen }: Part): Generator<Violation> {
  const stays = history.members.get(user) ?? [];
  const bySeq = new Map(history.events.map((event) => [event.seq, event]));
  for (const { seq } of seen) {
    const event = bySeq.get(seq);
    if (event && !isFor(stays, event))
      yield { rule: "F", conversationId: history.conversationId, user, seq, detail: "not visible to this user" };
  }
}

/** What the client took over must be, one for one, what the history holds for it. */
function* view(history: History, { user, seen, since }: Part): Generator<Violation> {
  const { conversationId } = history;
  const stays = history.members.get(user) ?? [];
  const owed = history.events.filter((event) => event.seq > since && isFor(stays, event));
  const stored = new Map(history.events.map((event) => [event.seq, event.id]));
  const got = new Set<number>();
  let last = since;
  for (const { seq, prevSeq, id } of seen) {
    const where = { rule: "C", conversationId, user, seq } as const;
    if (got.has(seq)) yield { ...where, detail: "seen twice" };
    else if (seq <= last) yield { ...where, detail: `seen after seq ${last}` };
    else if (prevSeq !== last)
      yield { ...where, detail: `names ${prevSeq} as the event before it, but that was ${last}` };
    if (stored.get(seq) !== id) yield { ...where, detail: "seen, but not in the history like this" };
    got.add(seq);
    last = Math.max(last, seq);
  }
  for (const { seq, commandId } of owed)
    if (!got.has(seq)) yield { rule: "C", conversationId, user, seq, commandId, detail: "never seen" };
}

/** One line per violation, the first `limit` of them, for a test's failure message. */
export const report = (violations: readonly Violation[], limit = 20): string =>
  violations
    .slice(0, limit)
    .map(
      ({ rule, conversationId, user = "", seq = "", commandId = "", detail }) =>
        `${rule} ${conversationId} seq=${seq} user=${user} command=${commandId}: ${detail}`,
    )
    .join("\n");
