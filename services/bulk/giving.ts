import type { CommandParams, NoOp } from "../../actors/conversation/conversation.commands";
import type { StoredEvent } from "../../actors/conversation/conversation.events";
import type { ImportCommand } from "../../actors/conversation/conversation.import";
import type { Desk } from "../../actors/conversation/conversation.session-state";
import type { Outcome } from "../../lib/actor/behaviour";
import { type ErrorType, isParleyError } from "../../lib/errors";
import type { ConversationRecord, Refusal } from "./bulk.contract";
import type { Referred } from "./references";

type ImportAction = ImportCommand["action"];

export interface ImportPorts {
  readonly now: number;
  /** Makes those of these users that are unknown. */
  ensureUsers(users: ReadonlyArray<{ readonly id: string; readonly name: string }>): Promise<void>;
  /** Topic, urgency and times of a conversation that does not say all of it itself. */
  place(record: ConversationRecord, texts: readonly string[]): Promise<{ topic: string; urgency: string; desk: Desk }>;
  /** Gives a command in the name of a user, or of the system; `identity` is what makes it the same command again. */
  give<A extends ImportAction>(
    conversationId: string,
    given: { by?: string; commandId: string; action: A; params: CommandParams[A]; identity?: unknown },
  ): Promise<Outcome<StoredEvent, NoOp>>;
  /** See `importedMessage`. */
  messageOf(conversationId: string, userIds: readonly string[], id: string): Promise<Referred | undefined>;
  /** These users have read the conversation through this seq. */
  read(conversationId: string, userIds: readonly string[], seq: number): Promise<void>;
}

/** What is wrong with a part of a record. */
export type Flaw = Omit<Refusal, "message">;

const REFUSALS: Partial<Record<ErrorType, string>> = {
  COMMAND_REUSED: "was imported before, with another content",
  SESSION_EXISTS: "is there already, or in use again",
  NOT_FOUND: "is there already, and was not imported",
  FORBIDDEN: "only agents write notes",
  MESSAGE_DELETED: "was deleted here",
  LIMIT_REACHED: "is more than a message may have",
};

/**
 * The seq that a command came to, or in words why it was refused.
 * @throws what says that nothing is known, or that it may succeed later
 */
export async function attempt(
  give: () => Promise<Outcome<StoredEvent, NoOp>>,
): Promise<{ readonly seq: number } | { readonly refused: string }> {
  try {
    const outcome = await give();
    return { seq: "event" in outcome ? outcome.event.seq : outcome.noop.seq };
  } catch (error) {
    const problem = isParleyError(error) ? REFUSALS[error.type] : undefined;
    if (problem === undefined) throw error;
    return { refused: problem };
  }
}
