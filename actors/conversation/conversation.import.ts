import type { Action, ConversationCommand, Facts } from "./conversation.commands";
import type { EventData } from "./conversation.events";
import { noop, refuse, type Ruling } from "./conversation.ruling";
import type { SessionState } from "./conversation.session-state";
import { type ConversationState, type Standing, standingIn } from "./conversation.state";

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
  return command.action === "importMessage"
    ? importMessage(state, session, command, facts)
    : importOpen(state, session, facts);
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
  const standing: Standing = standingIn(state, by) ?? facts?.standings?.get(by) ?? "none";
  if (standing === "none") return refuse("NOT_FOUND");
  if (session.reopenedAt !== undefined) return refuse("SESSION_EXISTS", { sessionId: state.id });
  const { text, attachments, audience = "all" } = params;
  if (audience === "staff" && standing !== "staff") return refuse("FORBIDDEN");
  const data: EventData["message.created"] = { imported: true };
  if (text !== undefined) data.text = text;
  if (attachments !== undefined) data.attachments = attachments;
  return { event: { type: "message.created", data, audience, at: params.at } };
}

function importOpen(state: ConversationState, session: SessionState, facts: Facts | undefined): Ruling {
  if (session.reopenedAt !== undefined) return noop(state.seq);
  const key = facts?.key;
  if (!key) return refuse("INTERNAL");
  if (key.holder !== undefined) return refuse("SESSION_EXISTS", { sessionId: key.holder });
  const from = session.agentId === undefined ? {} : { from: session.agentId };
  return { event: { type: "session.reopened", data: from, key: key.next } };
}
