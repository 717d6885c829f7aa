import type { StoredEvent } from "../../../actors/conversation/conversation.events";
import { Backoff } from "../../../lib/actor/backoff";
import type { Clock } from "../../../lib/actor/ports";
import type { FlushPage, Membership, RoomLimits, RoomReads } from "./ports";

/** The pauses between reads that are repeated: they double up to two seconds. */
export const pausesOf = (clock: Clock): Backoff => new Backoff(clock, undefined, { firstMs: 50, maxMs: 2_000 });

/**
 * Reads that do not fail: each is repeated, with growing pauses, until it works or nobody waits for it any more
 * (`wanted`); then it resolves to undefined. At most `limits.reads` are in flight, the others queue.
 */
export class Reader {
  private running = 0;
  private readonly queue: Array<() => void> = [];

  constructor(
    private readonly ports: RoomReads & { readonly clock: Clock },
    private readonly limits: RoomLimits,
  ) {}

  events(conversationId: string, after: number, wanted: () => boolean): Promise<StoredEvent[] | undefined> {
    return this.repeat(() => this.ports.readEvents(conversationId, after, this.limits.page), wanted);
  }

  flushes(incarnation: string, from: number, to: number, wanted: () => boolean): Promise<FlushPage | undefined> {
    return this.repeat(() => this.ports.readFlushes(incarnation, from, to), wanted);
  }

  memberships(userId: string, wanted: () => boolean): Promise<Membership[] | undefined> {
    return this.repeat(() => this.ports.memberships(userId), wanted);
  }

  private async repeat<T>(read: () => Promise<T>, wanted: () => boolean): Promise<T | undefined> {
    const backoff = pausesOf(this.ports.clock);
    while (wanted()) {
      try {
        return await this.oneOfFew(read, wanted);
      } catch {
        await backoff.wait();
      }
    }
    return undefined;
  }

  private async oneOfFew<T>(read: () => Promise<T>, wanted: () => boolean): Promise<T | undefined> {
    if (this.running >= this.limits.reads) await new Promise<void>((resolve) => this.queue.push(resolve));
    else this.running += 1;
    try {
      return wanted() ? await read() : undefined;
    } finally {
      const next = this.queue.shift();
      if (next) next();
      else this.running -= 1;
    }
  }
}
