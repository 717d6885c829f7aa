import { Type } from "@sinclair/typebox";
import { contract } from "../../lib/contract";
import { Id, literals, Seq, Session, STAFF, Time } from "../schemas";

const MODES = ["pull", "push"] as const;
const TIMER_KINDS = ["no-show", "expire", "accept", "attend", "closing", "warn"] as const;

export const queue = contract({
  name: "session.queue",
  summary: "Subscribe to the waiting sessions, of one topic or of all: a snapshot, then `queue` events",
  params: Type.Object({
    subscribe: Type.Boolean({ description: "false ends the subscription; without a topic all of the socket" }),
    topic: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  }),
  result: Type.Object({
    seq: Seq,
    epoch: Type.Optional(Type.String({ description: "Names the numbering that `seq` belongs to" })),
    sessions: Type.Array(Session),
  }),
  access: { roles: STAFF },
  errors: ["LIMIT_REACHED"],
  socket: "session.queue",
});

const Count = Type.Integer({ minimum: 0 });
const Ms = Type.Integer({ description: "Milliseconds" });

export const explain = contract({
  name: "session.explain",
  summary: "Tell why a session stands where it stands in the queue, and why it has the agent that it has",
  params: Type.Object({ sessionId: Id }),
  result: Type.Object({
    session: Session,
    words: Type.Array(Type.String({ description: "A sentence" })),
    headStart: Type.Object({
      total: Ms,
      class: Ms,
      keyword: Type.Optional(Ms),
      rule: Type.Optional(Type.String({ description: "The keyword rule" })),
      tier: Type.Optional(Ms),
      hint: Type.Optional(Ms),
    }),
    ahead: Type.Optional(
      Type.Integer({ minimum: 0, description: "Waiting sessions of the topic before it; 10,000 means that or more" }),
    ),
    topic: Type.Object({
      id: Type.String(),
      name: Type.String(),
      mode: literals(MODES),
      skills: Type.Array(Type.String()),
      open: Type.Boolean(),
      opensAt: Type.Optional(Time),
    }),
    push: Type.Optional(
      Type.Object(
        {
          reason: Type.String(),
          at: Time,
          agents: Type.Array(Type.Object({ agentId: Id, verdict: Type.String(), load: Count, capacity: Count })),
        },
        { description: "How it was pushed, or why it could not be" },
      ),
    ),
    timer: Type.Optional(
      Type.Object({ kind: literals(TIMER_KINDS), dueAt: Time }, { description: "What time does to it next" }),
    ),
  }),
  access: { roles: STAFF },
  errors: ["NOT_FOUND"],
  rest: { method: "GET", path: "/sessions/:sessionId/explain" },
  socket: "session.explain",
  actor: { kind: "conversation", id: "sessionId" },
});
