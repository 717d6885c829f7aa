import type { HeadStart } from "../../actors/conversation/conversation.session-state";
import type { Tier, Urgency } from "../schemas";

const MINUTE_MS = 60_000;

/** In milliseconds, as everything here. */
export const CLASS_MS: Readonly<Record<Urgency, number>> = {
  low: 0,
  normal: 5 * MINUTE_MS,
  high: 15 * MINUTE_MS,
  urgent: 60 * MINUTE_MS,
};

const TIER_MS: Readonly<Record<Tier, number>> = { none: 0, silver: 5 * MINUTE_MS, gold: 10 * MINUTE_MS };

/** Less than what lies between two classes: nobody leaves a class by asking. */
const HINT_MS: Readonly<Record<Urgency, number>> = { low: 0, normal: 40_000, high: 80_000, urgent: 2 * MINUTE_MS };

export interface HeadStartReasons {
  readonly topic: { readonly urgency: Urgency };
  /** From `classify`, as is `rule`. */
  readonly keywordMs?: number | undefined;
  readonly rule?: string | undefined;
  readonly tier?: Tier | undefined;
  /** The customer's own word; a normal one when absent. */
  readonly hint?: Urgency | undefined;
}

/** The head start of a session; what gives nothing is absent, but for the class. */
export function headStartOf({
  topic,
  keywordMs = 0,
  rule,
  tier = "none",
  hint = "normal",
}: HeadStartReasons): HeadStart {
  return {
    class: CLASS_MS[topic.urgency],
    ...(keywordMs > 0 && { keyword: keywordMs, ...(rule !== undefined && { rule }) }),
    ...(TIER_MS[tier] > 0 && { tier: TIER_MS[tier] }),
    ...(HINT_MS[hint] > 0 && { hint: HINT_MS[hint] }),
  };
}
