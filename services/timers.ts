import type { Alarm } from "../actors/conversation/conversation.arming";
import { Backoff } from "../lib/actor/backoff";
import type { Clock, Random } from "../lib/actor/ports";
import { perBroker } from "../lib/per-broker";
import { resourcesOf } from "../lib/resources";
import type { Collection, CollectionDefinition, Store, WriteOperation } from "../lib/store/collection";

/** In the order in which a scan reads, so that it reads nothing but what is due. */
export const TIMERS: CollectionDefinition = { name: "timers", indexes: [{ fields: { dueAt: 1, _id: 1 } }] };

/** A time at which a conversation is to be looked at. Times are wall-clock milliseconds. */
export interface TimerRow {
  /** `<conversationId>/<dueAt>`: arming twice is arming once. */
  _id: string;
  conversationId: string;
  dueAt: number;
  /** When it was armed for an event that was not there yet; absent when it was armed for what is durable. */
  armedAt?: number;
}

interface Pending {
  readonly operation: WriteOperation;
  readonly waiting: Array<{ readonly resolve: () => void; readonly reject: (error: unknown) => void }>;
}

/** The rows of a node: one bulk write at a time; what arrives meanwhile is the next. */
export class TimerStore implements Alarm {
  readonly rows: Collection<TimerRow>;
  private pending = new Map<string, Pending>();
  private running = false;

  constructor(
    store: Store,
    private readonly clock: Clock,
    private readonly random: Random,
  ) {
    this.rows = store.collection(TIMERS);
  }

  /** For an event that is about to be decided. */
  arm(conversationId: string, dueAt: number): Promise<void> {
    return this.put(conversationId, dueAt, { $max: { armedAt: this.clock.now() } });
  }

  /** For what is durable; with `armedAt` for what is looked at once more. */
  keep(conversationId: string, dueAt: number, armedAt?: number): Promise<void> {
    return this.put(conversationId, dueAt, {}, armedAt);
  }

  /** Deletes a row that was acted on, unless it was armed again since it was read. */
  async remove({ _id, armedAt }: TimerRow): Promise<void> {
    await this.rows.deleteMany({ _id, armedAt: armedAt ?? null });
  }

  private put(
    conversationId: string,
    dueAt: number,
    update: WriteOperation["update"],
    armedAt?: number,
  ): Promise<void> {
    const _id = `${conversationId}/${dueAt}`;
    const $setOnInsert = { conversationId, dueAt, ...(armedAt !== undefined && { armedAt }) };
    const operation = { filter: { _id }, update: { ...update, $setOnInsert }, upsert: true };
    // What is armed for an event has the last word.
    const known = this.pending.get(_id);
    const entry = { operation: known && !update.$max ? known.operation : operation, waiting: known?.waiting ?? [] };
    this.pending.set(_id, entry);
    return new Promise((resolve, reject) => {
      entry.waiting.push({ resolve, reject });
      if (!this.running) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.running = true;
    // Whoever asks in the same turn shares the first write.
    await Promise.resolve();
    while (this.pending.size > 0) {
      const batch = [...this.pending].slice(0, ROWS_AT_ONCE);
      for (const [id] of batch) this.pending.delete(id);
      await this.write(batch.map(([, entry]) => entry));
    }
    this.running = false;
  }

  private async write(batch: readonly Pending[]): Promise<void> {
    const backoff = new Backoff(this.clock, this.random, { firstMs: 20, maxMs: 500 });
    for (let attempt = 1; ; attempt++) {
      try {
        await this.rows.bulkWrite(batch.map(({ operation }) => operation));
        for (const { waiting } of batch) for (const { resolve } of waiting) resolve();
        return;
      } catch (error) {
        // Two nodes that arm the same row at once can meet each other: the second try finds it there.
        if (attempt < ATTEMPTS) await backoff.wait();
        else return batch.forEach(({ waiting }) => waiting.forEach(({ reject }) => reject(error)));
      }
    }
  }
}

const ROWS_AT_ONCE = 500;
const ATTEMPTS = 3;

/** The timers of a broker's node. */
export const timersOf = perBroker((broker) => {
  const { store, clock, random } = resourcesOf(broker);
  return new TimerStore(store, clock, random);
});
