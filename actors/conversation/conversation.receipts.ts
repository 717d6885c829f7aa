import { Backoff } from "../../lib/actor/backoff";
import type { Clock, Random } from "../../lib/actor/ports";
import { ParleyError } from "../../lib/errors";
import type { Collection, Store } from "../../lib/store/collection";
import { memberId } from "./conversation.store";
import { type Watermark, WATERMARKS } from "./conversation.watermarks";

interface Pending {
  readonly conversationId: string;
  readonly userId: string;
  deliveredSeq: number;
  readSeq: number;
  readonly answer: Array<{ readonly resolve: (watermark: Watermark) => void; readonly reject: (error: Error) => void }>;
}

/** Group commit of receipts: one bulk write at a time for the node; what arrives meanwhile is the next. */
export class Receipts {
  private readonly watermarks: Collection<Watermark>;
  private pending = new Map<string, Pending>();
  private running: Promise<void> | undefined;

  constructor(
    store: Store,
    private readonly clock: Clock,
    private readonly random: Random,
    /** Told once a write, per conversation, what has become of the watermarks. */
    private readonly onWritten: (conversationId: string, watermarks: readonly Watermark[]) => void,
  ) {
    this.watermarks = store.collection(WATERMARKS);
  }

  /**
   * Raises a member's watermarks; `seq` is clamped to the log by the caller. Resolves with the resulting ones once
   * they are durable. @throws ParleyError TOO_BUSY, UNAVAILABLE
   */
  raise(conversationId: string, userId: string, kind: "delivered" | "read", seq: number): Promise<Watermark> {
    const _id = memberId(conversationId, userId);
    let entry = this.pending.get(_id);
    if (!entry) {
      if (this.pending.size >= MAX_PENDING) return Promise.reject(new ParleyError("TOO_BUSY"));
      entry = { conversationId, userId, deliveredSeq: 0, readSeq: 0, answer: [] };
      this.pending.set(_id, entry);
    }
    entry.deliveredSeq = Math.max(entry.deliveredSeq, seq);
    if (kind === "read") entry.readSeq = Math.max(entry.readSeq, seq);
    const { answer } = entry;
    return new Promise((resolve, reject) => {
      answer.push({ resolve, reject });
      this.running ??= Promise.resolve().then(() => this.run());
    });
  }

  /** The watermarks of one user in these conversations. */
  of(userId: string, conversationIds: readonly string[]): Promise<Watermark[]> {
    return this.watermarks.find({ _id: { $in: conversationIds.map((id) => memberId(id, userId)) } });
  }

  /** How many members have read through `seq`, counting no further than `limit`. */
  countRead(conversationId: string, seq: number, limit: number): Promise<number> {
    return this.watermarks.count({ conversationId, readSeq: { $gte: seq } }, limit);
  }

  async stop(): Promise<void> {
    await this.running;
  }

  private async run(): Promise<void> {
    while (this.pending.size > 0) {
      const batch = this.pending;
      this.pending = new Map();
      await this.write(batch);
    }
    this.running = undefined;
  }

  private async write(batch: ReadonlyMap<string, Pending>): Promise<void> {
    const backoff = new Backoff(this.clock, this.random, { firstMs: 20, maxMs: 500 });
    for (let attempt = 1; ; attempt++) {
      try {
        await this.watermarks.bulkWrite([...batch].map(([_id, entry]) => raiseOne(_id, entry)));
        this.tell(batch, await this.watermarks.find({ _id: { $in: [...batch.keys()] } }));
        return;
      } catch {
        // Raising twice is raising once, so trying again is safe.
        if (attempt === ATTEMPTS) break;
        await backoff.wait();
      }
    }
    for (const { answer } of batch.values()) for (const { reject } of answer) reject(new ParleyError("UNAVAILABLE"));
  }

  private tell(batch: ReadonlyMap<string, Pending>, written: readonly Watermark[]): void {
    const byConversation = new Map<string, Watermark[]>();
    for (const watermark of written) {
      for (const { resolve } of batch.get(watermark._id)?.answer ?? []) resolve(watermark);
      const others = byConversation.get(watermark.conversationId);
      if (others) others.push(watermark);
      else byConversation.set(watermark.conversationId, [watermark]);
    }
    for (const [conversationId, watermarks] of byConversation) this.onWritten(conversationId, watermarks);
  }
}

const MAX_PENDING = 10_000;
const ATTEMPTS = 4;

const raiseOne = (_id: string, { conversationId, userId, deliveredSeq, readSeq }: Pending) => ({
  filter: { _id },
  update: { $max: { deliveredSeq, readSeq }, $setOnInsert: { conversationId, userId } },
  upsert: true,
});
