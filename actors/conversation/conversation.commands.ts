import type { Command } from "../../lib/actor/behaviour";
import type { WireEvent } from "../../services/schemas";
import type { AttachmentData, EventData, StoredEvent } from "./conversation.events";

/** What each command carries. `by`, `commandId` and the deadline are in the command's head. */
export interface CommandParams {
  create: { kind: "direct" | "group"; title?: string; members: string[] };
  open: { topic: string; urgency: string; subject?: string };
  send: {
    text?: string;
    attachments?: AttachmentData[];
    replyTo?: number;
    baseSeq?: number;
    force?: boolean;
  };
  edit: { seq: number; text: string };
  delete: { seq: number };
  react: { seq: number; emoji: string; on: boolean };
  join: Record<never, never>;
  invite: { userId: string };
  leave: Record<never, never>;
  claim: { reason?: string };
  return: { reason?: string };
  transfer: { to: { agentId?: string; topic?: string }; note?: string };
  close: { reason?: string };
  /** Time has come to close the session slowly; given by the system only. */
  closing: { reason?: string };
}

export type Action = keyof CommandParams;

/** A command to a conversation. */
export type ConversationCommand<A extends Action = Action> = {
  [K in A]: Command & {
    readonly action: K;
    readonly params: CommandParams[K];
    /** May act on any support session: a supervisor, an administrator or the system. */
    readonly supervises: boolean;
  };
}[A];

/** What a decision may need beyond the state; the actor reads it first. */
export interface Facts {
  /** The standing of each user asked for, where the state does not know it. */
  readonly standings?: ReadonlyMap<string, "all" | "staff" | "none">;
  /** The event an edit, deletion, reaction or reply is about; undefined when there is none at that seq. */
  readonly target?: Target;
  /** The key that an opening or a transfer to a topic would take. */
  readonly key?: KeyFact;
  /** What a sender with an old `baseSeq` has missed. */
  readonly missed?: readonly WireEvent[];
}

export interface Target {
  readonly event: StoredEvent;
  readonly deleted: boolean;
  /** The standing reaction of this user with this emoji: the seq that added it. */
  readonly reactionSeq?: number;
  readonly reactions: number;
  /** Events about it so far. */
  readonly changes: number;
}

/** `next` may be taken when `holder` is absent; else that conversation has the key `next` would follow. */
export interface KeyFact {
  readonly next: string;
  readonly holder?: string;
}

/** The answer of a command that changes nothing: the seq it is about, if any. */
export interface NoOp {
  readonly seq: number;
}

/** What `decide` fills in; the rest of a stored event is the same for all. */
export type Draft = {
  [T in keyof EventData]: {
    readonly type: T;
    readonly data: EventData[T];
    readonly key?: string;
    readonly endsOpen?: string;
    readonly endsSlot?: string;
    readonly about?: number;
  };
}[keyof EventData];
