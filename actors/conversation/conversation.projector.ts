import { Backoff } from "../../lib/actor/backoff";
import type { Clock, Random } from "../../lib/actor/ports";
import { standingChanges, type StoredEvent } from "./conversation.events";
import { toSnapshot } from "./conversation.snapshot";
import type { ConversationState } from "./conversation.state";
import { type ConversationStore, type Member, memberId } from "./conversation.store";

/** Where events go that somebody outside must learn of. Publishing one again changes nothing. */
export interface Publishing {
  wants(event: StoredEvent): boolean;
  /** Resolves when they are durable. */
  publish(events: readonly StoredEvent[]): Promise<void>;
}

/**
 * Writes snapshots and member documents in bulk, and publishes: at most 250 ms behind what is durable; snapshots up to
 * 5 s while the store is busy with messages. A snapshot is written only after the member documents and what is to be
 * published through its `appliedSeq`: whatever lies beyond it, a load finds and publishes.
 */
export class Projector {
  private dirty = new Map<string, ConversationState>();
  private members = new Map<string, Member>();
  private unpublished: StoredEvent[] = [];
  private flush = 0;
  private projectedFlush = 0;
  private cancel: (() => void) | undefined;
  private wakesAt = Number.POSITIVE_INFINITY;
  /** Before it no snapshot is written, unless somebody waits for it. */
  private snapshotsFrom = 0;
  private stopped = false;
  private writing: Promise<void> | undefined;

  constructor(
    private readonly store: ConversationStore,
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly publishing: Publishing | undefined,
    /** Told of each attempt that failed; it is made again until it succeeds. */
    private readonly onFailure: (error: unknown) => void,
  ) {}

  /** The flush through which everything is projected and published. */
  get projected(): number {
    return this.projectedFlush;
  }

  /** Takes an event that is durable, and the state after it. */
  add(event: StoredEvent, state: ConversationState): void {
    this.dirty.set(state.id, state);
    this.addMembers(event);
    if (this.publishing?.wants(event)) this.unpublished.push(event);
    this.schedule();
  }

  /** Takes what a load found beyond the snapshot. */
  repair(events: readonly StoredEvent[], state: ConversationState): void {
    // What a repeat was answered with was published when it was made, or when it was found.
    const isTail = events.at(-1)?.seq === state.seq;
    for (const event of events) {
      this.addMembers(event);
      if (isTail && this.publishing?.wants(event)) this.unpublished.push(event);
    }
    const known = this.dirty.get(state.id);
    if (!known || known.seq < state.seq) this.dirty.set(state.id, state);
    this.schedule();
  }

  /** Everything through this flush has been added. */
  settled(flush: number): void {
    this.flush = flush;
    if (this.dirty.size === 0 && !this.writing) this.projectedFlush = flush;
  }

  /** Is a standing of this user not written yet? */
  lags(userId: string): boolean {
    if (this.writing) return true;
    for (const member of this.members.values()) if (member.userId === userId) return true;
    return false;
  }

  /** Is anything of a session not written yet? */
  get lagsInSessions(): boolean {
    if (this.writing) return true;
    for (const { session } of this.dirty.values()) if (session) return true;
    return false;
  }

  /** Resolves when everything added so far is written. */
  async write(): Promise<void> {
    while (this.writing) await this.writing;
    if (this.dirty.size > 0) await this.writeNow(true);
  }

  private async writeNow(withSnapshots: boolean): Promise<void> {
    this.unschedule();
    const { clock } = this;
    const startedAt = clock.now();
    this.writing = withSnapshots ? this.writeAll() : this.writeUrgent(this.takeUrgent());
    await this.writing;
    this.writing = undefined;
    // Snapshots wait for nobody, messages wait for the store: mostly it is theirs.
    if (withSnapshots) this.snapshotsFrom = clock.now() + Math.min(STORE_SHARE * (clock.now() - startedAt), MAX_LAG_MS);
    if (this.dirty.size > 0) this.schedule();
  }

  /** Writes no more, also what could not be written yet. */
  stop(): void {
    this.stopped = true;
    this.unschedule();
  }

  private addMembers(event: StoredEvent): void {
    const { conversationId, seq, at } = event;
    for (const { userId, standing } of standingChanges(event)) {
      const _id = memberId(conversationId, userId);
      const known = this.members.get(_id);
      if (known && known.seq > seq) continue;
      this.members.set(_id, { _id, conversationId, userId, standing, active: standing !== "none", seq, at });
    }
  }

  private schedule(): void {
    if (this.writing) return;
    const { clock } = this;
    const urgent = this.members.size + this.unpublished.length > 0;
    const at = clock.now() + LAG_MS;
    // The clock was set back.
    if (this.snapshotsFrom > clock.now() + MAX_LAG_MS) this.snapshotsFrom = 0;
    const wakesAt = urgent ? at : Math.max(at, this.snapshotsFrom);
    if (this.wakesAt <= wakesAt) return;
    this.unschedule();
    this.wakesAt = wakesAt;
    this.cancel = clock.setTimeout(() => {
      this.unschedule();
      void this.writeNow(clock.now() >= this.snapshotsFrom);
    }, wakesAt - clock.now());
  }

  private unschedule(): void {
    this.cancel?.();
    this.cancel = undefined;
    this.wakesAt = Number.POSITIVE_INFINITY;
  }

  private async writeAll(): Promise<void> {
    const { dirty, flush } = this;
    this.dirty = new Map();
    await this.writeUrgent(this.takeUrgent());
    const snapshots = [...dirty.values()].map(toSnapshot);
    const written = await this.insist(() => this.store.conversations.putNewer(snapshots, "appliedSeq"));
    if (written) this.projectedFlush = flush;
  }

  /** What others decide on, or wait for. */
  private takeUrgent(): Urgent {
    const urgent = { members: [...this.members.values()], unpublished: this.unpublished };
    this.members = new Map();
    this.unpublished = [];
    return urgent;
  }

  private async writeUrgent({ members, unpublished }: Urgent): Promise<void> {
    if (members.length > 0) await this.insist(() => this.store.members.putNewer(members, "seq"));
    if (unpublished.length > 0) await this.insist(async () => this.publishing?.publish(unpublished));
  }

  /** Does it until it succeeds, or all is stopped. @returns whether it succeeded */
  private async insist(work: () => Promise<unknown>): Promise<boolean> {
    const backoff = new Backoff(this.clock, this.random, { firstMs: 50, maxMs: 2_000 });
    while (!this.stopped) {
      try {
        await work();
        return true;
      } catch (error) {
        if (!this.stopped) this.onFailure(error);
      }
      if (!this.stopped) await backoff.wait();
    }
    return false;
  }
}

interface Urgent {
  readonly members: readonly Member[];
  readonly unpublished: readonly StoredEvent[];
}

const LAG_MS = 200;
/** Snapshots whose writing took t are followed by a pause of so many times t, but of no more than MAX_LAG_MS. */
const STORE_SHARE = 19;
const MAX_LAG_MS = 5_000;
