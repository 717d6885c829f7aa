import { type Audience, isA, type StoredEvent } from "../../actors/conversation/conversation.events";
import type { ConversationStore } from "../../actors/conversation/conversation.store";

/** The prefix of the commandId of an imported message; after it comes the id that it had. */
export const MESSAGE_PREFIX = "i:";

/** What a message is called in a file: as where it comes from. */
export const messageIdOf = (event: StoredEvent): string =>
  isA(event, "message.created") && event.data.imported ? event.commandId.slice(MESSAGE_PREFIX.length) : event._id;

/** A message that another one answers. */
export interface Referred {
  readonly seq: number;
  readonly audience: Audience;
}

/**
 * The message of one of these users that was imported with this id, the first one where several were; undefined when
 * there is none.
 */
export async function importedMessage(
  { events }: Pick<ConversationStore, "events">,
  conversationId: string,
  userIds: readonly string[],
  id: string,
): Promise<Referred | undefined> {
  const commandId = MESSAGE_PREFIX + id;
  const asked = { by: { $in: [...userIds] }, commandId, conversationId, type: "message.created" };
  const found = await events.find(asked, { fresh: true });
  return found.sort((a, b) => a.seq - b.seq)[0];
}
