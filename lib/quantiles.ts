/** How far a quantile may be off: by this part of itself. */
const ACCURACY = 0.01;
const GAMMA = (1 + ACCURACY) / (1 - ACCURACY);
const LOG_GAMMA = Math.log(GAMMA);

/**
 * Quantiles of any number of values in bounded memory, each within one percent: values are counted in buckets that grow
 * by a constant factor (Masson, Rim and Lee, "DDSketch", PVLDB 12, 2019). Values are zero or more; those below 1 count as
 * 0. From 1 ms to ten years there are about 1,300 buckets.
 */
export class Quantiles {
  private readonly counts = new Map<number, number>();
  private least = Infinity;
  private most = 0;
  count = 0;
  total = 0;

  add(value: number): void {
    const key = value < 1 ? NONE : Math.ceil(Math.log(value) / LOG_GAMMA);
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
    this.least = Math.min(this.least, value);
    this.most = Math.max(this.most, value);
    this.count++;
    this.total += value;
  }

  /** The smallest value that at least this part (0 to 1) of all values does not exceed; undefined without values. */
  at(part: number): number | undefined {
    let left = Math.max(1, Math.ceil(part * this.count));
    for (const [key, count] of [...this.counts].sort(([a], [b]) => a - b)) {
      left -= count;
      if (left <= 0) return Math.min(Math.max(middleOf(key), this.least), this.most);
    }
    return undefined;
  }
}

/** The bucket of what is below 1. */
const NONE = -1;

const middleOf = (key: number): number => (key === NONE ? 0 : (2 * GAMMA ** key) / (GAMMA + 1));
