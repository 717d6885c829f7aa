import { isA, type StoredEvent } from "../../actors/conversation/conversation.events";
import type { CommandParams } from "../../actors/conversation/conversation.commands";
import type { SessionState } from "../../actors/conversation/conversation.session-state";
import { URGENCIES, type Urgency } from "../schemas";
import { classify, type KeywordRule } from "../topics/classifier";
import { isWaiting } from "./queue";

/** The customer's messages that are classified, beside the subject. */
const FIRST_MESSAGES = 3;
/** They are looked for among so many of the first events. */
export const FIRST_EVENTS = 12;

/** May this event change how a session is classified? Pure. */
export function bearsOnClass({
  type,
  seq,
  audience,
  data,
}: Pick<StoredEvent, "type" | "seq" | "audience" | "data">): boolean {
  if (type === "message.created") return seq <= FIRST_EVENTS && audience === "all" && !("imported" in data);
  return type === "session.opened" || type === "session.transferred" || type === "session.reopened";
}

/** The texts by which a session is classified: its subject and the customer's first messages. Pure. */
export function firstWords(
  { subject, customerId }: Pick<SessionState, "subject" | "customerId">,
  events: readonly StoredEvent[],
): string[] {
  const said = events.flatMap((event) => (isA(event, "message.created") && event.by === customerId ? [event] : []));
  const texts = said.slice(0, FIRST_MESSAGES).flatMap(({ data: { text } }) => text ?? []);
  return subject === undefined ? texts : [subject, ...texts];
}

/**
 * The place that these texts give a waiting session; undefined when it has that place, or does not wait. It is never
 * told as less urgent than before. Pure.
 */
export function reclassified(
  session: SessionState,
  texts: readonly string[],
  rules: readonly KeywordRule[],
  topic: { readonly id: string; readonly urgency: Urgency },
): CommandParams["reclassify"] | undefined {
  if (!isWaiting(session)) return undefined;
  const { keyword: _keyword, rule: _rule, ...kept } = session.headStart;
  const found = classify(texts, rules, topic);
  const headStart = { ...kept, ...(found && { keyword: found.keywordMs, rule: found.rule }) };
  const urgency = found && isAbove(found.urgency, session.urgency) ? found.urgency : session.urgency;
  return urgency === session.urgency && sameHeadStart(headStart, session.headStart)
    ? undefined
    : { urgency, headStart };
}

const isAbove = (urgency: Urgency, other: string): boolean =>
  URGENCIES.indexOf(urgency) > URGENCIES.findIndex((known) => known === other);

const sameHeadStart = (a: SessionState["headStart"], b: SessionState["headStart"]): boolean =>
  (["class", "keyword", "rule", "tier", "hint"] as const).every((part) => a[part] === b[part]);
