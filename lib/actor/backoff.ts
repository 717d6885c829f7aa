import type { Clock, Random } from "./ports";
import { pause } from "./time";

/**
 * Exponential back-off with full jitter (Brooker, "Exponential Backoff And Jitter", AWS 2015). Without randomness each
 * pause is as long as it may be: it doubles from the first to the longest.
 */
export class Backoff {
  private attempt = 0;

  constructor(
    private readonly clock: Clock,
    private readonly random: Pick<Random, "float"> | undefined,
    private readonly bounds: { readonly firstMs: number; readonly maxMs: number },
  ) {}

  /** Resolves after the next pause. */
  wait(): Promise<void> {
    const ceiling = Math.min(this.bounds.maxMs, this.bounds.firstMs * 2 ** this.attempt++);
    return pause(this.clock, this.random ? 1 + Math.floor(this.random.float() * ceiling) : ceiling);
  }
}
