import type { ConversationCommand, NoOp } from "../../actors/conversation/conversation.commands";
import type { Audience, StoredEvent } from "../../actors/conversation/conversation.events";
import type { SyncAnswer } from "../../actors/conversation/conversation.reader";
import type { ConversationState } from "../../actors/conversation/conversation.state";
import type { Outcome } from "../../lib/actor/behaviour";
import { callerOf } from "../../lib/call";

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
  /** `room.sync`, and which conversations the answer brings up to date: for the io node that makes them live. */
  "room.catchUp": { params: { cursors: Record<string, number> }; result: SyncAnswer };
  /** Where a user may see events live, from the projections: the standing that the log gives at `through`. */
  "room.memberships": {
    params: { userId: string };
    result: { memberships: Array<{ conversationId: string; standing: Audience; since: number; through: number }> };
  };
  /** Events of a conversation with seq above `after`, ascending. For io nodes, which know whom they may show them. */
  "room.events": {
    params: { conversationId: string; after: number; limit: number };
    result: { events: StoredEvent[] };
  };
  /** Every event that an incarnation wrote in flushes `from` to `to`. */
  "room.flushes": { params: { incarnation: string; from: number; to: number }; result: { events: StoredEvent[] } };
  /** The answering node's incarnation and last settled flush. */
  "room.progress": { params: object; result: { incarnation: string; flush: number } };
  /** Which of these users share a conversation with the user. */
  "room.shared": { params: { userId: string; userIds: readonly string[] }; result: { userIds: string[] } };
  /** For operators: home, state and last events. */
  "room.inspect": {
    params: { conversationId: string; limit?: number };
    result: { home: string; activated: boolean; state: Record<string, unknown>; lastEvents: StoredEvent[] } | null;
  };
};

/** Calls an internal action of the room service. */
export const callRoom = callerOf<RoomInternal>();
