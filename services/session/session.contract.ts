import { Type } from "@sinclair/typebox";
import { contract } from "../../lib/contract";
import { SUPERVISORS } from "../supervision/supervision.contract";
import {
  CommandId,
  Cursor,
  Id,
  Limit,
  literals,
  Message,
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
  summary: "Take a waiting session; exactly one agent gets it. A supervisor may take over one that has an agent",
  params: Type.Object({ ...onSession, reason: Reason, takeover: Type.Optional(Type.Boolean({ default: false })) }),
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

export const attend = contract({
  name: "session.attend",
  summary: "Tell that the caller has opened the own session; takes up one that was transferred to the caller",
  params: Type.Object(onSession),
  result: Session,
  access: { roles: STAFF },
  errors: ["NOT_FOUND", "SESSION_CLOSED", "COMMAND_REUSED", "UNKNOWN_OUTCOME"],
  rest: { method: "POST", path: "/sessions/:sessionId/attend" },
  socket: "session.attend",
  actor,
});

export const decline = contract({
  name: "session.decline",
  summary: "Do not take up a session that was transferred to the caller: it goes back to who handed it on",
  params: Type.Object({ ...onSession, reason: Reason }),
  result: Session,
  access: { roles: STAFF },
  errors: ["NOT_FOUND", "SESSION_CLOSED", "COMMAND_REUSED", "UNKNOWN_OUTCOME"],
  rest: { method: "POST", path: "/sessions/:sessionId/decline" },
  socket: "session.decline",
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

export const reopen = contract({
  name: "session.reopen",
  summary: "Put a closed session back into the queue, within the time that its topic gives",
  params: Type.Object(onSession),
  result: Session,
  access: "user",
  errors: ["NOT_FOUND", "SESSION_CLOSED", "SESSION_EXISTS", "COMMAND_REUSED", "UNKNOWN_OUTCOME"],
  rest: { method: "POST", path: "/sessions/:sessionId/reopen" },
  socket: "session.reopen",
  actor,
});

export const rate = contract({
  name: "session.rate",
  summary: "Rate a closed session of one's own, from 1 to 5; the last rating counts",
  params: Type.Object({
    ...onSession,
    score: Type.Integer({ minimum: 1, maximum: 5 }),
    comment: Type.Optional(Type.String({ minLength: 1, maxLength: 1_000 })),
  }),
  result: Session,
  access: "user",
  errors: ["NOT_FOUND", "COMMAND_REUSED", "UNKNOWN_OUTCOME"],
  rest: { method: "POST", path: "/sessions/:sessionId/rate" },
  socket: "session.rate",
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

export const history = contract({
  name: "session.history",
  summary: "Read the messages of a session without being in it, as its staff see them; written down for audit",
  params: Type.Object({
    sessionId: Id,
    before: Type.Optional(Seq),
    after: Type.Optional(Seq),
    limit: Limit,
  }),
  result: Type.Object({ messages: Type.Array(Message), hasMore: Type.Boolean() }),
  access: { roles: [...SUPERVISORS] },
  errors: ["NOT_FOUND"],
  rest: { method: "GET", path: "/sessions/:sessionId/messages" },
  socket: "session.history",
  actor,
});

const TRANSCRIPT_FORMATS = ["json", "html", "text"] as const;

export const transcript = contract({
  name: "session.transcript",
  summary: "Write down what was said in a session, as the caller may see it; supervisors of any session, for audit",
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
