import type { Static } from "@sinclair/typebox";
import { isA, type StoredEvent } from "../actors/conversation/conversation.events";
import type { WireMessage } from "../actors/conversation/conversation.messages";
import type { Watermark } from "../actors/conversation/conversation.watermarks";
import type { SessionState } from "../actors/conversation/conversation.session-state";
import type { ConversationState, LastMessage } from "../actors/conversation/conversation.state";
import { type Conversation, type Session, URGENCIES } from "./schemas";

export type SessionView = Static<typeof Session>;
export type ConversationView = Static<typeof Conversation>;

const iso = (at: number): string => new Date(at).toISOString();

/** A session as clients see it. Pure. */
export function sessionView(conversationId: string, session: SessionState, lastSeq: number): SessionView {
  const { status, topic, urgency, subject, customerId, agentId, openedAt, assignedAt, closedAt, closeReason } = session;
  return {
    id: conversationId,
    conversationId,
    status,
    topic,
    urgency: URGENCIES.find((known) => known === urgency) ?? "normal",
    ...(subject !== undefined && { subject }),
    customerId,
    ...(agentId !== undefined && { agentId }),
    openedAt: iso(openedAt),
    ...(assignedAt !== undefined && { assignedAt: iso(assignedAt) }),
    ...(closedAt !== undefined && { closedAt: iso(closedAt) }),
    ...(closeReason !== undefined && { closeReason }),
    lastSeq,
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
    ...(state.session && { session: sessionView(state.id, state.session, lastSeq) }),
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
