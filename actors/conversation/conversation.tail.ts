import type { Clock } from "../../lib/actor/ports";
import { inTime, pause } from "../../lib/actor/time";
import type { Kv } from "../../lib/kv/kv";
import { type Audience, isA, maySee, type StoredEvent } from "./conversation.events";

/** Newest events kept of a conversation; no page of history needs more. */
export const TAIL_EVENTS = 100;
/** A longer event is not kept: the tail begins anew after it. */
const EVENT_LENGTH = 8_000;
/** So long after it was last read, a conversation's tail is kept. */
const TTL_MS = 15 * 60_000;
/** Conversations whose tails this node keeps up; those read last. */
const KEPT = 5_000;
/** A tail that was of no use is not filled again before. */
const REFILL_MS = 10_000;
/** Events of a conversation that come within this time are written at once. */
const GATHER_MS = 250;
/** Characters waiting to be written; what comes beyond is not kept. */
const WAITING_LENGTH = 8_000_000;
/** Conversations in one write. */
const WRITES_AT_ONCE = 100;
/** A read that takes longer is not waited for: the store has everything. */
const PATIENCE_MS = 100;
/** So long nothing is tried after a failure. */
const BROKEN_MS = 5_000;

/**
 * The newest events of conversations that are being read, in the key-value store, where `history` and `sync` look first.
 * A cache that may lose anything: events never change, so whatever run of consecutive seqs it still has up to the seq
 * that a reader was authorised at is what the log has there, and nothing else is taken from it. Writing one costs a
 * tenth of what a message costs: conversations that nobody reads have none.
 */
export class ConversationTail {
  /** Conversations read lately, the last one last: until when their tails are kept up, and when they may be refilled. */
  private readonly kept = new Map<string, { until: number; refillAt: number }>();
  private waiting = new Map<string, string[]>();
  private waitingLength = 0;
  private writing: Promise<void> | undefined;
  private brokenUntil = 0;
  private stopped = false;

  constructor(
    private readonly kv: Kv,
    private readonly clock: Clock,
  ) {}

  /** Takes durable events; those of conversations that are being read are written in the background. */
  add(events: readonly StoredEvent[]): void {
    if (this.kept.size > 0) this.put(events.filter(({ conversationId }) => this.keeps(conversationId)));
  }

  /** Is the tail of this conversation kept up here? Else it is seldom worth a look. */
  keeps(conversationId: string): boolean {
    return (this.kept.get(conversationId)?.until ?? 0) > this.clock.now();
  }

  /** The tail was of no use: fills it, in the background, with the newest events of the log, which `read` answers. */
  refill(conversationId: string, read: () => Promise<readonly StoredEvent[]>): void {
    const kept = this.kept.get(conversationId);
    if (!kept || kept.refillAt > this.clock.now() || this.broken) return;
    kept.refillAt = this.clock.now() + REFILL_MS;
    read().then(
      (events) => this.put(events),
      () => undefined,
    );
  }

  private put(events: readonly StoredEvent[]): void {
    if (events.length === 0 || this.stopped || this.broken) return;
    for (const event of events) {
      const value = `${event.seq} ${JSON.stringify(event)}`;
      if (value.length > EVENT_LENGTH || this.waitingLength + value.length > WAITING_LENGTH) continue;
      this.waitingLength += value.length;
      const values = this.waiting.get(event.conversationId);
      if (values) values.push(value);
      else this.waiting.set(event.conversationId, [value]);
    }
    this.writing ??= this.write();
  }

  /**
   * The events that end at `through`, without a hole, ascending: at most the newest `count`, and as many of them as are
   * kept. Never rejects.
   */
  async read(conversationId: string, through: number, count: number): Promise<StoredEvent[]> {
    this.keep(conversationId);
    if (count <= 0 || this.stopped || this.broken) return [];
    const values = await this.inTime(this.kv.listRead(keyOf(conversationId)));
    const bySeq = new Map<number, string>();
    for (const value of values) bySeq.set(Number.parseInt(value, 10), value);
    const events: string[] = [];
    for (let seq = through; events.length < count; seq--) {
      const value = bySeq.get(seq);
      if (value === undefined) break;
      events.push(value);
    }
    return events.reverse().map((value) => JSON.parse(value.slice(value.indexOf(" ") + 1)) as StoredEvent);
  }

  /** Resolves when nothing is being written any more; what waits is given up. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.forget();
    await this.writing;
  }

  private keep(conversationId: string): void {
    const now = this.clock.now();
    const refillAt = this.kept.get(conversationId)?.refillAt ?? now;
    this.kept.delete(conversationId);
    this.kept.set(conversationId, { until: now + TTL_MS, refillAt });
    for (const [oldest, { until }] of this.kept) {
      if (until > now && this.kept.size <= KEPT) return;
      this.kept.delete(oldest);
    }
  }

  private get broken(): boolean {
    return this.clock.now() < this.brokenUntil;
  }

  private async write(): Promise<void> {
    while (this.waiting.size > 0) {
      await pause(this.clock, GATHER_MS);
      const batch = [...this.waiting];
      this.forget();
      for (let at = 0; at < batch.length && !this.broken; at += WRITES_AT_ONCE) {
        await this.push(batch.slice(at, at + WRITES_AT_ONCE));
      }
    }
    this.writing = undefined;
  }

  private async push(batch: ReadonlyArray<readonly [string, readonly string[]]>): Promise<void> {
    const options = { max: TAIL_EVENTS, ttlMs: TTL_MS };
    try {
      const lists = batch.map(([id, values]) => ({ key: keyOf(id), values }));
      await this.kv.listPush(lists, options);
    } catch {
      this.breakOff();
    }
  }

  private inTime(reading: Promise<string[]>): Promise<string[]> {
    const giveUp = (): string[] => {
      this.breakOff();
      return [];
    };
    return inTime(this.clock, PATIENCE_MS, () => reading.catch(giveUp), giveUp);
  }

  private breakOff(): void {
    this.brokenUntil = this.clock.now() + BROKEN_MS;
    this.forget();
  }

  private forget(): void {
    this.waiting = new Map();
    this.waitingLength = 0;
  }
}

/** Messages that are asked for: with a seq strictly between `after` and `before`. */
export interface Page {
  readonly after: number;
  readonly before: number;
  /** From the oldest of them on, else from the newest backwards. */
  readonly forward: boolean;
  readonly count: number;
}

/**
 * A page as the log has it, from the newest events of the log, if they reach back far enough: the messages in the order
 * asked for, and everything that was said about them later. Pure.
 */
export function pageOf(
  tail: readonly StoredEvent[],
  audience: Audience,
  { after, before, forward, count }: Page,
): { created: StoredEvent[]; changes: StoredEvent[] } | undefined {
  const [first] = tail;
  if (!first) return undefined;
  const found = tail.filter(
    (event) => isA(event, "message.created") && event.seq > after && event.seq < before && maySee(event, audience),
  );
  const whole = first.seq <= after + 1;
  if (!whole && (forward || found.length < count)) return undefined;
  const created = forward ? found.slice(0, count) : found.slice(-count).reverse();
  const about = new Set(created.map(({ conversationId, seq }) => `${conversationId}/${seq}`));
  return { created, changes: tail.filter((event) => event.about !== undefined && about.has(event.about)) };
}

const keyOf = (conversationId: string): string => `tail/${conversationId}`;
