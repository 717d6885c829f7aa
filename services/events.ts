import type { StoredEvent } from "../actors/conversation/conversation.events";
import type { Role } from "./schemas";

/**
 * The one table of broker events. All are fire and forget: nothing that must not be lost rides on one, and every
 * receiver can do without (holes are filled from the log, revocations are numbered in the store).
 */
export interface BrokerEvents {
  /** All events of one settled flush of a core node, in order; large ones in parts. To group `io`. */
  "log.flush": {
    readonly incarnation: string;
    readonly flush: number;
    readonly part: number;
    readonly parts: number;
    readonly events: readonly StoredEvent[];
  };
  /** Twice a second: the number of the last settled flush. To group `io`. */
  "log.beat": { readonly incarnation: string; readonly flush: number };
  /** Events found in the log that may not have been broadcast: a repeat, or a load after a crash. To group `io`. */
  "log.found": { readonly events: readonly StoredEvent[] };
  /**
   * Watermarks that grew, as every member may know of them; in a large conversation only how many have read through
   * `seq`. To group `io`.
   */
  "receipts.changed": {
    readonly conversationId: string;
    readonly receipts: readonly Receipt[];
    /** The same for the staff, where that differs: who has read a note. */
    readonly staff?: readonly Receipt[];
    readonly count?: { readonly seq: number; readonly read: number };
  };
  "typing.changed": {
    readonly conversationId: string;
    readonly userId: string;
    readonly on: boolean;
    /** Who is told: every member, when absent. */
    readonly audience?: "staff";
  };
  "presence.changed": {
    readonly userId: string;
    readonly status: string;
    readonly lastSeenAt?: string;
    /** Where the user is a member: whose live members are told. */
    readonly conversationIds: readonly string[];
  };
  /** What was known of connections is lost: every io node reports all of its own again. To group `io`. */
  "presence.census": object;
  /**
   * Sockets and tokens of this family (or of every login of the user) end now; with `roles` nothing ends and these are
   * the user's roles from now on. To groups `io` and `gateway`.
   */
  "auth.revoked": {
    readonly number: number;
    readonly userId: string;
    readonly family?: string;
    readonly roles?: readonly Role[];
  };
  /** Rows were added to the outbox: whoever delivers need not wait for its next turn. To group `scheduler`. */
  "outbox.added": object;
  /** Topics or keyword rules changed: whoever keeps a copy reads it again. */
  "topics.changed": object;
  /** Something else about a user changed: caches drop it, live sockets read it again. To groups `io` and `gateway`. */
  "users.changed": { readonly userId: string };
}

export interface Receipt {
  readonly userId: string;
  readonly readSeq: number;
  readonly deliveredSeq: number;
}
