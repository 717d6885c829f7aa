import { type Static, Type } from "@sinclair/typebox";
import { contract } from "../../lib/contract";
import { Attachment, Cursor, Id, literals, Text, Time, URGENCIES } from "../schemas";

/** What something is called where it comes from. */
const OriginId = Type.String({ minLength: 1, maxLength: 60 });

/** Who takes part in a conversation that is imported; without a name they are called by their id. */
const Party = Type.Object({ id: OriginId, name: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })) });

const GivenRating = Type.Object({
  score: Type.Integer({ minimum: 1, maximum: 5 }),
  comment: Type.Optional(Type.String({ minLength: 1, maxLength: 1_000 })),
  at: Time,
});

export const ConversationRecord = Type.Object({
  source: Type.String({
    minLength: 1,
    maxLength: 60,
    description: "The system it comes from. Ids from `parley` are kept, all others are told apart by their source",
  }),
  id: OriginId,
  openedAt: Time,
  closedAt: Type.Optional(Time),
  status: Type.Optional(literals(["closed", "open"] as const)),
  topic: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  urgency: Type.Optional(literals(URGENCIES)),
  subject: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
  reason: Type.Optional(Type.String({ minLength: 1, maxLength: 500 })),
  customer: Party,
  agents: Type.Optional(Type.Array(Party, { maxItems: 50, description: "Everybody else who wrote in it" })),
  agent: Type.Optional(OriginId),
  rating: Type.Optional(GivenRating),
});
export type ConversationRecord = Static<typeof ConversationRecord>;

/** Of one message: more of them would not fit into a request. */
export const MAX_REACTIONS = 100;
const GivenReaction = Type.Object({ emoji: Type.String({ minLength: 1, maxLength: 32 }), by: OriginId, at: Time });

export const MessageRecord = Type.Object({
  id: OriginId,
  at: Time,
  by: OriginId,
  text: Type.Optional(Text),
  attachments: Type.Optional(Type.Array(Attachment, { minItems: 1, maxItems: 10 })),
  note: Type.Optional(Type.Boolean({ description: "Of the staff, for the staff" })),
  whisper: Type.Optional(Type.Boolean({ description: "A note of a supervisor to whoever serves the session" })),
  replyTo: Type.Optional(
    Type.String({ minLength: 1, maxLength: 60, description: "The id of the message before it that it answers" }),
  ),
  editedAt: Type.Optional(
    Type.String({ format: "date-time", description: "When the text became what it is; ISO 8601, UTC" }),
  ),
  deletedAt: Type.Optional(
    Type.String({ format: "date-time", description: "A deleted message has no content; ISO 8601, UTC" }),
  ),
  reactions: Type.Optional(Type.Array(GivenReaction, { minItems: 1, maxItems: MAX_REACTIONS })),
});
export type MessageRecord = Static<typeof MessageRecord>;

const ImportItem = Type.Object({
  conversation: ConversationRecord,
  messages: Type.Array(MessageRecord, { maxItems: 100, description: "The next ones, in order" }),
  last: Type.Boolean({ description: "There are no more" }),
});
export type ImportItem = Static<typeof ImportItem>;

const Refusal = Type.Object({
  message: Type.Optional(Type.Integer({ description: "Index of the message; absent for the whole conversation" })),
  field: Type.String(),
  problem: Type.String(),
});
export type Refusal = Static<typeof Refusal>;

const ImportResult = Type.Object({
  conversationId: Type.Optional(Id),
  stored: Type.Integer({ description: "Messages that are stored, now or before" }),
  refused: Type.Array(Refusal),
});
export type ImportResult = Static<typeof ImportResult>;

export const importConversations = contract({
  name: "bulk.import",
  summary: "Import conversations that took place elsewhere; importing again stores nothing again",
  params: Type.Object({ items: Type.Array(ImportItem, { minItems: 1, maxItems: 50 }) }),
  result: Type.Object({ results: Type.Array(ImportResult, { description: "One for each item, in order" }) }),
  access: { roles: ["admin"] },
  errors: ["UNKNOWN_OUTCOME"],
  rest: { method: "POST", path: "/import/conversations" },
});

export const ExportRecord = Type.Union([
  Type.Intersect([Type.Object({ type: Type.Literal("conversation") }), ConversationRecord]),
  Type.Intersect([Type.Object({ type: Type.Literal("message"), conversation: OriginId }), MessageRecord]),
]);
export type ExportRecord = Static<typeof ExportRecord>;

export const exportConversations = contract({
  name: "bulk.export",
  summary: "Export all support conversations, notes included, in the shape that can be imported",
  params: Type.Object({ cursor: Cursor }),
  result: Type.Object({
    records: Type.Array(ExportRecord, { description: "A conversation, then its messages; and so on" }),
    cursor: Type.Optional(Type.String()),
  }),
  access: { roles: ["admin"] },
  errors: [],
  rest: { method: "GET", path: "/export/conversations" },
});
