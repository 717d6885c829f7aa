import type { Static } from "@sinclair/typebox";
import type { Message } from "../../services/schemas";
import { isA, type StoredEvent } from "./conversation.events";

export type WireMessage = Static<typeof Message>;

/** Messages as clients see them: what was created, with what later events made of it. Pure. */
export function toMessages(created: readonly StoredEvent[], changes: readonly StoredEvent[]): WireMessage[] {
  const messages = new Map(
    created.flatMap((event) => (isA(event, "message.created") ? [[event.seq, toMessage(event)]] : [])),
  );
  for (const change of changes) {
    const message = "seq" in change.data ? messages.get(change.data.seq) : undefined;
    if (message) apply(message, change);
  }
  return [...messages.values()];
}

function toMessage(event: StoredEvent<"message.created">): WireMessage {
  const { conversationId, seq, _id, at, by, audience, data } = event;
  const message = { conversationId, seq, id: _id, at: new Date(at).toISOString(), by, ...data };
  return audience === "staff" ? { ...message, audience } : message;
}

function apply(message: WireMessage, change: StoredEvent): void {
  const at = new Date(change.at).toISOString();
  if (isA(change, "message.edited")) {
    message.text = change.data.text;
    message.editedAt = at;
  } else if (change.type === "message.deleted") {
    delete message.text;
    delete message.attachments;
    delete message.reactions;
    message.deletedAt = at;
  } else if (isA(change, "reaction.added")) {
    // Without a prototype: an emoji may be called `constructor`.
    const reactions = (message.reactions ??= Object.create(null) as Record<string, string[]>);
    (reactions[change.data.emoji] ??= []).push(change.by);
  } else if (isA(change, "reaction.removed")) {
    removeReaction(message, change.data.emoji, change.by);
  }
}

function removeReaction(message: WireMessage, emoji: string, by: string): void {
  const left = message.reactions?.[emoji]?.filter((userId) => userId !== by) ?? [];
  if (!message.reactions) return;
  if (left.length > 0) message.reactions[emoji] = left;
  else delete message.reactions[emoji];
  if (Object.keys(message.reactions).length === 0) delete message.reactions;
}
