import type { StoredEvent } from "../../../actors/conversation/conversation.events";
import type { Clock } from "../../../lib/actor/ports";
import { pause } from "../../../lib/actor/time";
import type { FlushPage, Membership, RoomLimits, RoomReads } from "./ports";

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

/** Pauses that double up to two seconds. */
export class Backoff {
  private pauseMs = FIRST_PAUSE_MS;
  constructor(private readonly clock: Clock) {}

  /** Resolves after the next pause. */
  wait(): Promise<void> {
    const ms = this.pauseMs;
    this.pauseMs = Math.min(ms * 2, LONGEST_PAUSE_MS);
    return pause(this.clock, ms);
  }
}

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
    const backoff = new Backoff(this.ports.clock);
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
