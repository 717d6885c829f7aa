import type { Action, ConversationCommand, Facts } from "./conversation.commands";
import { contentOf, noop, refuse, type Ruling, standingOf } from "./conversation.ruling";
import { reopened } from "./conversation.session";
import type { SessionState } from "./conversation.session-state";
import type { ConversationState, Standing } from "./conversation.state";
import { audienceOf, MAX_CHANGES, visibleMessage } from "./conversation.target";

type Given<A extends Action> = ConversationCommand<A>;

const IMPORT_ACTIONS = [
  "importSession",
  "importMessage",
  "importEdit",
  "importDelete",
  "importReaction",
  "importRating",
  "importOpen",
] as const satisfies readonly Action[];
export type ImportCommand = Given<(typeof IMPORT_ACTIONS)[number]>;

const ACTIONS: ReadonlySet<string> = new Set(IMPORT_ACTIONS);
export const isImportCommand = (command: ConversationCommand): command is ImportCommand => ACTIONS.has(command.action);

/**
 * The rules of what happened elsewhere: a session is imported closed, takes its messages, what became of them and its
 * rating with the times they had, and may then be opened, once, to wait like any other from now on. No time does anything
 * to it before. Pure.
 */
export function decideImport(state: ConversationState, command: ImportCommand, facts: Facts | undefined): Ruling {
  if (!command.supervises) return refuse("NOT_FOUND");
  if (command.action === "importSession") return importSession(state, command);
  const { session } = state;
  if (!session?.imported) return refuse("NOT_FOUND");
  if (command.action === "importOpen")
    return session.reopenedAt === undefined ? reopened(session, facts) : noop(state.seq);
  const standing = standingOf(state, facts, command.by);
  if (standing === "none") return refuse("NOT_FOUND");
  if (session.reopenedAt !== undefined) return refuse("SESSION_EXISTS", { sessionId: state.id });
  switch (command.action) {
    case "importMessage":
      return importMessage(command, facts, standing);
    case "importRating":
      return importRating(state, session, command);
    default:
      return importChange(command, facts, standing);
  }
}

function importSession(state: ConversationState, { params: { at, desk, ...data } }: Given<"importSession">): Ruling {
  if (state.seq > 0)
    return state.session?.imported ? noop(state.seq) : refuse("SESSION_EXISTS", { sessionId: state.id });
  return { event: { type: "session.imported", data, at, ...(desk && { desk }) } };
}

function importMessage({ params }: Given<"importMessage">, facts: Facts | undefined, standing: Standing): Ruling {
  const { at, replyTo, whisper = false } = params;
  const noted = params.audience === "staff";
  if ((noted && standing !== "staff") || (whisper && !noted)) return refuse("FORBIDDEN");
  const target = visibleMessage(facts, standing);
  if (replyTo !== undefined && !target) return refuse("NOT_FOUND");
  const data = { ...contentOf(params), ...(whisper && { whisper }), imported: true as const };
  return { event: { type: "message.created", data, audience: audienceOf(noted, target), at } };
}

function importChange(
  command: Given<"importEdit" | "importDelete" | "importReaction">,
  facts: Facts | undefined,
  standing: Standing,
): Ruling {
  const target = visibleMessage(facts, standing);
  if (!target) return refuse("NOT_FOUND");
  const { by, action } = command;
  const { seq, at } = command.params;
  if (action !== "importReaction" && target.event.by !== by) return refuse("FORBIDDEN");
  const about = { about: seq, at };
  if (action === "importDelete") {
    if (target.deleted) return noop(seq);
    return { event: { type: "message.deleted", data: { seq, imported: true }, ...about } };
  }
  if (target.deleted) return refuse("MESSAGE_DELETED");
  if (action === "importReaction" && target.reactionSeq !== undefined) return noop(target.reactionSeq);
  if (target.changes >= MAX_CHANGES) return refuse("LIMIT_REACHED", { limit: MAX_CHANGES });
  if (action === "importEdit")
    return { event: { type: "message.edited", data: { seq, text: command.params.text, imported: true }, ...about } };
  return { event: { type: "reaction.added", data: { seq, emoji: command.params.emoji, imported: true }, ...about } };
}

function importRating(
  state: ConversationState,
  session: SessionState,
  { by, params: { at, ...given } }: Given<"importRating">,
): Ruling {
  if (by !== session.customerId) return refuse("NOT_FOUND");
  // The last rating counts, and one that was given here is later.
  if (session.rating) return refuse("SESSION_EXISTS", { sessionId: state.id });
  return { event: { type: "session.rated", data: { ...given, imported: true }, at } };
}
