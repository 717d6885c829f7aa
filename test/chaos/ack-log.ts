interface Open {
  readonly begunAt: number;
}

/** How a stretch of a run looked to those who sent. */
export interface Calls {
  readonly count: number;
  /** Those that took longer than a second. */
  readonly slow: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

const SLOW_MS = 1_000;

/** When each command was first sent and when it was acknowledged; times are milliseconds of `performance.now()`. */
export class AckLog {
  private readonly begun: number[] = [];
  private readonly ended: number[] = [];
  private readonly open = new Set<Open>();

  get count(): number {
    return this.ended.length;
  }

  /** Runs a command to its acknowledgement. A refusal is no acknowledgement. */
  async time<T>(command: () => Promise<T>): Promise<T> {
    const entry = { begunAt: performance.now() };
    this.open.add(entry);
    try {
      const value = await command();
      this.begun.push(entry.begunAt);
      this.ended.push(performance.now());
      return value;
    } finally {
      this.open.delete(entry);
    }
  }

  /** Whether a command that was sent before this moment has no acknowledgement yet. */
  isWaiting(since: number): boolean {
    for (const { begunAt } of this.open) if (begunAt <= since) return true;
    return false;
  }

  /** The longest that a command waited after `from`, of those on their way then or sent before `to`. */
  longestWait(from: number, to: number): number {
    let longest = 0;
    for (const [at, begunAt] of this.begun.entries()) {
      const endedAt = this.ended[at] ?? 0;
      if (begunAt < to && endedAt > from) longest = Math.max(longest, endedAt - Math.max(begunAt, from));
    }
    return longest;
  }

  /** How many acknowledgements came within a stretch of time. */
  acked(from: number, to: number): number {
    return this.ended.reduce((sum, at) => (at >= from && at < to ? sum + 1 : sum), 0);
  }

  /** When the first acknowledgement came after a moment; undefined when none has. */
  firstAfter(moment: number): number | undefined {
    const later = this.ended.reduce((first, at) => (at > moment && at < first ? at : first), Infinity);
    return later === Infinity ? undefined : later;
  }

  /** The commands that were on their way at `from` or were sent before `to`. */
  during(from: number, to: number): Calls {
    const times = this.begun
      .flatMap((begunAt, at) => {
        const endedAt = this.ended[at] ?? 0;
        return endedAt >= from && begunAt < to ? [endedAt - begunAt] : [];
      })
      .sort((a, b) => a - b);
    const slow = times.filter((ms) => ms > SLOW_MS).length;
    return { count: times.length, slow, p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
  }
}

/** Of ascending values; 0 when there is none. */
export const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
