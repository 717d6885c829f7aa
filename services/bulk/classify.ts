import type { Urgency } from "../schemas";
import { classify, type KeywordRule } from "../topics/classifier";
import type { Topic } from "../topics/topic";

/** Above every number that a topic has. */
const NUMBERS = 1_000_000_000;
const OTHER = "other";

/**
 * The topic of a conversation that does not say it: the one that is called by name in what the customer said, of several
 * the one of the lowest number; `other` when there is none. Pure.
 */
export function topicIn(texts: readonly string[], topics: readonly Topic[]): string {
  const named = topics
    .filter(({ archived }) => !archived)
    .map(({ id, name, number = NUMBERS - 1 }): KeywordRule => ({
      id,
      words: [id, name],
      headStartMs: Math.max(1, NUMBERS - number),
    }));
  return classify(texts, named)?.rule ?? OTHER;
}

/** The urgency of a conversation that does not say it, and the rule that gave it. Pure. */
export function urgencyIn(
  texts: readonly string[],
  rules: readonly KeywordRule[],
  topic: Pick<Topic, "id" | "urgency">,
): { urgency: Urgency; keywordMs?: number; rule?: string } {
  return classify(texts, rules, topic) ?? { urgency: topic.urgency };
}
