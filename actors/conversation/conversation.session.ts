import type { ConversationCommand, Draft, Facts } from "./conversation.commands";
import type { EventData, SessionState } from "./conversation.events";
import { noop, refuse, type Ruling } from "./conversation.ruling";
import type { ConversationState } from "./conversation.state";

type SessionCommand = ConversationCommand<"claim" | "return" | "transfer" | "close" | "closing">;

/** The rules of the support side: who may do what to a session, and when. Pure. */
export function decideSession(state: ConversationState, command: SessionCommand, facts: Facts | undefined): Ruling {
  const { session } = state;
  if (!session) return refuse("NOT_FOUND");
  switch (command.action) {
    case "claim":
      return claim(session, command, state.seq);
    case "return":
      return giveBack(session, command);
    case "transfer":
      return transfer(session, command, facts);
    case "close":
      return close(session, command);
    case "closing":
      return closing(session, command);
  }
}

const withReason = (reason: string | undefined): { reason?: string } => (reason === undefined ? {} : { reason });

function claim(session: SessionState, { by, params }: ConversationCommand<"claim">, seq: number): Ruling {
  if (session.status === "closed") return refuse("SESSION_CLOSED");
  if (session.agentId === by) return noop(seq);
  if (session.agentId !== undefined) return refuse("SESSION_TAKEN", { agentId: session.agentId });
  if (session.customerId === by) return refuse("FORBIDDEN");
  return { event: { type: "session.assigned", data: { agentId: by, ...withReason(params.reason) } } };
}

function giveBack(session: SessionState, { by, params, supervises }: ConversationCommand<"return">): Ruling {
  const refusal = notServing(session, by, supervises);
  if (refusal) return refusal;
  const from = session.agentId;
  if (from === undefined) return refuse("SESSION_NOT_ASSIGNED");
  return { event: { type: "session.returned", data: { from, ...withReason(params.reason) } } };
}

function transfer(
  session: SessionState,
  { by, params, supervises }: ConversationCommand<"transfer">,
  facts: Facts | undefined,
): Ruling {
  const refusal = notServing(session, by, supervises);
  if (refusal) return refusal;
  const { agentId, topic } = params.to;
  const data: EventData["session.transferred"] = {};
  if (session.agentId !== undefined) data.from = session.agentId;
  if (params.note !== undefined) data.note = params.note;
  if (agentId !== undefined) {
    if (agentId === session.agentId || agentId === session.customerId) return refuse("VALIDATION", onField("to"));
    return { event: { type: "session.transferred", data: { ...data, agentId } } };
  }
  if (topic === undefined || topic === session.topic) return refuse("VALIDATION", onField("to"));
  return toTopic(session, { ...data, topic }, facts);
}

/** Takes the key of the new topic and ends the one of the old, in one event. */
function toTopic(session: SessionState, data: EventData["session.transferred"], facts: Facts | undefined): Ruling {
  const key = facts?.key;
  if (!key) return refuse("INTERNAL");
  if (key.holder !== undefined) return refuse("SESSION_EXISTS", { sessionId: key.holder });
  return { event: { type: "session.transferred", data, key: key.next, endsOpen: session.openKey } };
}

function close(session: SessionState, { by, params, supervises }: ConversationCommand<"close">): Ruling {
  if (by !== session.customerId && by !== session.agentId && !supervises) return refuse("NOT_FOUND");
  if (session.status === "closed") return refuse("SESSION_CLOSED");
  return { event: { type: "session.closed", data: withReason(params.reason), endsOpen: session.openKey } };
}

function closing(session: SessionState, { params, supervises }: ConversationCommand<"closing">): Ruling {
  if (!supervises) return refuse("NOT_FOUND");
  if (session.status === "closed") return refuse("SESSION_CLOSED");
  if (session.status === "closing") return noop(0);
  return { event: { type: "session.closing", data: withReason(params.reason) } };
}

/** Only who has the session, or a supervisor, may hand it on. */
function notServing(session: SessionState, by: string, supervises: boolean): Ruling | undefined {
  if (session.status === "closed") {
    return by === session.agentId || supervises ? refuse("SESSION_CLOSED") : refuse("NOT_FOUND");
  }
  if (supervises || by === session.agentId) return undefined;
  return refuse(session.agentId === undefined ? "SESSION_NOT_ASSIGNED" : "NOT_FOUND");
}

const onField = (field: string) => ({ fields: [{ field, problem: "names the present one" }] });

/** The session as an event leaves it; undefined for events that do not touch it. Pure. */
export function sessionAfter(session: SessionState | undefined, draft: Draft, at: number): SessionState | undefined {
  if (draft.type === "session.opened") {
    const { topic, urgency, subject, customerId } = draft.data;
    const opened: SessionState = {
      status: "unassigned",
      topic,
      urgency,
      customerId,
      openedAt: at,
      openKey: draft.key ?? "",
    };
    return subject === undefined ? opened : { ...opened, subject };
  }
  if (!session) return undefined;
  switch (draft.type) {
    case "session.assigned":
      return assigned(session, draft.data.agentId, at);
    case "session.returned":
      return waiting(session);
    case "session.transferred":
      if (draft.data.agentId !== undefined) return assigned(session, draft.data.agentId, at);
      return { ...waiting(session), topic: draft.data.topic ?? session.topic, openKey: draft.key ?? session.openKey };
    case "session.closing":
      return { ...session, status: "closing" };
    case "session.closed": {
      const over: SessionState = { ...session, status: "closed", closedAt: at };
      return draft.data.reason === undefined ? over : { ...over, closeReason: draft.data.reason };
    }
    default:
      return undefined;
  }
}

/** A session that is closing keeps that status, whoever serves it. */
const statusBut = (session: SessionState, status: SessionState["status"]) =>
  session.status === "closing" ? "closing" : status;

const assigned = (session: SessionState, agentId: string, at: number): SessionState => ({
  ...session,
  status: statusBut(session, "assigned"),
  agentId,
  assignedAt: at,
});

function waiting(session: SessionState): SessionState {
  const { agentId: _agentId, assignedAt: _assignedAt, ...rest } = session;
  return { ...rest, status: statusBut(session, "unassigned") };
}
