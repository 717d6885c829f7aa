import type { Decision } from "../../lib/actor/behaviour";
import type { ErrorType } from "../../lib/errors";
import type { CommandParams, Draft, Facts, NoOp } from "./conversation.commands";
import type { EventData } from "./conversation.events";
import { type ConversationState, type Standing, standingIn } from "./conversation.state";

/** What a rule answers: a draft event, a refusal, or a no-op. */
export type Ruling = Decision<Draft, NoOp>;

export const refuse = (refusal: ErrorType, data?: Record<string, unknown>): Ruling =>
  data ? { refusal, data } : { refusal };
export const invalid = (field: string, problem: string): Ruling =>
  refuse("VALIDATION", { fields: [{ field, problem }] });
export const noop = (seq: number): Ruling => ({ noop: { seq } });

/** A user's standing, from the state or else from the facts. */
export function standingOf(state: ConversationState, facts: Facts | undefined, userId: string): Standing {
  return standingIn(state, userId) ?? facts?.standings?.get(userId) ?? "none";
}

/** What takes the customer's key of a topic, unless another session has it. */
export function withOpenKey(facts: Facts | undefined, rule: (key: string) => Ruling): Ruling {
  const key = facts?.key;
  if (!key) return refuse("INTERNAL");
  return key.holder === undefined ? rule(key.next) : refuse("SESSION_EXISTS", { sessionId: key.holder });
}

/** What a message says, as its command has it. */
export function contentOf({
  text,
  attachments,
  replyTo,
}: Pick<CommandParams["send"], "text" | "attachments" | "replyTo">): EventData["message.created"] {
  const content: EventData["message.created"] = {};
  if (text !== undefined) content.text = text;
  if (attachments !== undefined) content.attachments = attachments;
  if (replyTo !== undefined) content.replyTo = replyTo;
  return content;
}
