import type { Action, ConversationCommand, Facts } from "./conversation.commands";
import { contentOf, noop, refuse, type Ruling, standingOf } from "./conversation.ruling";
import { reopened } from "./conversation.session";
import type { SessionState } from "./conversation.session-state";
import type { ConversationState } from "./conversation.state";

type Given<A extends Action> = ConversationCommand<A>;
export type ImportCommand = Given<"importSession" | "importMessage" | "importOpen">;

const ACTIONS: ReadonlySet<string> = new Set<ImportCommand["action"]>(["importSession", "importMessage", "importOpen"]);
export const isImportCommand = (command: ConversationCommand): command is ImportCommand => ACTIONS.has(command.action);

/**
 * The rules of what happened elsewhere: a session is imported closed, takes its messages with the times they had, and
 * may then be opened, once, to wait like any other from now on. No time does anything to it before. Pure.
 */
export function decideImport(state: ConversationState, command: ImportCommand, facts: Facts | undefined): Ruling {
  if (!command.supervises) return refuse("NOT_FOUND");
  if (command.action === "importSession") return importSession(state, command);
  const { session } = state;
  if (!session?.imported) return refuse("NOT_FOUND");
  if (command.action === "importMessage") return importMessage(state, session, command, facts);
  return session.reopenedAt === undefined ? reopened(session, facts) : noop(state.seq);
}

function importSession(state: ConversationState, { params: { at, desk, ...data } }: Given<"importSession">): Ruling {
  if (state.seq > 0)
    return state.session?.imported ? noop(state.seq) : refuse("SESSION_EXISTS", { sessionId: state.id });
  return { event: { type: "session.imported", data, at, ...(desk && { desk }) } };
}

function importMessage(
  state: ConversationState,
  session: SessionState,
  { by, params }: Given<"importMessage">,
  facts: Facts | undefined,
): Ruling {
  const standing = standingOf(state, facts, by);
  if (standing === "none") return refuse("NOT_FOUND");
  if (session.reopenedAt !== undefined) return refuse("SESSION_EXISTS", { sessionId: state.id });
  const { at, audience = "all" } = params;
  if (audience === "staff" && standing !== "staff") return refuse("FORBIDDEN");
  return { event: { type: "message.created", data: { ...contentOf(params), imported: true }, audience, at } };
}
