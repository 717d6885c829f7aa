import type { Action, ConversationCommand, Facts } from "./conversation.commands";
import type { EventData } from "./conversation.events";
import { invalid, noop, refuse, type Ruling, withOpenKey } from "./conversation.ruling";
import type { Desk, SessionState } from "./conversation.session-state";
import type { ConversationState } from "./conversation.state";
import { lastHeardOf, nextTimer, type TimerKind } from "./conversation.timers";

type Given<A extends Action> = ConversationCommand<A>;

const SESSION_ACTIONS = [
  "claim",
  "push",
  "attend",
  "decline",
  "return",
  "transfer",
  "close",
  "reopen",
  "rate",
  "reclassify",
  "due",
] as const satisfies readonly Action[];
export type SessionCommand = Given<(typeof SESSION_ACTIONS)[number]>;

const ACTIONS: ReadonlySet<string> = new Set(SESSION_ACTIONS);
export const isSessionCommand = (command: ConversationCommand): command is SessionCommand =>
  ACTIONS.has(command.action);

/** The rules of the support side: who may do what to a session, and when. `now` is wall-clock milliseconds. Pure. */
export function decideSession(
  state: ConversationState,
  command: SessionCommand,
  facts: Facts | undefined,
  now: number,
): Ruling {
  const { session } = state;
  if (!session) return refuse("NOT_FOUND");
  switch (command.action) {
    case "claim":
      return claim(session, command, state.seq);
    case "push":
      return push(session, command, facts, state.seq);
    case "attend":
      return attend(session, command, state.seq);
    case "decline":
      return decline(session, command);
    case "return":
      return giveBack(session, command, state.seq);
    case "transfer":
      return transfer(session, command, facts);
    case "close":
      return close(session, command);
    case "reopen":
      return reopen(session, command, facts, now);
    case "rate":
      return rate(session, command);
    case "reclassify":
      return reclassify(session, command, state.seq);
    case "due":
      return due(state, session, command, facts);
  }
}

const withReason = (reason: string | undefined): { reason?: string } => (reason === undefined ? {} : { reason });

/** What an event gives up that takes the session from its agent. */
const endsSlot = ({ slotKey }: SessionState): { endsSlot?: string } =>
  slotKey === undefined ? {} : { endsSlot: slotKey };

function claim(session: SessionState, { by, params, supervises }: Given<"claim">, seq: number): Ruling {
  if (session.status === "closed") return refuse("SESSION_CLOSED");
  const { agentId } = session;
  if (agentId === by) return noop(seq);
  if (session.customerId === by) return refuse("FORBIDDEN");
  const reason = withReason(params.reason);
  if (agentId === undefined)
    return { event: { type: "session.assigned", data: { agentId: by, via: "claim", ...reason } } };
  if (!params.takeover) return refuse("SESSION_TAKEN", { agentId });
  if (!supervises) return refuse("FORBIDDEN");
  const data = { agentId: by, via: "takeover", from: agentId, ...reason } as const;
  return { event: { type: "session.assigned", data, ...endsSlot(session) } };
}

function push(
  session: SessionState,
  { params: { agentId, slot }, supervises }: Given<"push">,
  facts: Facts | undefined,
  seq: number,
): Ruling {
  if (!supervises) return refuse("NOT_FOUND");
  if (session.status === "closed") return refuse("SESSION_CLOSED");
  if (session.agentId === agentId) return noop(seq);
  if (session.agentId !== undefined) return refuse("SESSION_TAKEN", { agentId: session.agentId });
  if (session.customerId === agentId) return refuse("FORBIDDEN");
  const key = facts?.key;
  if (!key) return refuse("INTERNAL");
  if (key.holder !== undefined) return refuse("LIMIT_REACHED", { limit: slot });
  return { event: { type: "session.assigned", data: { agentId, via: "push" }, key: key.next } };
}

function attend(session: SessionState, { by }: Given<"attend">, seq: number): Ruling {
  if (session.agentId !== by) return refuse("NOT_FOUND");
  if (session.status === "closed") return refuse("SESSION_CLOSED");
  return session.attendedAt === undefined ? attended(by) : noop(seq);
}

const attended = (agentId: string): Ruling => ({
  event: { type: "session.attended", data: { agentId }, audience: "staff" },
});

function decline(session: SessionState, { by, params }: Given<"decline">): Ruling {
  if (session.agentId !== by) return refuse("NOT_FOUND");
  if (session.status === "closed") return refuse("SESSION_CLOSED");
  if (session.attendedAt !== undefined || session.formerAgentId === undefined)
    return invalid("sessionId", "is not offered to you");
  return bounce(session, by, params.reason ?? "declined");
}

function bounce(session: SessionState, from: string, reason: string): Ruling {
  const former = session.formerAgentId;
  const data = { from, reason, ...(former !== undefined && { agentId: former }) };
  return { event: { type: "session.bounced", data, ...endsSlot(session) } };
}

function giveBack(session: SessionState, { by, params, supervises }: Given<"return">, seq: number): Ruling {
  const refusal = notServing(session, by, supervises);
  if (refusal) return refusal;
  const from = session.agentId;
  if (params.from !== undefined && params.from !== from) return noop(seq);
  return from === undefined ? refuse("SESSION_NOT_ASSIGNED") : returned(session, from, params.reason);
}

const returned = (session: SessionState, from: string, reason: string | undefined): Ruling => ({
  event: { type: "session.returned", data: { from, ...withReason(reason) }, ...endsSlot(session) },
});

