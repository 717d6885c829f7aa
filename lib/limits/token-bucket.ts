/** What one client has left. A plain record, so that it can live inside whatever describes the client. */
export interface Bucket {
  tokens: number;
  /** Milliseconds of the last refill. */
  at: number;
}

/**
 * A token bucket: `perSecond` on average, `burst` at once. One limit serves any number
 * of buckets, and taking allocates nothing. Time is passed in and may stand still or go backwards.
 */
export class TokenBucket {
  private readonly perMs: number;

  constructor(
    perSecond: number,
    readonly burst: number = perSecond,
  ) {
    this.perMs = perSecond / 1_000;
  }

  /** A full bucket. */
  fill(now: number): Bucket {
    return { tokens: this.burst, at: now };
  }

  /** Takes `count` tokens and answers 0, or takes none and answers after how many milliseconds they will be there. */
  take(bucket: Bucket, now: number, count = 1): number {
    if (now > bucket.at) bucket.tokens = Math.min(this.burst, bucket.tokens + (now - bucket.at) * this.perMs);
    bucket.at = now;
    if (bucket.tokens >= count) {
      bucket.tokens -= count;
      return 0;
    }
    return Math.ceil((count - bucket.tokens) / this.perMs);
  }
}
