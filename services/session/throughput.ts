import { isA, type StoredEvent } from "../../actors/conversation/conversation.events";
import type { Clock } from "../../lib/actor/ports";
import { inTime } from "../../lib/actor/time";
import type { Kv } from "../../lib/kv/kv";
import type { Flow } from "./estimate";

/** Taken sessions are counted in buckets of this time; the latest six count. */
const BUCKET_MS = 120_000;
const BUCKETS = 6;
/** An answer serves everybody who asks within this time. */
const FRESH_MS = 2_000;
/** Nobody waits longer for the key-value store. */
const PATIENCE_MS = 200;
/** Topics remembered at once: whoever asks for more asks the store again. */
const MAX_TOPICS = 1_000;

/**
 * How fast the sessions of each topic are taken from the queue, on all nodes together, in the last ten minutes or so. It
 * is counted in the key-value store, so that without that nothing is known for a while.
 */
export class Throughput {
  private readonly known = new Map<string, { readonly at: number; readonly flow: Promise<Flow | undefined> }>();

  constructor(
    private readonly kv: Pick<Kv, "increment" | "get">,
    private readonly clock: Clock,
  ) {}

  /** Counts what these events took from the queue. */
  note(events: readonly StoredEvent[]): void {
    const taken = new Map<string, number>();
    for (const event of events) {
      if (!isA(event, "session.assigned") || !event.session || event.data.from !== undefined) continue;
      const { topic } = event.session;
      taken.set(topic, (taken.get(topic) ?? 0) + 1);
    }
    const bucket = Math.floor(this.clock.now() / BUCKET_MS);
    for (const [topic, count] of taken) {
      // What is not counted makes an estimate worse, and nothing else.
      this.kv.increment(keyOf(topic, bucket), count, (BUCKETS + 1) * BUCKET_MS).catch(() => undefined);
    }
  }

  /** Undefined when nothing was taken, or when nobody knows. Never rejects. */
  of(topic: string): Promise<Flow | undefined> {
    const now = this.clock.now();
    const known = this.known.get(topic);
    if (known && now >= known.at && now < known.at + FRESH_MS) return known.flow;
    if (this.known.size >= MAX_TOPICS) this.known.clear();
    const flow = inTime(
      this.clock,
      PATIENCE_MS,
      () => this.read(topic, now).catch(() => undefined),
      () => undefined,
    );
    this.known.set(topic, { at: now, flow });
    return flow;
  }

  /** The time counts from the first bucket with anything in it: before that nobody may have been at work. */
  private async read(topic: string, now: number): Promise<Flow | undefined> {
    const last = Math.floor(now / BUCKET_MS);
    const buckets = Array.from({ length: BUCKETS }, (_, at) => last - BUCKETS + 1 + at);
    const counts = await Promise.all(
      buckets.map(async (bucket) => Number((await this.kv.get(keyOf(topic, bucket))) ?? 0)),
    );
    const first = counts.findIndex((count) => count > 0);
    if (first < 0) return undefined;
    const since = (last - BUCKETS + 1 + first) * BUCKET_MS;
    return { taken: counts.reduce((sum, count) => sum + count, 0), overMs: Math.max(BUCKET_MS, now - since) };
  }
}

const keyOf = (topic: string, bucket: number): string => `taken/${encodeURIComponent(topic)}/${bucket}`;
