import { type Static, type TArray, type TSchema, Type } from "@sinclair/typebox";

/** Shapes shared by several contracts. Their meaning for clients is in docs/protocol.md. */

export const Id = Type.String({ minLength: 1, maxLength: 64, description: "Opaque identifier" });
export const CommandId = Type.String({
  minLength: 1,
  maxLength: 64,
  description: "Chosen by the caller, fresh for each new request; repeating a request with it is safe",
});
export const Seq = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
export const EventSeq = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
export const Time = Type.String({ format: "date-time", description: "ISO 8601, UTC" });
export const Limit = Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 50 }));
export const Cursor = Type.Optional(Type.String({ minLength: 1, maxLength: 256 }));

export const ROLES = ["customer", "agent", "supervisor", "admin"] as const;
export type Role = (typeof ROLES)[number];
/** Roles whose holders serve sessions. */
export const STAFF = ["agent", "supervisor", "admin"] as const satisfies readonly Role[];

/** How much a customer is worth to be served early, least first. */
export const TIERS = ["none", "silver", "gold"] as const;
export type Tier = (typeof TIERS)[number];

export const literals = <T extends string>(values: readonly T[], description?: string) =>
  Type.Unsafe<T>({ type: "string", enum: [...values], ...(description !== undefined && { description }) });

export const User = Type.Object({
  id: Id,
  name: Type.String(),
  email: Type.Optional(Type.String()),
  roles: Type.Array(literals(ROLES)),
  guest: Type.Boolean(),
  tier: Type.Optional(literals(TIERS)),
  createdAt: Time,
});

export const TokenPair = Type.Object({
  accessToken: Type.String(),
  refreshToken: Type.String(),
  expiresIn: Type.Integer({ description: "Seconds until the access token expires" }),
  user: User,
});

export const Attachment = Type.Object({
  /** Clients turn it into a link: nothing but the web is behind it. */
  url: Type.String({ minLength: 1, maxLength: 2_000, format: "uri", pattern: "^https?://" }),
  name: Type.Optional(Type.String({ maxLength: 200 })),
  type: Type.Optional(Type.String({ maxLength: 100, description: "Media type" })),
  size: Type.Optional(Type.Integer({ minimum: 0, description: "Bytes" })),
});

/** The default of TEXT_LENGTH, and the most that it may be set to is 4 times this. */
export const TEXT_LENGTH = 8_000;
/** `x-limit` names the setting that replaces `maxLength` on a server. */
export const Text = Type.String({ minLength: 1, maxLength: TEXT_LENGTH, "x-limit": "TEXT_LENGTH" });

export const Audience = literals(["staff"], "Only who serves the conversation sees it; absent when every member does");

export const Message = Type.Object({
  conversationId: Id,
  seq: EventSeq,
  id: Id,
  at: Time,
  by: Id,
  text: Type.Optional(Type.String()),
  attachments: Type.Optional(Type.Array(Attachment)),
  replyTo: Type.Optional(EventSeq),
  editedAt: Type.Optional(Time),
  deletedAt: Type.Optional(Time),
  audience: Type.Optional(Audience),
  whisper: Type.Optional(Type.Boolean({ description: "A note of a supervisor to whoever serves the session" })),
  imported: Type.Optional(Type.Boolean({ description: "It was said elsewhere, before it came here" })),
  reactions: Type.Optional(
    Type.Record(Type.String(), Type.Array(Id), { description: "Emoji to the users who gave it" }),
  ),
});

/** An event as clients see it. */
export const Event = Type.Object({
  conversationId: Id,
  seq: EventSeq,
  prevSeq: Seq,
  id: Id,
  type: Type.String(),
  at: Time,
  by: Id,
  data: Type.Record(Type.String(), Type.Unknown()),
  commandId: Type.String(),
  audience: Type.Optional(Audience),
});
export type WireEvent = Static<typeof Event>;

export const SESSION_STATUSES = ["unassigned", "assigned", "closing", "closed"] as const;
export const URGENCIES = ["low", "normal", "high", "urgent"] as const;
export type Urgency = (typeof URGENCIES)[number];

/** How an agent came to have a session. */
export const VIAS = ["claim", "push", "transfer", "takeover"] as const;

export const Rating = Type.Object({
  score: Type.Integer({ minimum: 1, maximum: 5 }),
  comment: Type.Optional(Type.String()),
  at: Time,
});

/** Where a customer stands in the queue of the topic, 1 being the next. */
export const Position = Type.Object({
  from: Type.Integer({ minimum: 1, description: "The position; beyond 10 the first of the band that it is in" }),
  to: Type.Integer({ minimum: 1, description: "The same up to 10; beyond, the last of the band" }),
  waitSeconds: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], {
    description: "By how fast sessions of the topic are taken now; null when that is not known",
  }),
});

const STAFF_ONLY = "For staff only";

export const Session = Type.Object({
  id: Id,
  conversationId: Id,
  status: literals(SESSION_STATUSES),
  topic: Type.String(),
  urgency: literals(URGENCIES, "To its customer the one that they asked for, to staff the one in force"),
  subject: Type.Optional(Type.String()),
  customerId: Id,
  agentId: Type.Optional(Id),
  via: Type.Optional(literals(VIAS, "How the agent came to have it")),
  openedAt: Time,
  enteredAt: Type.Optional(Type.String({ format: "date-time", description: "When the wait began" })),
  assignedAt: Type.Optional(Time),
  attendedAt: Type.Optional(
    Type.String({ format: "date-time", description: `When the agent opened or answered it. ${STAFF_ONLY}` }),
  ),
  reopenedAt: Type.Optional(Time),
  closedAt: Type.Optional(Time),
  closeReason: Type.Optional(Type.String()),
  rating: Type.Optional(Rating),
  lastAgentId: Type.Optional(
    Type.String({ minLength: 1, maxLength: 64, description: `Who served it last. ${STAFF_ONLY}` }),
  ),
  askedUrgency: Type.Optional(
    literals(URGENCIES, `The urgency that the customer sees, when another one is in force. ${STAFF_ONLY}`),
  ),
  rank: Type.Optional(
    Type.Integer({ description: `The place in the queue: the lower comes first, then the id. ${STAFF_ONLY}` }),
  ),
  position: Type.Optional(Position),
  lastSeq: Seq,
  existing: Type.Optional(Type.Boolean({ description: "True when the session was open already" })),
  overCapacity: Type.Optional(
    Type.Boolean({ description: "True in the answer to a claim by which the agent has more than the own capacity" }),
  ),
});

export const KINDS = ["support", "direct", "group"] as const;
export type Kind = (typeof KINDS)[number];

export const Conversation = Type.Object({
  id: Id,
  kind: literals(KINDS),
  title: Type.Optional(Type.String()),
  memberCount: Type.Integer(),
  members: Type.Optional(Type.Array(Id, { description: "Up to 100 of them" })),
  createdAt: Time,
  lastSeq: Seq,
  readSeq: Seq,
  deliveredSeq: Seq,
  unread: Type.Integer({ description: "Unread messages of others; 100 means 100 or more" }),
  lastMessage: Type.Optional(Message),
  session: Type.Optional(Session),
  existing: Type.Optional(Type.Boolean()),
});

export const Appended = Type.Object({ seq: EventSeq });
export const Nothing = Type.Null();

/** A page of `items` and the cursor of the next one, absent on the last. */
export const page = <const K extends string, T extends TSchema>(key: K, items: T) =>
  Type.Intersect([
    Type.Object({ [key]: Type.Array(items) } as Record<K, TArray<T>>),
    Type.Object({ cursor: Type.Optional(Type.String()) }),
  ]);
