import { Type } from "@sinclair/typebox";
import type { ServerEvent } from "../../lib/asyncapi";
import { ERRORS, type ErrorType } from "../../lib/errors";
import { STATUSES } from "../presence/presence.contract";
import { Event, Id, literals, Position, Seq, Session, Time } from "../schemas";
import { TopicCounts } from "../supervision/supervision.contract";

const Receipt = Type.Object({ userId: Id, readSeq: Seq, deliveredSeq: Seq });
const ReceiptCount = Type.Object({ seq: Seq, read: Type.Integer({ minimum: 0 }) });

/** The one table of events that the server sends by itself. */
export const SERVER_EVENTS: readonly ServerEvent[] = [
  {
    name: "events",
    summary: "Events of one conversation in order, one frame per flush; the sender gets its own too",
    payload: Type.Array(Event, { minItems: 1 }),
  },
  {
    name: "receipts",
    summary: "Watermarks that grew: by member, or in a large conversation how many have read through `seq`",
    payload: Type.Object({
      conversationId: Id,
      receipts: Type.Array(Receipt),
      count: Type.Optional(ReceiptCount),
    }),
  },
  {
    name: "typing",
    summary: "Another member is typing, or stopped; forget it after ten seconds",
    payload: Type.Object({ conversationId: Id, userId: Id, on: Type.Boolean() }),
  },
  {
    name: "presence",
    summary: "The status of somebody who shares a conversation changed",
    payload: Type.Object({ userId: Id, status: literals(STATUSES), lastSeenAt: Type.Optional(Time) }),
  },
  {
    name: "queue",
    summary: "The waiting sessions changed; a gap between prevSeq and the last seq means: subscribe again",
    payload: Type.Object({
      seq: Seq,
      prevSeq: Seq,
      epoch: Type.Optional(Type.String({ description: "With a topic only: another one means: subscribe again" })),
      topic: Type.Optional(Type.String({ description: "Of the subscription; absent when that has none" })),
      added: Type.Array(Session),
      changed: Type.Array(Session),
      removed: Type.Array(Id),
    }),
  },
  {
    name: "queue.position",
    summary: "Where the user stands who waits in a session, at most every few seconds and only when it changed",
    payload: Type.Object({ sessionId: Id, ...Position.properties }),
  },
  {
    name: "counters",
    summary: "How topics stand that changed, to subscribers of desk.counters; a gap means: subscribe again",
    payload: Type.Object({
      seq: Seq,
      prevSeq: Seq,
      at: Time,
      agents: Type.Optional(Type.Integer({ minimum: 0 })),
      topics: Type.Array(TopicCounts),
    }),
  },
  {
    name: "watch",
    summary: "A watch of yours has ended: you may no longer, or the server cannot tell",
    payload: Type.Object({ sessionId: Id, on: Type.Boolean() }),
  },
  {
    name: "notification",
    summary: "Something the user was told while away; not sent yet in this version",
    payload: Type.Object({ id: Id, at: Time, type: Type.String(), data: Type.Record(Type.String(), Type.Unknown()) }),
  },
  {
    name: "drain",
    summary: "This node is stopping: connect again after the delay, which is this client's own",
    payload: Type.Object({ reconnectInMs: Type.Integer({ minimum: 0 }) }),
  },
  {
    name: "revoked",
    summary: "The login is over and the socket is being closed",
    payload: Type.Object({ reason: literals(["expired", "revoked"]) }),
  },
  {
    name: "error",
    summary: "The answer to a packet that had no acknowledgement and failed",
    payload: Type.Object({
      type: literals(Object.keys(ERRORS) as ErrorType[]),
      message: Type.String(),
      data: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
      retryable: Type.Boolean(),
      requestId: Type.Optional(Type.String()),
    }),
  },
];
