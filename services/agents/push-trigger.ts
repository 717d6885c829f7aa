import type { Clock } from "../../lib/actor/ports";

/** Passes of one node follow each other no faster: a queue that nobody can take is not looked through all the time. */
const PAUSE_MS = 200;

/** Runs a pass when something may have changed who gets a session: one at a time, and one more for what came meanwhile. */
export class PushTrigger {
  private running = false;
  private again = false;
  private stopped = false;
  private cancel: (() => void) | undefined;

  /** `pass` reports its own failures. */
  constructor(
    private readonly clock: Pick<Clock, "setTimeout">,
    private readonly pass: () => Promise<unknown>,
  ) {}

  nudge(): void {
    if (this.stopped) return;
    this.again = true;
    if (!this.running && !this.cancel) void this.run();
  }

  stop(): void {
    this.stopped = true;
    this.cancel?.();
  }

  private async run(): Promise<void> {
    this.running = true;
    this.again = false;
    await this.pass();
    this.running = false;
    if (this.stopped) return;
    this.cancel = this.clock.setTimeout(() => {
      this.cancel = undefined;
      if (this.again) void this.run();
    }, PAUSE_MS);
  }
}
