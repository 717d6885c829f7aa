import type { Action, ConversationCommand, Facts } from "./conversation.commands";
import { decideImport, type ImportCommand, isImportCommand } from "./conversation.import";
import { contentOf, noop, refuse, type Ruling, standingOf, withOpenKey } from "./conversation.ruling";
import { decideSession, isSessionCommand, type SessionCommand } from "./conversation.session";
import { type ConversationState, LISTED_MEMBERS, type Standing } from "./conversation.state";
import { audienceOf, MAX_CHANGES, visibleMessage } from "./conversation.target";

export interface Limits {
  readonly members: number;
  /** Distinct reactions on one message. */
  readonly reactions: number;
}

type Given<A extends Action> = ConversationCommand<A>;

/**
 * The rules of a conversation: what a command makes of a state. Pure. Unknown and forbidden conversations are refused
 * alike (NOT_FOUND).
 */
export function decide(
  state: ConversationState,
  command: ConversationCommand,
  facts: Facts | undefined,
  limits: Limits,
  now: number,
): Ruling {
  if (command.action === "create") return create(state, command, limits);
  if (command.action === "open") return open(state, command, facts);
  if (isImportCommand(command)) return decideImport(state, command, facts);
  if (state.seq === 0) return refuse("NOT_FOUND");
  if (command.action === "join") return join(state, command, facts, limits);
  if (isSessionCommand(command)) return decideSession(state, command, facts, now);
  return decideAsMember(state, command, facts, limits);
}

function decideAsMember(
  state: ConversationState,
  command: Exclude<ConversationCommand, SessionCommand | ImportCommand | Given<"create" | "open" | "join">>,
  facts: Facts | undefined,
  limits: Limits,
): Ruling {
  const standing = standingOf(state, facts, command.by);
  if (standing === "none") return refuse("NOT_FOUND");
  switch (command.action) {
    case "send":
      return send(state, command, facts, standing);
    case "edit":
      return edit(state, command, facts, standing);
    case "delete":
      return remove(command, facts, standing);
    case "react":
      return react(state, command, facts, standing, limits);
    case "invite":
      return invite(state, command, facts, limits);
    case "leave":
      return leave(state, command);
  }
}

function create(state: ConversationState, { by, params }: Given<"create">, limits: Limits): Ruling {
  if (state.seq > 0) return noop(state.seq);
  const { kind, title } = params;
  const members = [...new Set([by, ...params.members])];
  if (members.length > limits.members) return refuse("LIMIT_REACHED", { limit: limits.members });
  return { event: { type: "conversation.created", data: { kind, members, ...(title !== undefined && { title }) } } };
}

function open(state: ConversationState, { by, params }: Given<"open">, facts: Facts | undefined): Ruling {
  if (state.seq > 0) return noop(state.seq);
  const { desk, ...asked } = params;
  const data = { ...asked, customerId: by };
  return withOpenKey(facts, (key) => ({ event: { type: "session.opened", data, key, ...(desk && { desk }) } }));
}

const closed = (state: ConversationState): boolean => state.session?.status === "closed";

function send(
  state: ConversationState,
  { by, params, supervises }: Given<"send">,
  facts: Facts | undefined,
  standing: Standing,
): Ruling {
  const { baseSeq, force, whisper = false } = params;
  const noted = params.audience === "staff";
  if ((noted && standing !== "staff") || (whisper && !(noted && supervises))) return refuse("FORBIDDEN");
  if (closed(state)) return refuse("SESSION_CLOSED");
  if (standing === "staff" && baseSeq !== undefined && force !== true && colleagueWroteAfter(state, by, baseSeq))
    return refuse("STALE_VIEW", { events: facts?.missed ?? [] });
  const target = visibleMessage(facts, standing);
  if (params.replyTo !== undefined && !target) return refuse("NOT_FOUND");
  const data = contentOf(params);
  if (whisper) data.whisper = true;
  return { event: { type: "message.created", data, audience: audienceOf(noted, target) } };
}

/** Did another member of the staff write after `baseSeq`? */
export const colleagueWroteAfter = (state: ConversationState, by: string, baseSeq: number): boolean =>
  state.staffWrote.some((wrote) => wrote.by !== by && wrote.seq > baseSeq);

function edit(
  state: ConversationState,
  { by, params }: Given<"edit">,
  facts: Facts | undefined,
  standing: Standing,
): Ruling {
  const target = visibleMessage(facts, standing);
  if (!target) return refuse("NOT_FOUND");
  if (target.event.by !== by) return refuse("FORBIDDEN");
  if (target.deleted) return refuse("MESSAGE_DELETED");
  if (closed(state)) return refuse("SESSION_CLOSED");
  if (target.changes >= MAX_CHANGES) return refuse("LIMIT_REACHED", { limit: MAX_CHANGES });
  return { event: { type: "message.edited", data: { seq: params.seq, text: params.text }, about: params.seq } };
}

function remove({ by, params }: Given<"delete">, facts: Facts | undefined, standing: Standing): Ruling {
  const target = visibleMessage(facts, standing);
  if (!target) return refuse("NOT_FOUND");
  if (target.event.by !== by) return refuse("FORBIDDEN");
  if (target.deleted) return refuse("MESSAGE_DELETED");
  return { event: { type: "message.deleted", data: { seq: params.seq }, about: params.seq } };
}

function react(
  state: ConversationState,
  { params }: Given<"react">,
  facts: Facts | undefined,
  standing: Standing,
  limits: Limits,
): Ruling {
  const target = visibleMessage(facts, standing);
  if (!target) return refuse("NOT_FOUND");
  if (target.deleted) return refuse("MESSAGE_DELETED");
  if (closed(state)) return refuse("SESSION_CLOSED");
  const { seq, emoji, on } = params;
  if (on === (target.reactionSeq !== undefined)) return noop(target.reactionSeq ?? seq);
  const limit = target.changes >= MAX_CHANGES ? MAX_CHANGES : limits.reactions;
  if (on && (target.reactions >= limits.reactions || target.changes >= MAX_CHANGES))
    return refuse("LIMIT_REACHED", { limit });
  return { event: { type: on ? "reaction.added" : "reaction.removed", data: { seq, emoji }, about: seq } };
}

function join(state: ConversationState, command: Given<"join">, facts: Facts | undefined, limits: Limits): Ruling {
  if (standingOf(state, facts, command.by) !== "none") return noop(state.seq);
  if (state.kind !== "support" || !command.supervises) return refuse("NOT_FOUND");
  const limit = Math.min(limits.members, LISTED_MEMBERS);
  if (state.memberCount >= limit) return refuse("LIMIT_REACHED", { limit });
  return { event: { type: "member.joined", data: { userId: command.by, standing: "staff" } } };
}

function invite(
  state: ConversationState,
  { params }: Given<"invite">,
  facts: Facts | undefined,
  limits: Limits,
): Ruling {
  if (state.kind !== "group") return refuse("FORBIDDEN");
  if (standingOf(state, facts, params.userId) !== "none") return noop(state.seq);
  if (state.memberCount >= limits.members) return refuse("LIMIT_REACHED", { limit: limits.members });
  return { event: { type: "member.joined", data: { userId: params.userId } } };
}

/** The parties of a support session end it by returning or closing; a direct conversation is left by nobody. */
function leave(state: ConversationState, { by }: Given<"leave">): Ruling {
  const { kind, session } = state;
  if (kind === "direct" || by === session?.customerId || by === session?.agentId) return refuse("FORBIDDEN");
  return { event: { type: "member.left", data: { userId: by } } };
}
