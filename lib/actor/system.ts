import { randomBytes } from "node:crypto";
import type { Clock, Monotonic, Random } from "./ports";

export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, ms) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

export const systemMonotonic: Monotonic = () => performance.now();

/** 48 bits of time, then 80 random bits: unique, and new documents land side by side in an index. */
export const systemRandom: Random = {
  float: () => Math.random(),
  id: () => {
    if (poolAt + 10 > pool.length) {
      pool = randomBytes(4_000);
      poolAt = 0;
    }
    const random = pool.toString("hex", poolAt, poolAt + 10);
    poolAt += 10;
    return Date.now().toString(16).padStart(12, "0") + random;
  },
};

/** Below every identifier that is drawn from this wall-clock millisecond on, and above the earlier ones. */
export const systemIdAt = (ms: number): string => Math.max(0, Math.floor(ms)).toString(16).padStart(12, "0");

let pool = randomBytes(4_000);
let poolAt = 0;
