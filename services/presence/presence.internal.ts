import { callerOf } from "../../lib/call";

/** One socket of a user. `id` is unique among all sockets of all nodes. */
export interface ConnectionRef {
  readonly userId: string;
  readonly id: string;
}

export interface Connected {
  readonly userId: string;
  readonly status: string;
  readonly connections: number;
}

/** Actions of the presence service that only other services call. */
export type PresenceInternal = {
  /** These sockets are open: when they connect, and again every `RENEW_MS`. */
  "presence.renew": { params: { connections: readonly ConnectionRef[] }; result: null };
  /** This socket was closed. */
  "presence.release": { params: ConnectionRef; result: null };
  /** Who is connected, for operators. */
  "presence.who": { params: { limit?: number }; result: { total: number; users: Connected[] } };
};

/** How often an io node renews the leases of its sockets. */
export const RENEW_MS = 30_000;

/** Calls an internal action of the presence service. */
export const callPresence = callerOf<PresenceInternal>();
