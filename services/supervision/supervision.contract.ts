import { Type } from "@sinclair/typebox";
import { contract } from "../../lib/contract";
import { Id, Message, Seq, Time } from "../schemas";

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

const Count = Type.Integer({ minimum: 0 });

export const TopicCounts = Type.Object({
  topic: Type.String(),
  waiting: Count,
  assigned: Count,
  closing: Count,
  waitingSince: Type.Optional(Type.String({ format: "date-time", description: "When the longest wait began" })),
  agents: Type.Optional(
    Type.Integer({ minimum: 0, description: "Agents who are online and have the skills of the topic" }),
  ),
});

export const counters = contract({
  name: "desk.counters",
  summary: "Subscribe to how the desk stands: all topics with open sessions, then `counters` events with what changed",
  params: Type.Object({ subscribe: Type.Boolean({ description: "false ends the subscription" }) }),
  result: Type.Object({
    seq: Seq,
    at: Time,
    agents: Type.Optional(Type.Integer({ minimum: 0, description: "Agents who are online" })),
    topics: Type.Array(TopicCounts),
  }),
  access: { roles: [...SUPERVISORS] },
  errors: [],
  socket: "desk.counters",
});
