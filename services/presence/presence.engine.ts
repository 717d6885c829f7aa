import type { Static } from "@sinclair/typebox";
import type { Presence, STATUSES } from "./presence.contract";

export type Status = (typeof STATUSES)[number];
export type PresenceAnswer = Static<typeof Presence>;

/** How long a connection counts as alive without being renewed. */
export const LEASE_MS = 80_000;
/** A user whose last connection went cleanly is still shown this long, so that a reload of the page is no absence. */
export const GRACE_MS = 1_000;

/** All that is known of one user's presence. */
export interface PresenceRecord {
  /** Connection id to the wall-clock millisecond when its lease ends. */
  readonly leases: Readonly<Record<string, number>>;
  /** What the user chose; it holds while connected and is remembered until the record goes. */
  readonly own?: Status;
  /** When the user was last known to be there. */
  readonly seenAt?: number;
  /** What the others were last told. */
  readonly shown?: Status;
}

/** The connections whose lease has ended. */
export const expired = (record: PresenceRecord, now: number): string[] =>
  Object.keys(record.leases).filter((id) => (record.leases[id] ?? 0) <= now);

/** When the record must be looked at again: the end of its earliest lease; undefined when there is none. */
export function dueAt(record: PresenceRecord): number | undefined {
  let due: number | undefined;
  for (const until of Object.values(record.leases)) if (due === undefined || until < due) due = until;
  return due;
}

/** Connected users show what they chose, else `online`; everybody else is `offline`. */
export function statusOf(record: PresenceRecord, now: number): Status {
  const connected = Object.values(record.leases).some((until) => until > now);
  return connected ? (record.own ?? "online") : "offline";
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

/** What the others must be told now, or undefined when they know. */
export function transition(record: PresenceRecord, now: number): PresenceAnswer | undefined {
  const presence = presenceOf(record, now);
  return presence.status === (record.shown ?? "offline") ? undefined : presence;
}

/** The record after a connection was opened or renewed. */
export const renewed = (record: PresenceRecord, connectionId: string, now: number): PresenceRecord => ({
  ...seen(record, now),
  leases: { ...record.leases, [connectionId]: now + LEASE_MS },
});

/** The record after a connection was closed by its client: its lease ends after the grace. */
export const released = (record: PresenceRecord, connectionId: string, now: number): PresenceRecord =>
  connectionId in record.leases
    ? { ...seen(record, now), leases: { ...record.leases, [connectionId]: now + GRACE_MS } }
    : record;

/** The record after the user chose a status. */
export const chosen = (record: PresenceRecord, status: Status, now: number): PresenceRecord => ({
  ...seen(record, now),
  own: status,
});

const seen = (record: PresenceRecord, now: number): PresenceRecord =>
  record.own === "offline" ? record : { ...record, seenAt: now };
