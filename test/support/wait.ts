import { setTimeout as pause } from "node:timers/promises";

/**
 * Resolves with the first truthy value of `condition`, looked at every few milliseconds.
 * @throws Error naming `what` when it did not come within `timeoutMs`
 */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  timeoutMs = 10_000,
): Promise<Exclude<T, false | undefined | null>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value) return value as Exclude<T, false | undefined | null>;
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
    await pause(5);
  }
}
