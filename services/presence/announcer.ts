import type { PresenceAnswer } from "./presence.engine";

/** Announcements under way at once: each reads the user's conversations. */
const WIDTH = 8;

/**
 * Tells statuses in the background, so that whoever keeps the records never waits for those who are told. Of a user
 * only the latest status is told; one announcement of a user comes after the other.
 */
export class Announcer {
  private readonly waiting = new Map<string, PresenceAnswer>();
  private readonly busy = new Set<string>();
  private idle: Array<() => void> = [];

  /** `tell` reports its own failures. */
  constructor(private readonly tell: (userId: string, presence: PresenceAnswer) => Promise<void>) {}

  announce(userId: string, presence: PresenceAnswer): void {
    this.waiting.delete(userId);
    this.waiting.set(userId, presence);
    this.next();
  }

  /** Resolves when nothing is left to tell. */
  whenIdle(): Promise<void> {
    if (this.waiting.size + this.busy.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.idle.push(resolve));
  }

  private next(): void {
    for (const [userId, presence] of this.waiting) {
      if (this.busy.size >= WIDTH) return;
      if (this.busy.has(userId)) continue;
      this.waiting.delete(userId);
      this.busy.add(userId);
      void this.tell(userId, presence).finally(() => this.done(userId));
    }
  }

  private done(userId: string): void {
    this.busy.delete(userId);
    this.next();
    if (this.waiting.size + this.busy.size === 0) for (const resolve of this.idle.splice(0)) resolve();
  }
}
