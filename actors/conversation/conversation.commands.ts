import type { Command } from "../../lib/actor/behaviour";
import type { WireEvent } from "../../services/schemas";
import type { AttachmentData, Audience, EventData, ImportedData, StoredEvent } from "./conversation.events";
import type { Desk, HeadStart } from "./conversation.session-state";
import type { TimerKind } from "./conversation.timers";

/** What each command carries. `by`, `commandId` and the deadline are in the command's head. */
export interface CommandParams {
  create: { kind: "direct" | "group"; title?: string; members: string[] };
  open: { topic: string; urgency: string; subject?: string; desk?: Desk };
  send: {
    text?: string;
    attachments?: AttachmentData[];
    replyTo?: number;
    baseSeq?: number;
    force?: boolean;
    /** `staff`: a note, which no customer sees. */
    audience?: Audience;
    /** A note of a supervisor to whoever serves the session. */
    whisper?: boolean;
  };
  edit: { seq: number; text: string };
  delete: { seq: number };
  react: { seq: number; emoji: string; on: boolean };
  join: Record<never, never>;
  invite: { userId: string };
  leave: Record<never, never>;
  /** `takeover`: a supervisor takes it from whoever has it. */
  claim: { reason?: string; takeover?: boolean };
  /** Gives it to an agent, in a slot that is free; given by the system only. */
  push: { agentId: string; slot: number };
  /** The assignee has opened it, or takes up what was transferred. */
  attend: Record<never, never>;
  /** The assignee does not take up what was transferred. */
  decline: { reason?: string };
  /** The system gives a reason of its own: the assignee has gone. With `from` nothing happens unless that agent has it. */
  return: { reason?: string; from?: string };
  transfer: { to: { agentId?: string; topic?: string }; note?: string; desk?: Desk };
  close: { reason?: string };
  reopen: { desk?: Desk };
  rate: { score: number; comment?: string };
  /** Another place in the queue; given by the system only. */
  reclassify: { urgency: string; headStart: HeadStart };
  /** A session that ended elsewhere, opened at `at`; given by the system only, as all that follow. */
  importSession: ImportedData & { at: number; desk?: Desk };
  /** With neither text nor attachments it is one that was deleted. */
  importMessage: {
    at: number;
    text?: string;
    attachments?: AttachmentData[];
    audience?: Audience;
    replyTo?: number;
    whisper?: boolean;
  };
  importEdit: { at: number; seq: number; text: string };
  importDelete: { at: number; seq: number };
  importReaction: { at: number; seq: number; emoji: string };
  importRating: { at: number; score: number; comment?: string };
  /** An imported session enters the queue, for the first time. */
  importOpen: Record<never, never>;
  /** The time of a timer has come; given by the system only. */
  due: { kind: TimerKind; dueAt: number };
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
  /** How far the assignee has read. */
  readonly readSeq?: number;
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
    /** Absent: that of the event it is about, or everybody. */
    readonly audience?: Audience;
    /** What the session takes over from the topic it enters; kept in the session. */
    readonly desk?: Desk;
    /** When it happened, in wall-clock milliseconds; absent: now. */
    readonly at?: number;
  };
}[keyof EventData];
