import type { Static } from "@sinclair/typebox";
import type { Presence, STATUSES } from "./presence.contract";

export type Status = (typeof STATUSES)[number];
export type PresenceAnswer = Static<typeof Presence>;

/** How long a connection counts as alive without being renewed. */
export const LEASE_MS = 80_000;
/** A user whose last connection went cleanly is still shown this long, so that a reload of the page is no absence. */
export const GRACE_MS = 1_000;

/** Why a connection ended, or is about to: its client left, its node was lost, or nobody renewed it. */
export const ENDINGS = ["left", "node lost", "lease ran out"] as const;
export type Ending = (typeof ENDINGS)[number];

/** A connection that counts as alive until its lease ends. All times are milliseconds of the key-value store's clock. */
export interface Lease {
  readonly until: number;
  /** The io node that has the socket. */
  readonly node: string;
  /** Set when the lease was cut short. */
  readonly ending?: Ending;
}

/** All that is known of one user's presence. */
export interface PresenceRecord {
  /** By connection id. */
  readonly leases: Readonly<Record<string, Lease>>;
  /** What the user chose; it holds while connected and is remembered until the record goes. */
  readonly own?: Status;
  /** When the user was last known to be there. */
  readonly seenAt?: number;
  /** What the others were last told. */
  readonly shown?: Status;
  /** How the last connection ended, and when. */
  readonly ended?: { readonly by: Ending; readonly at: number };
}

/** Why a user is shown as they are, for operators. */
export type Reason = "connected" | "chosen" | Ending | "never seen";

/** Connected users show what they chose, else `online`; everybody else is `offline`. */
export function statusOf(record: PresenceRecord, now: number): Status {
  return isConnected(record, now) ? (record.own ?? "online") : "offline";
}

/**
 * The status as others see it. Who chose to appear offline looks exactly like who is: with the time of that choice
 * (`seenAt` does not move while appearing offline).
 */
export function presenceOf(record: PresenceRecord, now: number): PresenceAnswer {
  const status = statusOf(record, now);
  if (status !== "offline" || record.seenAt === undefined) return { status };
  return { status, lastSeenAt: new Date(record.seenAt).toISOString() };
}

/** Why the status is what it is. */
export function reasonOf(record: PresenceRecord, now: number): Reason {
  if (isConnected(record, now)) return record.own === undefined || record.own === "online" ? "connected" : "chosen";
  return withoutExpired(record, now).ended?.by ?? "never seen";
}

/** When the record must be looked at again: the end of its earliest lease; undefined when there is none. */
export function dueAt(record: PresenceRecord): number | undefined {
  let due: number | undefined;
  for (const { until } of Object.values(record.leases)) if (due === undefined || until < due) due = until;
  return due;
}

/** What the others must be told now, or undefined when they know. */
export function transition(record: PresenceRecord, now: number): PresenceAnswer | undefined {
  const presence = presenceOf(record, now);
  return presence.status === (record.shown ?? "offline") ? undefined : presence;
}

/** The record after a connection was opened or renewed on this node. */
export const renewed = (record: PresenceRecord, id: string, node: string, now: number): PresenceRecord => ({
  ...seen(record, now),
  leases: { ...record.leases, [id]: { until: now + LEASE_MS, node } },
});

/**
 * The record after a connection was closed by its client: its lease ends after the grace. Of a user of whom nothing is
 * known (the record was lost) the others may still think that they are there: they are told.
 */
export function released(record: PresenceRecord, id: string, node: string, now: number): PresenceRecord {
  const lease = record.leases[id];
  if (!lease && record.shown !== undefined) return record;
  const until = Math.min(lease?.until ?? Infinity, now + GRACE_MS);
  return { ...seen(record, now), leases: { ...record.leases, [id]: { until, node, ending: "left" } } };
}

/** The record after a node was lost: its connections end now. */
export function lost(record: PresenceRecord, node: string, now: number): PresenceRecord {
  const leases: Record<string, Lease> = {};
  for (const [id, lease] of Object.entries(record.leases)) {
    leases[id] = lease.node === node ? { ending: "node lost", ...lease, until: Math.min(lease.until, now) } : lease;
  }
  return { ...record, leases };
}

/** The record without the connections whose lease has ended. */
export function withoutExpired(record: PresenceRecord, now: number): PresenceRecord {
  const leases: Record<string, Lease> = {};
  let last: Lease | undefined;
  for (const [id, lease] of Object.entries(record.leases)) {
    if (lease.until > now) leases[id] = lease;
    else if (!last || lease.until > last.until) last = lease;
  }
  if (!last) return record;
  return { ...record, leases, ended: { by: last.ending ?? "lease ran out", at: last.until } };
}

/** The record after the user chose a status. */
export const chosen = (record: PresenceRecord, status: Status, now: number): PresenceRecord => ({
  ...seen(record, now),
  own: status,
});

/** Has the user a connection, whatever they say about it? */
export const isConnected = (record: PresenceRecord, now: number): boolean =>
  Object.values(record.leases).some(({ until }) => until > now);

const seen = (record: PresenceRecord, now: number): PresenceRecord =>
  record.own === "offline" ? record : { ...record, seenAt: now };
