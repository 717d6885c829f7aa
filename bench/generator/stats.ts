import { readdirSync, readFileSync } from "node:fs";

/** Clock ticks per second of /proc/<pid>/stat: USER_HZ, 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** User and system CPU time of a process with all its threads, in microseconds; NaN where there is no /proc. */
export function cpuMicros(pid: number): number {
  try {
    return usedMicros(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return Number.NaN;
  }
}

/** The same by thread name; empty where there is no /proc. */
export function threadMicros(pid: number): Map<string, number> {
  const used = new Map<string, number>();
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8");
      const name = thread === String(pid) ? "main" : stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
      used.set(name, (used.get(name) ?? 0) + usedMicros(stat));
    }
  } catch {
    used.clear();
  }
  return used;
}

/** Fields 14 and 15 of proc(5)'s stat, counted behind the name, which may hold blanks. */
function usedMicros(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1_000_000) / TICKS_PER_SECOND;
}

/** Collects numbers and answers quantiles. */
export class Samples {
  private values: Float64Array;
  private sorted = false;
  length = 0;

  constructor(capacity = 1024) {
    this.values = new Float64Array(capacity);
  }

  add(value: number): void {
    if (this.length === this.values.length) {
      const larger = new Float64Array(this.length * 2);
      larger.set(this.values);
      this.values = larger;
    }
    this.values[this.length++] = value;
    this.sorted = false;
  }

  /** The value that a share `q` of all samples does not exceed (nearest rank); NaN without samples. */
  quantile(q: number): number {
    if (this.length === 0) return Number.NaN;
    if (!this.sorted) this.values.subarray(0, this.length).sort();
    this.sorted = true;
    return this.values[Math.max(0, Math.ceil(q * this.length) - 1)] ?? Number.NaN;
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
