import type { Clock } from "./ports";

/** Resolves after so many milliseconds of the clock. It cannot be called off. */
export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimeout(resolve, ms));
}

/**
 * Begins some work and resolves or rejects as it does, if that is within so many milliseconds of the clock. Else with
 * what `late` answers or throws, which is called then and only then; undefined without it. What becomes of the work
 * after that is ignored.
 */
export async function inTime<T, L = undefined>(
  clock: Clock,
  ms: number,
  work: () => Promise<T>,
  late?: () => L,
): Promise<T | L> {
  let cancel: (() => void) | undefined;
  const timeUp = new Promise<L>((resolve, reject) => {
    cancel = clock.setTimeout(() => {
      try {
        resolve(late?.() as L);
      } catch (error) {
        reject(error as Error);
      }
    }, ms);
  });
  try {
    return await Promise.race([work(), timeUp]);
  } finally {
    cancel?.();
  }
}
