import type { Clock, Monotonic } from "../../lib/actor/ports";
import type { Kv } from "../../lib/kv/kv";
import { sideBySide } from "../../lib/side-by-side";
import { Announcer } from "./announcer";
import { KeyedQueue } from "./keyed-queue";
import { LostNodes } from "./lost-nodes";
import {
  chosen,
  dueAt,
  isConnected,
  lost,
  type PresenceAnswer,
  type PresenceRecord,
  presenceOf,
  reasonOf,
  released,
  renewed,
  type Status,
  transition,
  withoutExpired,
} from "./presence.engine";
import type { Connected, Explanation, Report } from "./presence.internal";
import { PresenceStore } from "./presence.store";

export interface TrackerPorts {
  readonly kv: Kv;
  /** For timers only: what is compared between nodes is the key-value store's own time. */
  readonly clock: Clock;
  readonly monotonic: Monotonic;
  /** Who this node is when it takes the sweep's lease. */
  readonly nodeId: string;
  /** Is this io node out of reach of everybody? False also while this node cannot know. */
  isGone(node: string): boolean;
  /** Tells the others. A failure is reported by the port itself. */
  announce(userId: string, presence: PresenceAnswer): Promise<void>;
  /** Asks every io node to report all its connections now. */
  takeCensus(): Promise<void>;
  /** A sweep failed; it is tried again. */
  failed(error: unknown): void;
  /** A sweep, or the look whether it is this node's turn, has worked. */
  worked(): void;
}

const SWEEP_MS = 500;
const SWEEP_LEASE_MS = 2_000;
const SWEEP_PAGE = 500;
/** Users who are changed at once. */
const WIDTH = 16;

/**
 * Keeps the presence records: connections come, are renewed and go, and whoever's visible status changes is announced
 * once. Many nodes do so side by side. A connection that is not renewed any more ends when its node has been gone for
 * a while, and at the latest by itself when its lease does.
 */
export class PresenceTracker {
  private readonly store: PresenceStore;
  private readonly perUser = new KeyedQueue();
  private readonly lostNodes: LostNodes;
  private readonly announcer: Announcer;
  private cancelSweep: (() => void) | undefined;
  private sweeping: Promise<void> | undefined;

  constructor(private readonly ports: TrackerPorts) {
    this.store = new PresenceStore(ports.kv);
    this.announcer = new Announcer((userId, presence) => ports.announce(userId, presence));
    this.lostNodes = new LostNodes((node) => ports.isGone(node));
  }

  start(): void {
    this.cancelSweep = this.ports.clock.setTimeout(() => {
      this.sweeping = this.turn().then(() => {
        if (this.cancelSweep) this.start();
      });
    }, SWEEP_MS);
  }

  async stop(): Promise<void> {
    this.cancelSweep?.();
    this.cancelSweep = undefined;
    await this.sweeping;
    await this.announcer.whenIdle();
    await this.ports.kv.release("presence:sweep", this.ports.nodeId).catch(() => undefined);
  }

  /** Connections of an io node were opened, are still open, or were closed. */
  async report({ node, opened, closed }: Report): Promise<void> {
    await this.store.note(node, opened, closed, await this.store.now());
    const users = new Map<string, { opened: string[]; closed: string[] }>();
    for (const kind of ["opened", "closed"] as const) {
      for (const { userId, id } of kind === "opened" ? opened : closed) {
        const ids = users.get(userId) ?? { opened: [], closed: [] };
        ids[kind].push(id);
        users.set(userId, ids);
      }
    }
    await sideBySide(users, WIDTH, async ([userId, ids]) => {
      await this.change(userId, (before, now) => {
        const after = ids.opened.reduce((record, id) => renewed(record, id, node, now), before);
        return ids.closed.reduce((record, id) => released(record, id, node, now), after);
      });
    });
  }

  /** The user chose a status. Answers what others see now. */
  async choose(userId: string, status: Status): Promise<PresenceAnswer> {
    return this.change(userId, (record, now) => chosen(record, status, now));
  }

  async read(userIds: readonly string[]): Promise<Array<[userId: string, presence: PresenceAnswer]>> {
    const now = await this.store.now();
    return Promise.all(userIds.map(async (userId) => [userId, presenceOf(await this.store.read(userId), now)]));
  }

  /** Who is connected, and at most `limit` of them with details. */
  async connected(limit: number): Promise<{ total: number; users: Connected[] }> {
    const [now, userIds] = await Promise.all([this.store.now(), this.store.connected()]);
    const users = await Promise.all(
      userIds.slice(0, limit).map(async (userId) => {
        const record = await this.store.read(userId);
        const { status } = presenceOf(record, now);
        return { userId, status, connections: Object.keys(record.leases).length, reason: reasonOf(record, now) };
      }),
    );
    return { total: userIds.length, users };
  }

