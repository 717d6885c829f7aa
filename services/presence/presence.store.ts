import type { Kv } from "../../lib/kv/kv";
import { ENDINGS, type Lease, type PresenceRecord, type Status } from "./presence.engine";
import { STATUSES } from "./presence.contract";
import type { ConnectionRef } from "./presence.internal";

/** A record that nobody touched for so long is forgotten, and with it the status its user chose. */
const RECORD_TTL_MS = 30 * 24 * 3_600_000;
const DUE = "presence:due";
const NODES = "presence:nodes";
const EPOCH = "presence:epoch";
const LEASE = "lease:";

/**
 * Presence in the key-value port: one hash per user, one sorted set of who is due when, and for each io node the
 * connections that it has reported.
 */
export class PresenceStore {
  constructor(private readonly kv: Kv) {}

  /** The one clock of all presence, in milliseconds: no node's own. */
  now(): Promise<number> {
    return this.kv.time();
  }

  async read(userId: string): Promise<PresenceRecord> {
    return parse(await this.kv.hashRead(keyOf(userId)));
  }

  /** Writes what differs between two states of a record; a lease that another node added meanwhile stays. */
  async write(userId: string, before: PresenceRecord, after: PresenceRecord): Promise<void> {
    const was = fieldsOf(before);
    const is = fieldsOf(after);
    const changed = Object.entries(is).filter(([name, value]) => was[name] !== value);
    const gone = Object.keys(was).filter((name) => !(name in is));
    if (changed.length > 0) await this.kv.hashSet(keyOf(userId), Object.fromEntries(changed), RECORD_TTL_MS);
    if (gone.length > 0) await this.kv.hashDelete(keyOf(userId), ...gone);
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

  /** Notes what a node reported, so that its users are found when it is lost. */
  async note(node: string, opened: readonly ConnectionRef[], closed: readonly ConnectionRef[], now: number) {
    const key = nodeKey(node);
    await this.kv.sortedAdd(NODES, [{ member: node, score: now }]);
    if (opened.length > 0)
      await this.kv.sortedAdd(
        key,
        opened.map(memberOf).map((member) => ({ member, score: now })),
      );
    if (closed.length > 0) await this.kv.sortedRemove(key, ...closed.map(memberOf));
  }

  /** The nodes that have reported connections and were not forgotten. */
  async nodes(): Promise<string[]> {
    return (await this.kv.sortedRange(NODES, 0, Infinity)).map((entry) => entry.member);
  }

  /** The users who have, or had, connections on this node. */
  async usersOf(node: string): Promise<string[]> {
    const entries = await this.kv.sortedRange(nodeKey(node), 0, Infinity);
    return [...new Set(entries.map(({ member }) => member.slice(member.indexOf(" ") + 1)))];
  }

  async forget(node: string): Promise<void> {
    await this.kv.sortedRemove(NODES, node);
    await this.kv.delete(nodeKey(node));
  }

  /** True for one caller after everything here was lost, and at the very first start. */
  async isNew(id: string): Promise<boolean> {
    return (await this.kv.get(EPOCH)) === undefined && (await this.kv.set(EPOCH, id, { ifAbsent: true }));
  }
}

const keyOf = (userId: string): string => `presence:user:${userId}`;
const nodeKey = (node: string): string => `presence:node:${node}`;
/** Connection ids have no space, user ids may have any character. */
const memberOf = ({ userId, id }: ConnectionRef): string => `${id} ${userId}`;

function fieldsOf({ leases, own, shown, seenAt, ended }: PresenceRecord): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [id, { until, node, ending }] of Object.entries(leases)) {
    fields[LEASE + id] = `${until} ${ending ? ENDINGS.indexOf(ending) : "-"} ${node}`;
  }
  if (own !== undefined) fields["own"] = own;
  if (shown !== undefined) fields["shown"] = shown;
  if (seenAt !== undefined) fields["seenAt"] = String(seenAt);
  if (ended) fields["ended"] = `${ended.at} ${ENDINGS.indexOf(ended.by)}`;
  return fields;
}

function parse(fields: Record<string, string>): PresenceRecord {
  const leases: Record<string, Lease> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (name.startsWith(LEASE)) leases[name.slice(LEASE.length)] = parseLease(value);
  }
  const own = status(fields["own"]);
  const shown = status(fields["shown"]);
  const [endedAt, endedBy] = fields["ended"]?.split(" ") ?? [];
  const by = ENDINGS[Number(endedBy)];
  return {
    leases,
    ...(own && { own }),
    ...(shown && { shown }),
    ...(fields["seenAt"] !== undefined && { seenAt: Number(fields["seenAt"]) }),
    ...(by && { ended: { at: Number(endedAt), by } }),
  };
}

function parseLease(value: string): Lease {
  const [until, mark, node = ""] = value.split(" ");
  const ending = ENDINGS[Number(mark)];
  return { until: Number(until), node, ...(ending && { ending }) };
}

const status = (value: string | undefined): Status | undefined => STATUSES.find((name) => name === value);
