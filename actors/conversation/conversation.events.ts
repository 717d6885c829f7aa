import type { LogDocument } from "../../lib/actor/ports";
import type { WireEvent } from "../../services/schemas";
import type { HeadStart, SessionState, Via } from "./conversation.session-state";

/** Who may see an event: every member, or only those who serve the conversation. */
export type Audience = "all" | "staff";

/** Data of each event type. Everything that changes a conversation is one of these. */
export interface EventData {
  "conversation.created": { kind: "direct" | "group"; title?: string; members: string[] };
  /** `whisper`: from a supervisor to whoever serves the session; the audience of such a message is `staff`. */
  "message.created": {
    text?: string;
    attachments?: AttachmentData[];
    replyTo?: number;
    whisper?: true;
    imported?: true;
  };
  "message.edited": { seq: number; text: string; imported?: true };
  "message.deleted": { seq: number; imported?: true };
  "reaction.added": { seq: number; emoji: string; imported?: true };
  "reaction.removed": { seq: number; emoji: string };
  /** `standing` is `staff` for a supervisor who joins a support conversation. */
  "member.joined": { userId: string; standing?: Audience };
  "member.left": { userId: string };
  "session.opened": { topic: string; urgency: string; subject?: string; customerId: string };
  /** It ended before it came here: what follows are its messages and what became of them, with the times they had. */
  "session.imported": {
    topic: string;
    urgency: string;
    subject?: string;
    customerId: string;
    /** Everybody else who wrote in it; `agentId` is who had it last. */
    agentIds: string[];
    agentId?: string;
    closedAt: number;
    reason?: string;
    /** Where it comes from, and what it and its people are called there. */
    source: string;
    sourceId: string;
    parties: Array<{ userId: string; id: string }>;
  };
  /** `from` had it until a supervisor took it over. */
  "session.assigned": { agentId: string; via: Via; from?: string; reason?: string };
  "session.attended": { agentId: string };
  "session.transferred": { from?: string; agentId?: string; topic?: string; note?: string };
  /** Not taken up: back to `agentId`, who had handed it on, or to the queue. */
  "session.bounced": { from: string; agentId?: string; reason: string };
  "session.returned": { from: string; reason?: string };
  "session.reclassified": { urgency: string; headStart: HeadStart };
  /** `expiresAt`: when it is closed unless somebody speaks before, in wall-clock milliseconds. */
  "session.warned": { expiresAt?: number };
  "session.closing": { reason?: string };
  "session.closed": { reason?: string };
  /** `from` served it when it was closed, and no longer does. */
  "session.reopened": { from?: string };
  "session.rated": { score: number; comment?: string; imported?: true };
}

export type ImportedData = EventData["session.imported"];

export interface AttachmentData {
  url: string;
  name?: string;
  type?: string;
  size?: number;
}

export type EventType = keyof EventData;

/** One document of a conversation's log. */
export interface StoredEvent<T extends EventType = EventType> extends LogDocument {
  readonly conversationId: string;
  /** The seq of the event before this one that the same audience may see; 0 when there is none. */
  readonly prevSeq: { readonly all: number; readonly staff: number };
  readonly type: T;
  /** Wall-clock milliseconds of the decision. */
  readonly at: number;
  readonly audience: Audience;
  readonly data: EventData[T];
  /** `<conversationId>/<seq>` of the event this one is about (edit, delete, reaction). */
  readonly about?: string;
  /** The session as this event leaves it; in session events only. */
  readonly session?: SessionState;
  readonly endsOpen?: string;
  readonly endsSlot?: string;
}

/** Narrows an event by its type. */
export const isA = <T extends EventType>(event: StoredEvent, type: T): event is StoredEvent<T> => event.type === type;

/** May somebody of this audience see the event? The one rule; every read path uses it. */
export const maySee = (event: Pick<StoredEvent, "audience">, viewer: Audience): boolean =>
  viewer === "staff" || event.audience === "all";

/**
 * Why and how the staff hand a session among themselves is theirs: everybody else learns only that they do. So is the
 * urgency that an import has: its customer asked for none here.
 */
const STAFF_WORDS: ReadonlySet<string> = new Set(["reason", "note", "source", "sourceId", "parties", "urgency"]);
const HANDED_ON: ReadonlySet<EventType> = new Set<EventType>([
  "session.assigned",
  "session.transferred",
  "session.bounced",
  "session.returned",
  "session.imported",
]);

/** The data of an event that the viewer may see, as far as the viewer may see it. */
function dataFor({ type, data }: StoredEvent, viewer: Audience): EventData[EventType] {
  if (viewer === "staff" || !HANDED_ON.has(type)) return data;
  return Object.fromEntries(Object.entries(data).filter(([field]) => !STAFF_WORDS.has(field))) as typeof data;
}

/** An event as a viewer of this audience gets it. */
export const toWire = (event: StoredEvent, viewer: Audience): WireEvent => ({
  conversationId: event.conversationId,
  seq: event.seq,
  prevSeq: event.prevSeq[viewer],
  id: event._id,
  type: event.type,
  at: new Date(event.at).toISOString(),
  by: event.by,
  data: dataFor(event, viewer),
  commandId: event.commandId,
  ...(event.audience === "staff" && { audience: event.audience }),
});

/** What an event changes in who may see the conversation, from this event on (`member.left`: after it). */
export interface StandingChange {
  readonly userId: string;
  /** The audience the user now belongs to, or `none`. */
  readonly standing: Audience | "none";
}

/** The standing changes of an event, in order. Pure; the actor, the projections and the io nodes all use it. */
export function standingChanges(event: StoredEvent): readonly StandingChange[] {
  if (event.type === "message.created") return NO_CHANGE;
  if (isA(event, "conversation.created"))
    return event.data.members.map((userId) => ({ userId, standing: "all" as const }));
  if (isA(event, "session.opened")) return [{ userId: event.data.customerId, standing: "all" }];
  if (isA(event, "session.imported")) {
    const { customerId, agentIds } = event.data;
    const staff = agentIds.map((userId) => ({ userId, standing: "staff" as const }));
    return [{ userId: customerId, standing: "all" }, ...staff];
  }
  if (isA(event, "session.assigned")) return handedOn(event.data);
  if (isA(event, "session.transferred")) return handedOn(event.data);
  if (isA(event, "session.bounced")) return handedOn(event.data);
  if (isA(event, "session.returned")) return handedOn(event.data);
  if (isA(event, "session.reopened")) return handedOn(event.data);
  if (isA(event, "member.joined")) return [{ userId: event.data.userId, standing: event.data.standing ?? "all" }];
  if (isA(event, "member.left")) return [{ userId: event.data.userId, standing: "none" }];
  return NO_CHANGE;
}

function handedOn({ from, agentId }: { from?: string; agentId?: string }): readonly StandingChange[] {
  const changes: StandingChange[] = from === undefined ? [] : [{ userId: from, standing: "none" }];
  return agentId === undefined ? changes : [...changes, { userId: agentId, standing: "staff" }];
}

const NO_CHANGE: readonly StandingChange[] = [];

/** Bytes of an event on disk and on the wire, estimated from above: a bound for flushes, not a measurement. */
export function sizeOf(event: StoredEvent): number {
  if (!isA(event, "message.created")) return ENVELOPE_BYTES + 3 * JSON.stringify(event.data).length;
  const { text = "", attachments } = event.data;
  const length = attachments ? text.length + JSON.stringify(attachments).length : text.length;
  return ENVELOPE_BYTES + 3 * length;
}

/** All but the data: ids, numbers and a session. */
const ENVELOPE_BYTES = 600;
