import { Type } from "@sinclair/typebox";
import { contract } from "../../lib/contract";
import { Appended, Attachment, Audience, CommandId, EventSeq, Id, Message, Seq, Text, Time } from "../schemas";

const actor = { kind: "conversation", id: "conversationId" };
const onMessage = { conversationId: Id, commandId: CommandId, seq: EventSeq };

export const send = contract({
  name: "message.send",
  summary: "Send a message; answered when it is durable",
  params: Type.Object({
    conversationId: Id,
    commandId: CommandId,
    text: Type.Optional(Text),
    attachments: Type.Optional(Type.Array(Attachment, { minItems: 1, maxItems: 10 })),
    replyTo: Type.Optional(EventSeq),
    baseSeq: Type.Optional(Seq),
    force: Type.Optional(Type.Boolean()),
    audience: Type.Optional(Audience),
    whisper: Type.Optional(Type.Boolean({ description: "Supervisors only, and only with the audience `staff`" })),
  }),
  result: Type.Object({ seq: EventSeq, id: Id, at: Time }),
  access: "user",
  errors: ["NOT_FOUND", "FORBIDDEN", "SESSION_CLOSED", "STALE_VIEW", "COMMAND_REUSED", "UNKNOWN_OUTCOME"],
  rest: { method: "POST", path: "/conversations/:conversationId/messages", status: 201 },
  socket: "message.send",
  keepsDeadline: true,
  actor,
});

export const edit = contract({
  name: "message.edit",
  summary: "Replace the text of one's own message",
  params: Type.Object({ ...onMessage, text: Text }),
  result: Appended,
  access: "user",
  errors: [
    "NOT_FOUND",
    "FORBIDDEN",
    "MESSAGE_DELETED",
    "LIMIT_REACHED",
    "SESSION_CLOSED",
    "COMMAND_REUSED",
    "UNKNOWN_OUTCOME",
  ],
  rest: { method: "PUT", path: "/conversations/:conversationId/messages/:seq" },
  socket: "message.edit",
  actor,
});

export const remove = contract({
  name: "message.delete",
  summary: "Delete one's own message; its place in the log stays",
  params: Type.Object(onMessage),
  result: Appended,
  access: "user",
  errors: ["NOT_FOUND", "FORBIDDEN", "MESSAGE_DELETED", "COMMAND_REUSED", "UNKNOWN_OUTCOME"],
  rest: { method: "DELETE", path: "/conversations/:conversationId/messages/:seq" },
  socket: "message.delete",
  actor,
});

export const react = contract({
  name: "message.react",
  summary: "Add or take back a reaction",
  params: Type.Object({ ...onMessage, emoji: Type.String({ minLength: 1, maxLength: 32 }), on: Type.Boolean() }),
  result: Appended,
  access: "user",
  errors: ["NOT_FOUND", "MESSAGE_DELETED", "LIMIT_REACHED", "SESSION_CLOSED", "COMMAND_REUSED", "UNKNOWN_OUTCOME"],
  rest: { method: "POST", path: "/conversations/:conversationId/messages/:seq/reactions" },
  socket: "message.react",
  actor,
});

export const history = contract({
  name: "message.history",
  summary: "Read messages, oldest first; `before` and `after` are exclusive",
  params: Type.Object({
    conversationId: Id,
    before: Type.Optional(Seq),
    after: Type.Optional(Seq),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 50 })),
  }),
  result: Type.Object({ messages: Type.Array(Message), hasMore: Type.Boolean() }),
  access: "user",
  errors: ["NOT_FOUND"],
  rest: { method: "GET", path: "/conversations/:conversationId/messages" },
  socket: "message.history",
  actor,
});

const receipt = Type.Object({ conversationId: Id, seq: Seq });
const Watermark = Type.Object({ seq: Seq });

export const delivered = contract({
  name: "message.delivered",
  summary: "Tell that everything through `seq` has arrived",
  params: receipt,
  result: Watermark,
  access: "user",
  errors: ["NOT_FOUND"],
  rest: { method: "POST", path: "/conversations/:conversationId/delivered" },
  socket: "receipt.delivered",
  actor,
});

export const read = contract({
  name: "message.read",
  summary: "Tell that everything through `seq` has been read",
  params: receipt,
  result: Watermark,
  access: "user",
  errors: ["NOT_FOUND"],
  rest: { method: "POST", path: "/conversations/:conversationId/read" },
  socket: "receipt.read",
  actor,
});
