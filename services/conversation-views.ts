import type { Static } from "@sinclair/typebox";
import { type Audience, isA, type StoredEvent } from "../actors/conversation/conversation.events";
import type { WireMessage } from "../actors/conversation/conversation.messages";
import type { Watermark } from "../actors/conversation/conversation.watermarks";
import { type SessionState, urgencyFor } from "../actors/conversation/conversation.session-state";
import type { ConversationState, LastMessage } from "../actors/conversation/conversation.state";
import { type Conversation, type Session, URGENCIES, type Urgency } from "./schemas";

export type SessionView = Static<typeof Session>;
export type ConversationView = Static<typeof Conversation>;

const iso = (at: number): string => new Date(at).toISOString();

/** A session as clients of this audience see it. Pure. */
export function sessionView(
  conversationId: string,
  session: SessionState,
  lastSeq: number,
  viewer: Audience = "all",
): SessionView {
  const { status, topic, subject, customerId, agentId, via, closeReason } = session;
  return {
    id: conversationId,
    conversationId,
    status,
    topic,
    urgency: urgencyOf(session, viewer),
    ...(subject !== undefined && { subject }),
    customerId,
    ...(agentId !== undefined && { agentId }),
    ...(via !== undefined && { via }),
    ...timesOf(session),
    ...(closeReason !== undefined && { closeReason }),
    ...(session.rating && { rating: { ...session.rating, at: iso(session.rating.at) } }),
    ...(viewer === "staff" && staffViewOf(session)),
    lastSeq,
  };
}

function urgencyOf(session: SessionState, viewer: Audience): Urgency {
  const urgency = urgencyFor(session, viewer);
  return URGENCIES.find((known) => known === urgency) ?? "normal";
}

function timesOf({ openedAt, enteredAt, assignedAt, reopenedAt, closedAt }: SessionState) {
  return {
    openedAt: iso(openedAt),
    enteredAt: iso(enteredAt),
    ...(assignedAt !== undefined && { assignedAt: iso(assignedAt) }),
    ...(reopenedAt !== undefined && { reopenedAt: iso(reopenedAt) }),
    ...(closedAt !== undefined && { closedAt: iso(closedAt) }),
  };
}

function staffViewOf(session: SessionState) {
  const { rank, attendedAt, lastAgentId } = session;
  const askedUrgency = urgencyOf(session, "all");
  return {
    rank,
    ...(askedUrgency !== urgencyOf(session, "staff") && { askedUrgency }),
    ...(attendedAt !== undefined && { attendedAt: iso(attendedAt) }),
    ...(lastAgentId !== undefined && { lastAgentId }),
  };
}

/** A conversation as one of its members sees it. Pure. */
export function conversationView(
  state: ConversationState,
  own: { readonly watermark?: Watermark | undefined; readonly unread: number; readonly staff: boolean },
): ConversationView {
  const lastSeq = own.staff ? state.seq : state.lastAll;
  return {
    id: state.id,
    kind: state.kind ?? "group",
    ...(state.title !== undefined && { title: state.title }),
    memberCount: state.memberCount,
    ...(state.listed && { members: [...state.members.keys()] }),
    createdAt: iso(state.createdAt),
    lastSeq,
    readSeq: own.watermark?.readSeq ?? 0,
    deliveredSeq: own.watermark?.deliveredSeq ?? 0,
    unread: own.unread,
    ...(state.lastMessage && { lastMessage: lastMessageView(state.id, state.lastMessage) }),
    ...(state.session && { session: sessionView(state.id, state.session, lastSeq, own.staff ? "staff" : "all") }),
  };
}

/** A conversation as its first event made it: what creating it answers, however often it is repeated. Pure. */
export function createdView(event: StoredEvent): ConversationView {
  if (!isA(event, "conversation.created")) throw new TypeError(`${event.type} creates no conversation`);
  const { kind, title, members } = event.data;
  return {
    id: event.conversationId,
    kind,
    ...(title !== undefined && { title }),
    memberCount: members.length,
    ...(members.length <= 100 && { members }),
    createdAt: iso(event.at),
    lastSeq: event.seq,
    readSeq: 0,
    deliveredSeq: 0,
    unread: 0,
  };
}

function lastMessageView(conversationId: string, message: LastMessage): WireMessage {
  const { seq, id, at, by, text, editedAt, deletedAt } = message;
  return {
    conversationId,
    seq,
    id,
    at: iso(at),
    by,
    ...(text !== undefined && { text }),
    ...(editedAt !== undefined && { editedAt: iso(editedAt) }),
    ...(deletedAt !== undefined && { deletedAt: iso(deletedAt) }),
  };
}
