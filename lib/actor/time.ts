import type { Clock } from "./ports";

/** Resolves after so many milliseconds of the clock. It cannot be called off. */
export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimeout(resolve, ms));
}