function transfer(
  session: SessionState,
  { by, params, supervises }: Given<"transfer">,
  facts: Facts | undefined,
): Ruling {
  const refusal = notServing(session, by, supervises);
  if (refusal) return refusal;
  const { agentId, topic } = params.to;
  const data: EventData["session.transferred"] = {};
  if (session.agentId !== undefined) data.from = session.agentId;
  if (params.note !== undefined) data.note = params.note;
  if (agentId !== undefined) {
    if (agentId === session.agentId || agentId === session.customerId) return toPresent();
    return { event: { type: "session.transferred", data: { ...data, agentId }, ...endsSlot(session) } };
  }
  if (topic === undefined || topic === session.topic) return toPresent();
  const desk = params.desk && { desk: params.desk };
  return withOpenKey(facts, (key) => ({
    event: {
      type: "session.transferred",
      data: { ...data, topic },
      key,
      endsOpen: session.openKey,
      ...endsSlot(session),
      ...desk,
    },
  }));
}

function close(session: SessionState, { by, params, supervises }: Given<"close">): Ruling {
  if (by !== session.customerId && by !== session.agentId && !supervises) return refuse("NOT_FOUND");
  return session.status === "closed" ? refuse("SESSION_CLOSED") : closed(session, params.reason);
}

const closed = (session: SessionState, reason: string | undefined): Ruling => ({
  event: { type: "session.closed", data: withReason(reason), endsOpen: session.openKey, ...endsSlot(session) },
});

function reopen(
  session: SessionState,
  { by, supervises, params }: Given<"reopen">,
  facts: Facts | undefined,
  now: number,
): Ruling {
  if (by !== session.customerId && by !== session.agentId && !supervises) return refuse("NOT_FOUND");
  const { status, closedAt, rules } = session;
  if (status !== "closed") return refuse("SESSION_EXISTS", {});
  const { reopenMs } = rules;
  if (closedAt === undefined || reopenMs === undefined || now > closedAt + reopenMs) return refuse("SESSION_CLOSED");
  return reopened(session, facts, params.desk);
}

/** Back in the queue, with the customer's key of the topic. */
export function reopened({ agentId }: SessionState, facts: Facts | undefined, desk?: Desk): Ruling {
  const data = agentId === undefined ? {} : { from: agentId };
  return withOpenKey(facts, (key) => ({ event: { type: "session.reopened", data, key, ...(desk && { desk }) } }));
}

function rate(session: SessionState, { by, params }: Given<"rate">): Ruling {
  if (by !== session.customerId) return refuse("NOT_FOUND");
  if (session.status !== "closed") return invalid("sessionId", "is not closed yet");
  return { event: { type: "session.rated", data: params } };
}

function reclassify(session: SessionState, { params, supervises }: Given<"reclassify">, seq: number): Ruling {
  if (!supervises) return refuse("NOT_FOUND");
  if (session.status === "closed") return refuse("SESSION_CLOSED");
  const same = session.urgency === params.urgency && equal(session.headStart, params.headStart);
  return same ? noop(seq) : { event: { type: "session.reclassified", data: params, audience: "staff" } };
}

const equal = (a: SessionState["headStart"], b: SessionState["headStart"]): boolean =>
  (["class", "keyword", "rule", "tier", "hint"] as const).every((part) => a[part] === b[part]);

/** Only the session's next timer takes effect: whatever was due before, or moved since, does nothing. */
function due(
  state: ConversationState,
  session: SessionState,
  { params: { kind, dueAt }, supervises }: Given<"due">,
  facts: Facts | undefined,
): Ruling {
  if (!supervises) return refuse("NOT_FOUND");
  const timer = nextTimer(state);
  if (timer?.kind !== kind || timer.dueAt !== dueAt) return noop(state.seq);
  return EFFECTS[kind](session, facts, lastHeardOf(state, session));
}

/** `heardAt` is when the silence began. */
type Effect = (session: SessionState, facts: Facts | undefined, heardAt: number) => Ruling;

const EFFECTS: Record<TimerKind, Effect> = {
  "no-show": (session) => closed(session, "no-show"),
  expire: (session) => closed(session, "expired"),
  closing: () => ({ event: { type: "session.closing", data: {} } }),
  warn: ({ rules: { expireMs } }, _facts, heardAt) => ({
    event: { type: "session.warned", data: expireMs === undefined ? {} : { expiresAt: heardAt + expireMs } },
  }),
  attend: (session, facts) => unattended(session, facts, (agentId) => returned(session, agentId, "unattended")),
  accept: (session, facts) => unattended(session, facts, (agentId) => bounce(session, agentId, "not accepted")),
};

/** Who has read the session since it was given to them has opened it. */
function unattended(session: SessionState, facts: Facts | undefined, rule: (agentId: string) => Ruling): Ruling {
  const { agentId, assignedSeq = 0 } = session;
  if (agentId === undefined) return refuse("INTERNAL");
  return (facts?.readSeq ?? 0) >= assignedSeq ? attended(agentId) : rule(agentId);
}

/** Only who has the session, or a supervisor, may hand it on. */
function notServing(session: SessionState, by: string, supervises: boolean): Ruling | undefined {
  if (session.status === "closed") {
    return by === session.agentId || supervises ? refuse("SESSION_CLOSED") : refuse("NOT_FOUND");
  }
  if (supervises || by === session.agentId) return undefined;
  return refuse(session.agentId === undefined ? "SESSION_NOT_ASSIGNED" : "NOT_FOUND");
}

const toPresent = (): Ruling => invalid("to", "names the present one");
