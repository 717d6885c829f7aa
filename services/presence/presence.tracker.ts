import type { Clock } from "../../lib/actor/ports";
import type { Kv } from "../../lib/kv/kv";
import { KeyedQueue } from "./keyed-queue";
import {
  chosen,
  dueAt,
  expired,
  type PresenceAnswer,
  type PresenceRecord,
  presenceOf,
  released,
  renewed,
  type Status,
  transition,
} from "./presence.engine";
import type { Connected, ConnectionRef } from "./presence.internal";
import { PresenceStore } from "./presence.store";

export interface TrackerPorts {
  readonly kv: Kv;
  readonly clock: Clock;
  /** Who this node is when it takes the sweep's lease. */
  readonly nodeId: string;
  /** Tells the others. A failure is reported by the port itself. */
  announce(userId: string, presence: PresenceAnswer): Promise<void>;
  /** A sweep failed; it is tried again. */
  failed(error: unknown): void;
}

const SWEEP_MS = 500;
const SWEEP_LEASE_MS = 2_000;
const SWEEP_PAGE = 500;

/**
 * Keeps the presence records: connections come, are renewed and go, and whoever's visible status changes is announced
 * once. A connection that is not renewed any more (its node died) ends by itself when its lease does.
 */
export class PresenceTracker {
  private readonly store: PresenceStore;
  private readonly perUser = new KeyedQueue();
  private cancelSweep: (() => void) | undefined;
  private sweeping: Promise<void> | undefined;

  constructor(private readonly ports: TrackerPorts) {
    this.store = new PresenceStore(ports.kv);
  }

  start(): void {
    this.cancelSweep = this.ports.clock.setTimeout(() => {
      this.sweeping = this.sweep().then(() => {
        if (this.cancelSweep) this.start();
      });
    }, SWEEP_MS);
  }

  async stop(): Promise<void> {
    this.cancelSweep?.();
    this.cancelSweep = undefined;
    await this.sweeping;
    await this.ports.kv.release("presence:sweep", this.ports.nodeId).catch(() => undefined);
  }

  /** Connections were opened or are still open. */
  async renew(connections: readonly ConnectionRef[]): Promise<void> {
    for (const { userId, id } of connections) await this.change(userId, (record, now) => renewed(record, id, now));
  }

  /** A connection was closed. */
  async release({ userId, id }: ConnectionRef): Promise<void> {
    await this.change(userId, (record, now) => released(record, id, now));
  }

  /** The user chose a status. Answers what others see now. */
  async choose(userId: string, status: Status): Promise<PresenceAnswer> {
    return this.change(userId, (record, now) => chosen(record, status, now));
  }

  async read(userId: string): Promise<PresenceAnswer> {
    return presenceOf(await this.store.read(userId), this.ports.clock.now());
  }

  /** Who is connected, and at most `limit` of them with details. */
  async connected(limit: number): Promise<{ total: number; users: Connected[] }> {
    const userIds = await this.store.connected();
    const users = await Promise.all(
      userIds.slice(0, limit).map(async (userId) => {
        const record = await this.store.read(userId);
        const { status } = presenceOf(record, this.ports.clock.now());
        return { userId, status, connections: Object.keys(record.leases).length };
      }),
    );
    return { total: userIds.length, users };
  }

  /** Ends what nobody renews. One node does it at a time; doing it twice would only announce twice. */
  private async sweep(): Promise<void> {
    try {
      const { kv, clock, nodeId } = this.ports;
      const mine =
        (await kv.renew("presence:sweep", nodeId, SWEEP_LEASE_MS)) ||
        (await kv.acquire("presence:sweep", nodeId, SWEEP_LEASE_MS));
      if (!mine) return;
      for (const userId of await this.store.due(clock.now(), SWEEP_PAGE)) {
        await this.change(userId, (record) => record);
      }
    } catch (error) {
      this.ports.failed(error);
    }
  }

  private change(userId: string, apply: (record: PresenceRecord, now: number) => PresenceRecord) {
    return this.perUser.run(userId, async () => {
      const now = this.ports.clock.now();
      const before = await this.store.read(userId);
      const applied = apply(before, now);
      const news = transition(applied, now);
      const after = { ...withoutExpired(applied, now), ...(news && { shown: news.status }) };
      await this.store.write(userId, before, after);
      await this.store.schedule(userId, dueAt(after));
      if (news) await this.ports.announce(userId, news);
      return presenceOf(after, now);
    });
  }
}

function withoutExpired(record: PresenceRecord, now: number): PresenceRecord {
  const gone = expired(record, now);
  if (gone.length === 0) return record;
  const leases = { ...record.leases };
  for (const id of gone) delete leases[id];
  return { ...record, leases };
}
