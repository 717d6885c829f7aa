import type { Facts, Target } from "./conversation.commands";
import { type Audience, isA, maySee, type StoredEvent } from "./conversation.events";
import type { Standing } from "./conversation.state";

/**
 * Edits and reactions of one message, taken back or not: every reader of it reads them all. It can be deleted, and what
 * stands be taken back, all the same.
 */
export const MAX_CHANGES = 2_000;

/** The message that a command is about, if whoever gave it may see it. Pure. */
export function visibleMessage(facts: Facts | undefined, standing: Standing): Target | undefined {
  const target = facts?.target;
  if (!target || standing === "none" || !maySee(target.event, standing)) return undefined;
  return isA(target.event, "message.created") ? target : undefined;
}

/** Who sees a message: what answers a note says what was in it. Pure. */
export const audienceOf = (noted: boolean, answered: Target | undefined): Audience =>
  noted || answered?.event.audience === "staff" ? "staff" : "all";

/**
 * An event with what has become of it. Pure.
 * @param changes  the edits, deletions and reactions of it, in log order
 * @param mine  whose reaction is looked for, when a reaction with this emoji is decided
 */
export function toTarget(
  event: StoredEvent,
  changes: readonly StoredEvent[],
  mine: { readonly by: string; readonly emoji?: string },
): Target {
  const reactions = new Map<string, number>();
  let deleted = false;
  for (const change of changes) {
    if (change.type === "message.deleted") deleted = true;
    if (isA(change, "reaction.added")) reactions.set(`${change.by}\n${change.data.emoji}`, change.seq);
    if (isA(change, "reaction.removed")) reactions.delete(`${change.by}\n${change.data.emoji}`);
  }
  const reactionSeq = mine.emoji === undefined ? undefined : reactions.get(`${mine.by}\n${mine.emoji}`);
  const target = { event, deleted, reactions: reactions.size, changes: changes.length };
  return reactionSeq === undefined ? target : { ...target, reactionSeq };
}