  /** Which of these users have a connection. */
  async connectedAmong(userIds: readonly string[]): Promise<string[]> {
    const now = await this.store.now();
    const connected = await Promise.all(userIds.map(async (userId) => isConnected(await this.store.read(userId), now)));
    return userIds.filter((_, index) => connected[index]);
  }

  async explain(userId: string): Promise<Explanation> {
    const [now, record] = await Promise.all([this.store.now(), this.store.read(userId)]);
    const { leases, ended } = withoutExpired(record, now);
    const iso = (at: number): string => new Date(at).toISOString();
    return {
      status: presenceOf(record, now).status,
      reason: reasonOf(record, now),
      ...(record.own !== undefined && { own: record.own }),
      ...(record.seenAt !== undefined && { lastSeenAt: iso(record.seenAt) }),
      ...(ended && { endedAt: iso(ended.at) }),
      connections: Object.entries(leases).map(([id, { node, until }]) => ({ id, node, expiresInMs: until - now })),
    };
  }

  /** Ends what nobody renews and the connections of lost nodes. Doing it twice at once changes nothing. */
  async sweep(): Promise<{ looked: number }> {
    await this.sweepNodes();
    const now = await this.store.now();
    let looked = 0;
    for (;;) {
      const due = await this.store.due(now, SWEEP_PAGE);
      await sideBySide(due, WIDTH, async (userId) => void (await this.change(userId, (record) => record)));
      looked += due.length;
      if (due.length < SWEEP_PAGE) return { looked };
    }
  }

  /** One node sweeps at a time, to save work; every node notices when all records were lost. */
  private async turn(): Promise<void> {
    try {
      const { kv, nodeId } = this.ports;
      if (await this.store.isNew(nodeId)) await this.ports.takeCensus();
      const mine =
        (await kv.renew("presence:sweep", nodeId, SWEEP_LEASE_MS)) ||
        (await kv.acquire("presence:sweep", nodeId, SWEEP_LEASE_MS));
      if (mine) await this.sweep();
      this.ports.worked();
    } catch (error) {
      this.ports.failed(error);
    }
  }

  private async sweepNodes(): Promise<void> {
    const gone = this.lostNodes.among(await this.store.nodes(), this.ports.monotonic());
    for (const node of gone) {
      const users = await this.store.usersOf(node);
      await sideBySide(users, WIDTH, async (userId) => {
        await this.change(userId, (record, now) => lost(record, node, now));
      });
      await this.store.forget(node);
    }
  }

  /**
   * Applies a change to a record. Other nodes may change the same record at the same time: whoever added or ended a
   * connection, or told a status, reads the record once more, so that of two the later one sees both changes.
   */
  private change(
    userId: string,
    apply: (record: PresenceRecord, now: number) => PresenceRecord,
  ): Promise<PresenceAnswer> {
    return this.perUser.run(userId, async () => {
      const [now, found] = await Promise.all([this.store.now(), this.store.read(userId)]);
      let before = found;
      let after = settled(apply(before, now), now);
      for (;;) {
        const due = dueAt(after);
        const tells = isTold(before, after);
        // Whoever ends between two writes leaves a look too many behind, not one too few.
        if (tells && due !== undefined) await this.store.schedule(userId, due);
        await this.store.write(userId, before, after);
        await this.store.schedule(userId, due);
        if (!tells) break;
        before = await this.store.read(userId);
        const next = settled(before, now);
        if (next.shown === before.shown && dueAt(next) === dueAt(after)) break;
        after = next;
      }
      const presence = presenceOf(after, now);
      if ((found.shown ?? "offline") !== presence.status) this.announcer.announce(userId, presence);
      return presence;
    });
  }
}

/** The record with its expired connections gone, and the status that the others are about to be told. */
function settled(record: PresenceRecord, now: number): PresenceRecord {
  const news = transition(record, now);
  return { ...withoutExpired(record, now), ...(news && { shown: news.status }) };
}

/** Does the change end or begin a connection, or tell a status? Renewals, which are by far the most, do not. */
const isTold = (before: PresenceRecord, after: PresenceRecord): boolean =>
  before.shown !== after.shown ||
  Object.keys(after.leases).some(
    (id) => !(id in before.leases) || after.leases[id]?.ending !== before.leases[id]?.ending,
  ) ||
  Object.keys(before.leases).some((id) => !(id in after.leases));
