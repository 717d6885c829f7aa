import { Type } from "@sinclair/typebox";
import { contract } from "../../lib/contract";
import { Id, Message } from "../schemas";

/** Who sees every session and how the desk stands. */
export const SUPERVISORS = ["supervisor", "admin"] as const;

export const watch = contract({
  name: "session.watch",
  summary: "Watch a session unseen: its latest messages, then its events as the staff get them; written down for audit",
  params: Type.Object({
    sessionId: Id,
    on: Type.Boolean({ description: "false ends it; it ends with the connection, too" }),
  }),
  result: Type.Object({
    seq: Type.Integer({ minimum: 0, description: "What comes live is what follows this" }),
    messages: Type.Array(Message, { description: "Up to 100, oldest first" }),
    hasMore: Type.Boolean({ description: "There are earlier ones" }),
  }),
  access: { roles: [...SUPERVISORS] },
  errors: ["NOT_FOUND", "LIMIT_REACHED"],
  socket: "session.watch",
});
