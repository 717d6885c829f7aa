import { Type } from "@sinclair/typebox";
import { contract } from "../../lib/contract";
import { Cursor, Id, Limit, page, Time } from "../schemas";

const Action = Type.String({ minLength: 1, maxLength: 64, description: "What was done, as `session.watch`" });

export const AuditEntry = Type.Object({
  id: Id,
  at: Time,
  by: Id,
  action: Action,
  target: Type.String({ description: "The id of what it was done to" }),
});

export const list = contract({
  name: "audit.list",
  summary: "List what was done that nobody else sees, newest first; of one user, or to one target",
  params: Type.Object({ by: Type.Optional(Id), target: Type.Optional(Id), cursor: Cursor, limit: Limit }),
  result: page("entries", AuditEntry),
  access: { roles: ["admin"] },
  errors: [],
  rest: { method: "GET", path: "/audit" },
  socket: "audit.list",
  repeatable: true,
});
