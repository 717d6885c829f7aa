import type { Clock, Random } from "./ports";
import { pause } from "./time";

/** Exponential back-off with full jitter (Brooker, "Exponential Backoff And Jitter", AWS 2015). */
export class Backoff {
  private attempt = 0;

  constructor(
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly bounds: { readonly firstMs: number; readonly maxMs: number },
  ) {}

  /** Resolves after the next pause. */
  wait(): Promise<void> {
    const ceiling = Math.min(this.bounds.maxMs, this.bounds.firstMs * 2 ** this.attempt++);
    const ms = 1 + Math.floor(this.random.float() * ceiling);
    return pause(this.clock, ms);
  }
}
