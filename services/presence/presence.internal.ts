import { callerOf } from "../../lib/call";
import type { Reason } from "./presence.engine";

/** One socket of a user. `id` is unique among all sockets of all nodes. */
export interface ConnectionRef {
  readonly userId: string;
  readonly id: string;
}

export interface Connected {
  readonly userId: string;
  readonly status: string;
  readonly connections: number;
  readonly reason: Reason;
}

/** Why a user is shown as they are. Times are ISO 8601. */
export interface Explanation {
  readonly status: string;
  readonly reason: Reason;
  /** What the user chose, if anything: it holds while connected. */
  readonly own?: string;
  readonly lastSeenAt?: string;
  /** When the last connection ended. */
  readonly endedAt?: string;
  readonly connections: ReadonlyArray<{ readonly id: string; readonly node: string; readonly expiresInMs: number }>;
}

/** What an io node reports of itself. */
export interface Report {
  /** The io node. */
  readonly node: string;
  /** Sockets that are open: each when it connects, and all again every `RENEW_MS`. */
  readonly opened: readonly ConnectionRef[];
  /** Sockets that were closed. */
  readonly closed: readonly ConnectionRef[];
}

/** Actions of the presence service that only other services and operators call. */
export type PresenceInternal = {
  /** Reports of one node come one after the other; one may be repeated. */
  "presence.report": { params: Report; result: null };
  /** Who is connected, for operators. */
  "presence.who": { params: { limit?: number }; result: { total: number; users: Connected[] } };
  /** Which of these users have a connection, whatever they say about it. */
  "presence.connected": { params: { userIds: readonly string[] }; result: { userIds: string[] } };
  /** Why a user is shown as they are, for operators. */
  "presence.explain": { params: { userId: string }; result: Explanation };
  /** Ends what nobody renews and the connections of lost nodes, whoever else does it at the same time. */
  "presence.sweep": { params: object; result: { looked: number } };
};

/** How often an io node renews the leases of its sockets. */
export const RENEW_MS = 30_000;

/** Calls an internal action of the presence service. */
export const callPresence = callerOf<PresenceInternal>();
