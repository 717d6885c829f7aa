import { Type } from "@sinclair/typebox";
import { contract } from "../../lib/contract";
import {
  CommandId,
  Cursor,
  Id,
  Limit,
  literals,
  page,
  Seq,
  Session,
  SESSION_STATUSES,
  STAFF,
  Text,
  URGENCIES,
} from "../schemas";

const Reason = Type.Optional(Type.String({ minLength: 1, maxLength: 500 }));
const Topic = Type.String({ minLength: 1, maxLength: 64 });
const actor = { kind: "conversation", id: "sessionId" };
const onSession = { sessionId: Id, commandId: CommandId };

export const open = contract({
  name: "session.open",
  summary: "Open a support session, or return the caller's open one of the same topic",
  params: Type.Object({
    commandId: CommandId,
    topic: Type.Optional(Topic),
    urgency: Type.Optional(literals(URGENCIES)),
    subject: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    text: Type.Optional(Text),
  }),
  result: Session,
  access: "user",
  errors: ["COMMAND_REUSED", "UNKNOWN_OUTCOME"],
  rest: { method: "POST", path: "/sessions", status: 201 },
  socket: "session.open",
});

export const claim = contract({
  name: "session.claim",
  summary: "Take a waiting session; exactly one agent gets it",
  params: Type.Object({ ...onSession, reason: Reason }),
  result: Session,
  access: { roles: STAFF },
  errors: ["NOT_FOUND", "SESSION_TAKEN", "SESSION_CLOSED", "COMMAND_REUSED", "UNKNOWN_OUTCOME"],
  rest: { method: "POST", path: "/sessions/:sessionId/claim" },
  socket: "session.claim",
  actor,
});

export const giveBack = contract({
  name: "session.return",
  summary: "Give an assigned session back to the queue",
  params: Type.Object({ ...onSession, reason: Reason }),
  result: Session,
  access: { roles: STAFF },
  errors: ["NOT_FOUND", "SESSION_NOT_ASSIGNED", "SESSION_CLOSED", "COMMAND_REUSED", "UNKNOWN_OUTCOME"],
  rest: { method: "POST", path: "/sessions/:sessionId/return" },
  socket: "session.return",
  actor,
});

export const close = contract({
  name: "session.close",
  summary: "Close a session",
  params: Type.Object({ ...onSession, reason: Reason }),
  result: Session,
  access: "user",
  errors: ["NOT_FOUND", "SESSION_CLOSED", "COMMAND_REUSED", "UNKNOWN_OUTCOME"],
  rest: { method: "POST", path: "/sessions/:sessionId/close" },
  socket: "session.close",
  actor,
});

export const transfer = contract({
  name: "session.transfer",
  summary: "Hand a session to another agent, or to the queue of another topic",
  params: Type.Object({
    ...onSession,
    to: Type.Object(
      { agentId: Type.Optional(Id), topic: Type.Optional(Topic) },
      { description: "Either agentId or topic", minProperties: 1, maxProperties: 1 },
    ),
    note: Type.Optional(Type.String({ minLength: 1, maxLength: 1_000 })),
  }),
  result: Session,
  access: { roles: STAFF },
  errors: [
    "NOT_FOUND",
    "SESSION_NOT_ASSIGNED",
    "SESSION_CLOSED",
    "SESSION_EXISTS",
    "COMMAND_REUSED",
    "UNKNOWN_OUTCOME",
  ],
  rest: { method: "POST", path: "/sessions/:sessionId/transfer" },
  socket: "session.transfer",
  actor,
});

export const get = contract({
  name: "session.get",
  summary: "Read one session",
  params: Type.Object({ sessionId: Id }),
  result: Session,
  access: "user",
  errors: ["NOT_FOUND"],
  rest: { method: "GET", path: "/sessions/:sessionId" },
  actor,
});

export const list = contract({
  name: "session.list",
  summary: "List sessions: staff see all of them, customers their own; oldest first",
  params: Type.Object({ status: Type.Optional(literals(SESSION_STATUSES)), cursor: Cursor, limit: Limit }),
  result: page("sessions", Session),
  access: "user",
  errors: [],
  rest: { method: "GET", path: "/sessions" },
});

export const queue = contract({
  name: "session.queue",
  summary: "Subscribe to the waiting sessions: a snapshot, then `queue` events",
  params: Type.Object({ subscribe: Type.Boolean() }),
  result: Type.Object({ seq: Seq, sessions: Type.Array(Session) }),
  access: { roles: STAFF },
  errors: [],
  socket: "session.queue",
});

const TRANSCRIPT_FORMATS = ["json", "html", "text"] as const;

export const transcript = contract({
  name: "session.transcript",
  summary: "Write down what was said in a session, as the caller may see it",
  params: Type.Object({
    sessionId: Id,
    format: Type.Optional(
      Type.Unsafe<(typeof TRANSCRIPT_FORMATS)[number]>({
        type: "string",
        enum: [...TRANSCRIPT_FORMATS],
        default: "json",
      }),
    ),
    cursor: Cursor,
  }),
  result: Type.Object({
    format: literals(TRANSCRIPT_FORMATS),
    text: Type.String({ description: "A part of the document; the parts one after the other are the whole" }),
    cursor: Type.Optional(Type.String()),
  }),
  access: "user",
  errors: ["NOT_FOUND"],
  rest: {
    method: "GET",
    path: "/sessions/:sessionId/transcript",
    document: {
      name: "transcript",
      formats: {
        json: { type: "application/json; charset=utf-8", extension: "json" },
        html: { type: "text/html; charset=utf-8", extension: "html" },
        text: { type: "text/plain; charset=utf-8", extension: "txt" },
      },
    },
  },
  socket: "session.transcript",
  actor,
});
