import { Type } from "@sinclair/typebox";
import { contract } from "../../lib/contract";
import { Cursor, Id, Limit, literals, Nothing, page, STAFF, Text, Time } from "../schemas";

/** Whose replies: those that all staff share, or the caller's own. */
export const SCOPES = ["shared", "own"] as const;
export type Scope = (typeof SCOPES)[number];

const Shortcut = Type.String({
  minLength: 1,
  maxLength: 32,
  pattern: "^[^\\s/\\u0000-\\u001f\\u007f]+$",
  description: "What the agent types, without space and slash; upper and lower case are the same",
});
const named = { scope: literals(SCOPES), shortcut: Shortcut };
const Title = Type.Optional(Type.String({ minLength: 1, maxLength: 200 }));

export const Reply = Type.Object({
  ...named,
  title: Title,
  text: Type.String({ description: "Plain text with {{variables}}" }),
  by: Id,
  updatedAt: Time,
});

export const list = contract({
  name: "replies.list",
  summary: "List canned replies, shared and own, by shortcut",
  params: Type.Object({
    prefix: Type.Optional(Type.String({ maxLength: 32, description: "What the shortcut begins with" })),
    scope: Type.Optional(literals(SCOPES)),
    cursor: Cursor,
    limit: Limit,
  }),
  result: page("replies", Reply),
  access: { roles: STAFF },
  errors: [],
  rest: { method: "GET", path: "/replies" },
  socket: "replies.list",
  repeatable: true,
});

export const put = contract({
  name: "replies.put",
  summary: "Write a canned reply: an own one, or as a supervisor a shared one",
  params: Type.Object({ ...named, title: Title, text: Text }),
  result: Reply,
  access: { roles: STAFF },
  errors: ["LIMIT_REACHED"],
  rest: { method: "PUT", path: "/replies/:scope/:shortcut" },
  socket: "replies.put",
  repeatable: true,
});

export const remove = contract({
  name: "replies.delete",
  summary: "Delete a canned reply; deleting one that is not there is no error",
  params: Type.Object(named),
  result: Nothing,
  access: { roles: STAFF },
  errors: [],
  rest: { method: "DELETE", path: "/replies/:scope/:shortcut" },
  socket: "replies.delete",
  repeatable: true,
});

export const render = contract({
  name: "replies.render",
  summary: "Fill a canned reply in for a session; nothing is sent",
  params: Type.Object({ ...named, sessionId: Id }),
  result: Type.Object({ text: Type.String() }),
  access: { roles: STAFF },
  errors: ["NOT_FOUND"],
  rest: { method: "POST", path: "/replies/:scope/:shortcut/render" },
  socket: "replies.render",
  repeatable: true,
});
