import type { Kv } from "../../lib/kv/kv";
import type { PresenceRecord, Status } from "./presence.engine";
import { STATUSES } from "./presence.contract";

/** A record that nobody touched for so long is forgotten, and with it the status its user chose. */
const RECORD_TTL_MS = 30 * 24 * 3_600_000;
const DUE = "presence:due";
const LEASE = "lease:";

/** Presence records in the key-value port: one hash per user, and one sorted set of who is due when. */
export class PresenceStore {
  constructor(private readonly kv: Kv) {}

  async read(userId: string): Promise<PresenceRecord> {
    return parse(await this.kv.hashRead(keyOf(userId)));
  }

  /** Writes what differs between two states of a record; a lease that another node added meanwhile stays. */
  async write(userId: string, before: PresenceRecord, after: PresenceRecord): Promise<void> {
    const fields: Record<string, string> = {};
    for (const [id, until] of Object.entries(after.leases)) {
      if (before.leases[id] !== until) fields[LEASE + id] = String(until);
    }
    if (after.own !== undefined && after.own !== before.own) fields["own"] = after.own;
    if (after.shown !== undefined && after.shown !== before.shown) fields["shown"] = after.shown;
    if (after.seenAt !== undefined && after.seenAt !== before.seenAt) fields["seenAt"] = String(after.seenAt);
    if (Object.keys(fields).length > 0) await this.kv.hashSet(keyOf(userId), fields, RECORD_TTL_MS);
    const gone = Object.keys(before.leases).filter((id) => !(id in after.leases));
    if (gone.length > 0) await this.kv.hashDelete(keyOf(userId), ...gone.map((id) => LEASE + id));
  }

  /** Says when a user must be looked at again; undefined takes the user off the list. */
  async schedule(userId: string, at: number | undefined): Promise<void> {
    if (at === undefined) await this.kv.sortedRemove(DUE, userId);
    else await this.kv.sortedAdd(DUE, [{ member: userId, score: at }]);
  }

  /** Users with an open connection. */
  async connected(): Promise<string[]> {
    return (await this.kv.sortedRange(DUE, 0, Number.MAX_SAFE_INTEGER)).map((entry) => entry.member);
  }

  /** Users who must be looked at, the longest due first. */
  async due(now: number, limit: number): Promise<string[]> {
    return (await this.kv.sortedRange(DUE, 0, now, limit)).map((entry) => entry.member);
  }
}

const keyOf = (userId: string): string => `presence:user:${userId}`;

function parse(fields: Record<string, string>): PresenceRecord {
  const leases: Record<string, number> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (name.startsWith(LEASE)) leases[name.slice(LEASE.length)] = Number(value);
  }
  const own = status(fields["own"]);
  const shown = status(fields["shown"]);
  return {
    leases,
    ...(own && { own }),
    ...(shown && { shown }),
    ...(fields["seenAt"] !== undefined && { seenAt: Number(fields["seenAt"]) }),
  };
}

const status = (value: string | undefined): Status | undefined => STATUSES.find((name) => name === value);
