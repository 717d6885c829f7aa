import type { Clock } from "../../lib/actor/ports";
import type { Kv } from "../../lib/kv/kv";
import { type Audience, isA, maySee, type StoredEvent } from "./conversation.events";

/** Newest events kept of a conversation. */
export const TAIL_EVENTS = 100;
/** A longer event is not kept: the tail begins anew after it. */
const EVENT_LENGTH = 8_000;
const TTL_MS = 15 * 60_000;
/** Events of a conversation that come within this time are written at once. */
const GATHER_MS = 100;
/** Characters waiting to be written; what comes beyond is not kept. */
const WAITING_LENGTH = 8_000_000;
const WRITES_AT_ONCE = 64;
/** A read that takes longer is not waited for: the store has everything. */
const PATIENCE_MS = 100;
/** So long nothing is tried after a failure. */
const BROKEN_MS = 5_000;

/**
 * The newest events of active conversations in the key-value store, where `history` and `sync` look first. A cache
 * that may lose anything: events never change, so whatever run of consecutive seqs it still has up to the seq that a
 * reader was authorised at is what the log has there, and nothing else is taken from it.
 */
export class ConversationTail {
  private waiting = new Map<string, string[]>();
  private waitingLength = 0;
  private writing: Promise<void> | undefined;
  private brokenUntil = 0;
  private stopped = false;

  constructor(
    private readonly kv: Kv,
    private readonly clock: Clock,
  ) {}

  /** Takes durable events, to be written in the background. */
  add(events: readonly StoredEvent[]): void {
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

  private get broken(): boolean {
    return this.clock.now() < this.brokenUntil;
  }

  private async write(): Promise<void> {
    while (this.waiting.size > 0) {
      await new Promise<void>((resolve) => void this.clock.setTimeout(resolve, GATHER_MS));
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
      await Promise.all(batch.map(([id, values]) => this.kv.listPush(keyOf(id), values, options)));
    } catch {
      this.breakOff();
    }
  }

  private inTime(reading: Promise<string[]>): Promise<string[]> {
    return new Promise((resolve) => {
      const giveUp = (): void => {
        this.breakOff();
        resolve([]);
      };
      const cancel = this.clock.setTimeout(giveUp, PATIENCE_MS);
      void reading.then(resolve, giveUp).finally(cancel);
    });
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
