import type { Clock, Monotonic } from "../../lib/actor/ports";
import type { VirtualClock } from "./virtual-clock";

/**
 * One process's view of the common time: its wall clock can be set, and it can be stopped, as by SIGSTOP or a kill, or
 * put to sleep with its machine, which stops its monotonic clock too.
 */
export class SuspendableClock implements Clock {
  /** Of this process. */
  readonly monotonic: Monotonic;
  private wallOffset = 0;
  private slept = 0;
  private asleepSince: number | undefined;
  private missed: Array<() => void> | undefined;

  constructor(private readonly common: VirtualClock) {
    this.monotonic = () => (this.asleepSince ?? common.now()) - this.slept;
  }

  now(): number {
    return this.common.now() + this.wallOffset;
  }

  setTimeout(callback: () => void, ms: number): () => void {
    let cancelled = false;
    const run = (): void => {
      if (!cancelled) callback();
    };
    const cancel = this.common.setTimeout(() => {
      if (this.missed) this.missed.push(run);
      else run();
    }, ms);
    return () => {
      cancelled = true;
      cancel();
    };
  }

  /** Somebody sets the wall clock. */
  jump(ms: number): void {
    this.wallOffset += ms;
  }

  get suspended(): boolean {
    return this.missed !== undefined;
  }

  suspend(withMachine = false): void {
    if (this.missed) return;
    this.missed = [];
    if (withMachine) this.asleepSince = this.common.now();
  }

  /** What was due meanwhile runs now. */
  resume(): void {
    const { missed } = this;
    if (this.asleepSince !== undefined) this.slept += this.common.now() - this.asleepSince;
    this.asleepSince = undefined;
    this.missed = undefined;
    for (const run of missed ?? []) run();
  }
}
