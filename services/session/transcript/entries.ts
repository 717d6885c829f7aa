import { type Audience, isA, maySee, type StoredEvent } from "../../../actors/conversation/conversation.events";
import { toMessages, type WireMessage } from "../../../actors/conversation/conversation.messages";
import { SYSTEM } from "../../auth/principal";

export type PartyRole = "customer" | "agent" | "system";

interface Place {
  readonly seq: number;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly by: string;
  readonly name: string;
  readonly role: PartyRole;
}

export interface MessageEntry extends Place {
  readonly kind: "message";
  /** Absent in a deleted message, and where there are attachments only. */
  readonly text?: string;
  readonly attachments?: WireMessage["attachments"];
  readonly replyTo?: number;
  readonly editedAt?: string;
  readonly deletedAt?: string;
  /** Who serves the session wrote it for colleagues; a whisper is a supervisor's. */
  readonly internal?: "note" | "whisper";
}

/** Something that happened to the session, in words. */
export interface EventEntry extends Place {
  readonly kind: "event";
  readonly type: string;
  readonly text: string;
}

/** A line of a transcript. */
export type Entry = MessageEntry | EventEntry;

export interface Viewpoint {
  readonly audience: Audience;
  readonly customerId: string;
  readonly nameOf: (userId: string) => string;
}

/**
 * The lines that a viewer's transcript has for these events of a session, in order. `changes` are edits and deletions of
 * the messages among them. What the viewer may not see is left out, whatever is passed in. Pure.
 */
export function toEntries(events: readonly StoredEvent[], changes: readonly StoredEvent[], view: Viewpoint): Entry[] {
  const visible = events.filter((event) => maySee(event, view.audience));
  const applied = changes.filter((event) => maySee(event, view.audience));
  const messages = new Map(toMessages(visible, applied).map((message) => [message.seq, message]));
  return visible.flatMap((event): Entry[] => {
    const message = messages.get(event.seq);
    if (message) return [messageEntry(event, message, view)];
    const text = describe(event, view);
    return text === undefined ? [] : [{ kind: "event", type: event.type, text, ...placeOf(event, view) }];
  });
}

/** The users whose names these events need. */
export const namedIn = (events: readonly StoredEvent[]): Set<string> =>
  new Set(
    events.flatMap(({ by, data }) => [
      by,
      ...("agentId" in data && data.agentId !== undefined ? [data.agentId] : []),
      ...("userId" in data ? [data.userId] : []),
    ]),
  );

const placeOf = ({ seq, at, by }: StoredEvent, view: Viewpoint): Place => ({
  seq,
  at: new Date(at).toISOString(),
  by,
  name: view.nameOf(by),
  role: by === view.customerId ? "customer" : by === SYSTEM.id ? "system" : "agent",
});

function messageEntry(event: StoredEvent, message: WireMessage, view: Viewpoint): MessageEntry {
  const { text, attachments, replyTo, editedAt, deletedAt } = message;
  const whisper = isA(event, "message.created") && event.data.whisper;
  return {
    kind: "message",
    ...placeOf(event, view),
    ...(text !== undefined && { text }),
    ...(attachments && { attachments }),
    ...(replyTo !== undefined && { replyTo }),
    ...(editedAt !== undefined && { editedAt }),
    ...(deletedAt !== undefined && { deletedAt }),
    ...(event.audience === "staff" && { internal: whisper ? ("whisper" as const) : ("note" as const) }),
  };
}

/** Reasons and notes are the staff's own words among themselves: a customer reads what happened, not why. */
function describe(event: StoredEvent, { audience, nameOf }: Viewpoint): string | undefined {
  const said = (text: string | undefined): string => (audience === "staff" && text !== undefined ? `: ${text}` : "");
  if (isA(event, "session.imported")) return `opened the session, topic ${event.data.topic}`;
  if (isA(event, "session.opened")) return `opened the session, topic ${event.data.topic}`;
  if (isA(event, "session.assigned")) return `${nameOf(event.data.agentId)} has the session${said(event.data.reason)}`;
  if (isA(event, "session.transferred")) {
    const { agentId, topic, note } = event.data;
    const target = agentId === undefined ? `the queue of topic ${topic ?? ""}` : nameOf(agentId);
    return `handed the session on to ${target}${said(note)}`;
  }
  if (isA(event, "session.bounced") || isA(event, "session.returned"))
    return `the session was handed back${said(event.data.reason)}`;
  if (isA(event, "session.warned")) return "nothing was said for a while";
  if (isA(event, "session.closing")) return "the session is about to close";
  if (isA(event, "session.closed")) return `closed the session${said(event.data.reason)}`;
  if (isA(event, "session.reopened")) return "opened the session again";
  if (isA(event, "session.rated")) return rated(event.data);
  if (isA(event, "member.joined")) return `${nameOf(event.data.userId)} joined`;
  if (isA(event, "member.left")) return `${nameOf(event.data.userId)} left`;
  return undefined;
}

const rated = ({ score, comment }: { score: number; comment?: string }): string =>
  `rated the session ${score} of 5${comment === undefined ? "" : `: ${comment}`}`;
