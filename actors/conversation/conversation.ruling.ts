import type { Decision } from "../../lib/actor/behaviour";
import type { ErrorType } from "../../lib/errors";
import type { Draft, NoOp } from "./conversation.commands";

/** What a rule answers: a draft event, a refusal, or a no-op. */
export type Ruling = Decision<Draft, NoOp>;

export const refuse = (refusal: ErrorType, data?: Record<string, unknown>): Ruling =>
  data ? { refusal, data } : { refusal };
export const noop = (seq: number): Ruling => ({ noop: { seq } });
