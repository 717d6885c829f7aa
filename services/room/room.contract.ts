import { Type } from "@sinclair/typebox";
import { contract } from "../../lib/contract";
import { CommandId, Conversation, Cursor, Event, Id, Limit, literals, Nothing, page, Seq } from "../schemas";

const actor = { kind: "conversation", id: "conversationId" };
const onConversation = { conversationId: Id, commandId: CommandId };

export const create = contract({
  name: "room.create",
  summary: "Create a direct or group conversation; a direct one exists once per pair",
  params: Type.Object({
    commandId: CommandId,
    kind: literals(["direct", "group"] as const),
    title: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    members: Type.Array(Id, { minItems: 1, maxItems: 100, uniqueItems: true, description: "The other members" }),
  }),
  result: Conversation,
  access: "user",
  errors: ["NOT_FOUND", "LIMIT_REACHED", "COMMAND_REUSED", "UNKNOWN_OUTCOME"],
  rest: { method: "POST", path: "/conversations", status: 201 },
  socket: "conversation.create",
});

export const join = contract({
  name: "room.join",
  summary: "Join a conversation: a supervisor any support conversation",
  params: Type.Object(onConversation),
  result: Conversation,
  access: "user",
  errors: ["NOT_FOUND", "LIMIT_REACHED", "COMMAND_REUSED", "UNKNOWN_OUTCOME"],
  rest: { method: "POST", path: "/conversations/:conversationId/join" },
  socket: "conversation.join",
  actor,
});

export const invite = contract({
  name: "room.invite",
  summary: "Add a user to a group that the caller is a member of",
  params: Type.Object({ ...onConversation, userId: Id }),
  result: Conversation,
  access: "user",
  errors: ["NOT_FOUND", "LIMIT_REACHED", "COMMAND_REUSED", "UNKNOWN_OUTCOME"],
  rest: { method: "POST", path: "/conversations/:conversationId/members" },
  socket: "conversation.invite",
  actor,
});

export const leave = contract({
  name: "room.leave",
  summary: "Leave a group, or a support conversation that the caller joined",
  params: Type.Object(onConversation),
  result: Nothing,
  access: "user",
  errors: ["NOT_FOUND", "COMMAND_REUSED", "UNKNOWN_OUTCOME"],
  rest: { method: "POST", path: "/conversations/:conversationId/leave" },
  socket: "conversation.leave",
  actor,
});

export const get = contract({
  name: "room.get",
  summary: "Read one conversation",
  params: Type.Object({ conversationId: Id }),
  result: Conversation,
  access: "user",
  errors: ["NOT_FOUND"],
  rest: { method: "GET", path: "/conversations/:conversationId" },
  actor,
});

export const list = contract({
  name: "room.list",
  summary: "List the caller's conversations, newest joined first",
  params: Type.Object({ cursor: Cursor, limit: Limit }),
  result: page("conversations", Conversation),
  access: "user",
  errors: [],
  rest: { method: "GET", path: "/conversations" },
  socket: "conversation.list",
});

export const sync = contract({
  name: "room.sync",
  summary: "Catch up: exactly the events after each cursor, or a plain reset",
  params: Type.Object({
    cursors: Type.Record(Type.String(), Seq, { maxProperties: 500, propertyNames: { minLength: 1, maxLength: 64 } }),
  }),
  result: Type.Object({
    events: Type.Array(Event),
    reset: Type.Array(Id, { description: "Conversations to load afresh: no member, unknown, or too far behind" }),
    more: Type.Boolean({ description: "Ask again with the new cursors" }),
  }),
  access: "user",
  errors: [],
  rest: { method: "POST", path: "/conversations/sync" },
  socket: "conversation.sync",
  repeatable: true,
});
