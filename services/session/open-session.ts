import type { Context } from "moleculer";
import type { StoredEvent } from "../../actors/conversation/conversation.events";
import type { Desk } from "../../actors/conversation/conversation.session-state";
import type { ConversationStore } from "../../actors/conversation/conversation.store";
import type { Params } from "../../lib/contract";
import { isParleyError, ParleyError } from "../../lib/errors";
import type { Meta } from "../auth/principal";
import { callerOf, commandOf, derivedId } from "../conversation-command";
import { type SessionView, sessionView } from "../conversation-views";
import { callRoom } from "../room/room.internal";
import type { Urgency } from "../schemas";
import type { open } from "./session.contract";

type OpenContext = Context<Params<typeof open>, Meta>;

export interface OpenParts {
  readonly store: ConversationStore;
  /** What the session takes over from its topic. */
  desk(ctx: OpenContext, topic: string, hint: Urgency): Promise<Desk>;
}

/**
 * Opens a session, or answers with the customer's open one of the topic. Opening with a first text is two commands, of
 * which the second has the derived id `<commandId>/text`: each is stored once, however often the request is repeated.
 */
export async function openSession(ctx: OpenContext, parts: OpenParts): Promise<SessionView> {
  const earlier = await findEarlier(ctx, parts.store);
  if (earlier) return earlier;
  for (let attempt = 1; ; attempt++) {
    const session = await openOrFind(ctx, parts);
    try {
      return await withText(ctx, session);
    } catch (error) {
      // The open session that was found has been closed meanwhile: now a new one can be opened.
      const closed = isParleyError(error) && error.type === "SESSION_CLOSED" && session.existing;
      if (!closed || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

const MAX_ATTEMPTS = 3;
const DEFAULTS = { topic: "other", urgency: "normal" } as const;

/** What an earlier try of the same request has made, completed where it stopped half way. */
async function findEarlier(ctx: OpenContext, store: ConversationStore): Promise<SessionView | undefined> {
  const { commandId } = ctx.params;
  const made = await store.commandAnywhere(callerOf(ctx).id, [commandId, textId(commandId)]);
  const opened = made.find((event) => event.type === "session.opened" && event.commandId === commandId);
  if (opened?.session) {
    if (opened.request !== openCommand(ctx).request) throw new ParleyError("COMMAND_REUSED");
    return withText(ctx, sessionView(opened.conversationId, opened.session, opened.seq));
  }
  const texted = made.find((event) => event.commandId === textId(commandId));
  if (!texted) return undefined;
  if (texted.request !== textCommand(ctx)?.request) throw new ParleyError("COMMAND_REUSED");
  return existing(ctx, texted.conversationId);
}

async function openOrFind(ctx: OpenContext, { desk }: OpenParts): Promise<SessionView> {
  const conversationId = derivedId("conversation", callerOf(ctx).id, ctx.params.commandId);
  const { topic, urgency } = wishOf(ctx);
  const command = openCommand(ctx, await desk(ctx, topic, urgency));
  try {
    const outcome = await callRoom(ctx, "room.command", { conversationId, command });
    if ("event" in outcome && outcome.event.session) return viewOf(outcome.event);
    throw new ParleyError("COMMAND_REUSED");
  } catch (error) {
    const sessionId = isParleyError(error) && error.type === "SESSION_EXISTS" ? error.data?.sessionId : undefined;
    if (typeof sessionId !== "string") throw error;
    return existing(ctx, sessionId);
  }
}

async function withText(ctx: OpenContext, session: SessionView): Promise<SessionView> {
  const command = textCommand(ctx);
  if (!command) return session;
  const outcome = await callRoom(ctx, "room.command", { conversationId: session.id, command }).catch(
    (error: unknown) => {
      throw halfDone(error, session);
    },
  );
  return "event" in outcome ? { ...session, lastSeq: Math.max(session.lastSeq, outcome.event.seq) } : session;
}

/** What says that nothing was written speaks of the text alone: the session is stored. */
function halfDone(error: unknown, { existing: found = false }: SessionView): unknown {
  const saysNothing = isParleyError(error) && (error.type === "UNAVAILABLE" || error.type === "TOO_BUSY");
  return saysNothing && !found ? new ParleyError("UNKNOWN_OUTCOME") : error;
}

async function existing(ctx: OpenContext, conversationId: string): Promise<SessionView> {
  const found = await callRoom(ctx, "room.session", { conversationId });
  if (!found) throw new ParleyError("UNAVAILABLE");
  return { ...sessionView(conversationId, found.session, found.lastAll), existing: true };
}

const wishOf = ({ params: { topic = DEFAULTS.topic, urgency = DEFAULTS.urgency } }: OpenContext) => ({
  topic,
  urgency,
});

/** What the client sent makes it the same command, whatever the topic has become meanwhile. */
function openCommand(ctx: OpenContext, desk?: Desk) {
  const { commandId, subject, text } = ctx.params;
  const sent = { ...wishOf(ctx), ...(subject !== undefined && { subject }) };
  return commandOf(ctx, commandId, "open", { ...sent, ...(desk && { desk }) }, { ...sent, text });
}

function textCommand(ctx: OpenContext) {
  const { commandId, text } = ctx.params;
  return text === undefined ? undefined : commandOf(ctx, textId(commandId), "send", { text });
}

const textId = (commandId: string): string => `${commandId}/text`;

const viewOf = ({ conversationId, session, seq }: StoredEvent): SessionView => {
  if (!session) throw new TypeError("an opened session is in its event");
  return sessionView(conversationId, session, seq);
};
