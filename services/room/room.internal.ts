import type { ConversationCommand, NoOp } from "../../actors/conversation/conversation.commands";
import type { Audience, StoredEvent } from "../../actors/conversation/conversation.events";
import type { SyncAnswer } from "../../actors/conversation/conversation.reader";
import type { ConversationState } from "../../actors/conversation/conversation.state";
import type { Snapshot } from "../../actors/conversation/conversation.snapshot";
import type { EventPage, PageRead } from "../../actors/conversation/conversation.store";
import type { Outcome } from "../../lib/actor/behaviour";
import type { ListedMark } from "../../lib/actor/mark";
import type { SweepReport } from "../../lib/actor/sweeper";
import { callerOf } from "../../lib/call";
import type { Lists } from "../other-cores";
import type { RepairCursors } from "./snapshot-repair";

/** Actions of the room service that only other services call. Those with a `conversationId` run at its home. */
export type RoomInternal = {
  /** Gives a command to a conversation. */
  "room.command": {
    params: { conversationId: string; command: ConversationCommand };
    result: Outcome<StoredEvent, NoOp>;
  };
  /** The session of a support conversation as it is now; null when there is none. */
  "room.session": {
    params: { conversationId: string };
    result: { session: NonNullable<ConversationState["session"]>; lastAll: number } | null;
  };
  /**
   * `room.sync` for conversations of one home, that of `at`, and which of them the answer brings up to date: for the io
   * node that makes them live.
   */
  "room.catchUp": { params: { at: string; cursors: Record<string, number> }; result: SyncAnswer };
  /**
   * Where a user may see events live, from the projections: the standing that the log gives at `through`. With
   * `complete`, also what was answered just before, on whichever node.
   */
  "room.memberships": {
    params: { userId: string; complete?: boolean };
    result: { memberships: Array<{ conversationId: string; standing: Audience; since: number; through: number }> };
  };
  /**
   * Events of conversations with seq above `after`, ascending, and whether there are more. For io nodes, which know whom
   * they may show them.
   */
  "room.events": { params: { reads: readonly PageRead[] }; result: { pages: EventPage[] } };
  /**
   * What an incarnation wrote in flushes `from` to `to`: whole flushes through the one answered, of which this answer is
   * one of several parts.
   */
  "room.flushes": {
    params: { incarnation: string; from: number; to: number; part: number };
    result: { events: readonly StoredEvent[]; through: number; parts: number };
  };
  /** Resolves when the answering node's projections have what these lists need. */
  "room.projected": { params: Lists; result: null };
  /** The states of those of these conversations that are active on the answering node, as snapshots. */
  "room.peek": { params: { ids: readonly string[] }; result: { snapshots: Snapshot[] } };
  /** The answering node's incarnation and last settled flush. */
  "room.progress": { params: object; result: { incarnation: string; flush: number } };
  /** Every incarnation that wrote to the log, but for those that are long gone; see `listMarks`. */
  "room.marks": { params: object; result: { marks: ListedMark[] } };
  /** Which of these users share a conversation with the user. */
  "room.shared": { params: { userId: string; userIds: readonly string[] }; result: { userIds: string[] } };
  /** Writes a conversation's snapshot as its home has it. */
  "room.project": { params: { conversationId: string }; result: null };
  /**
   * One bounded step of the search for snapshots that lag behind the log, and their repair. Takes the cursors of the
   * last step's answer, empty ones at first.
   */
  "room.repair": { params: RepairCursors; result: RepairCursors & { repaired: number } };
  /**
   * One look at the marks of all core nodes: what nodes that ended left behind is projected, published and broadcast. To
   * be called every ten seconds, with `of: "marks"`: always at the same node while that lives.
   */
  "room.sweep": { params: { of: "marks" }; result: SweepReport };
  /** For operators: makes another node the home for ten minutes: this one, if named. NOT_FOUND when there is none. */
  "room.move": { params: { conversationId: string; to?: string }; result: { from: string; to: string } };
  /** For operators: home, state and last events. */
  "room.inspect": {
    params: { conversationId: string; limit?: number };
    result: { home: string; activated: boolean; state: Record<string, unknown>; lastEvents: StoredEvent[] } | null;
  };
};

/** Calls an internal action of the room service. */
export const callRoom = callerOf<RoomInternal>();
