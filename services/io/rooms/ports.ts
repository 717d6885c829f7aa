import type { Audience, StoredEvent } from "../../../actors/conversation/conversation.events";
import type { Clock, Monotonic } from "../../../lib/actor/ports";
import type { WireEvent } from "../../schemas";

/** A connected client of this node. */
export interface LocalSocket {
  readonly id: string;
  readonly userId: string;
}

/** What the projections say of a user in a conversation: the standing that the log gives at `through`. */
export interface Membership {
  readonly conversationId: string;
  readonly standing: Audience;
  readonly through: number;
  /** The seq of the event that gave it. */
  readonly since?: number;
}

export interface FlushPage {
  readonly events: readonly StoredEvent[];
  /** Every event of the flushes through this one is among them. */
  readonly through: number;
}

/** The log and the projections, by majority reads: what comes back is durable. A failed read is repeated here. */
export interface RoomReads {
  /** Events of one conversation with seq above `after`, ascending, at most `limit`. */
  readEvents(conversationId: string, after: number, limit: number): Promise<StoredEvent[]>;
  /**
   * The events that this incarnation wrote in flushes `from` to `to`, both included, in any order; or a first part of
   * them, when they are many: whole flushes, through the one that is answered.
   */
  readFlushes(incarnation: string, from: number, to: number): Promise<FlushPage>;
  memberships(userId: string): Promise<Membership[]>;
}

/**
 * How frames leave. `joined` and `left` tell who is in the room for `emit`; a socket changes audience by `left` and
 * `joined`. All are called synchronously, in order, and must not throw.
 */
export interface RoomDelivery {
  joined(socketId: string, conversationId: string, audience: Audience): void;
  /**
   * A socket that was in is passed the log again: no `emit` is for it until it has `joined` again, but everything that is
   * told once and not stored still is. Ends with `joined` or `left`.
   */
  heldBack(socketId: string, conversationId: string, audience: Audience): void;
  left(socketId: string, conversationId: string): void;
  /** One frame for every live socket of this audience in the room. */
  emit(conversationId: string, audience: Audience, events: WireEvent[]): void;
  /** One frame for one socket that is catching up. */
  emitTo(socketId: string, events: WireEvent[]): void;
}

export interface RoomPorts extends RoomReads, RoomDelivery {
  readonly clock: Clock;
  readonly monotonic: Monotonic;
  /** Events found in the log whose broadcast did not arrive here. */
  readonly found?: (events: readonly StoredEvent[]) => void;
  /** Too many broadcasts, or nobody knows which, did not arrive, so they are not looked for: whatever is kept of events must be read again. */
  readonly missed?: () => void;
}

export interface RoomLimits {
  /** Events read at once, and the largest frame of a catch-up. */
  readonly page: number;
  /** Reads in flight to the store. */
  readonly reads: number;
  /** Events a room, or a socket that is catching up, holds back; beyond it they are dropped and read again. */
  readonly queue: number;
  /** Missing flushes of one incarnation that are read; beyond it all rooms are brought to the log's head instead. */
  readonly missingFlushes: number;
  /** Milliseconds a missing flush may still arrive by itself. */
  readonly reorderMs: number;
  /**
   * Seconds without a sign of life after which the log is looked into for what a core node wrote last. Nodes beat twice
   * a second, and what a dead one wrote has to be seen within three.
   */
  readonly silentSeconds: number;
  /** Milliseconds of silence, once they are over, after which whole lives of core nodes may have been missed. */
  readonly deafMs: number;
  /** Standings remembered for sockets that connect before the projections show them. */
  readonly memory: number;
  /** Milliseconds they are remembered. */
  readonly memoryMs: number;
  /** Milliseconds after the start of the node in which its memory is too young to make up for the projections' lag. */
  readonly youngMs: number;
}

export const ROOM_LIMITS: RoomLimits = {
  page: 200,
  reads: 64,
  queue: 1_000,
  missingFlushes: 1_000,
  reorderMs: 50,
  silentSeconds: 1.5,
  deafMs: 3_000,
  memory: 50_000,
  memoryMs: 300_000,
  youngMs: 300_000,
};
