import type { Clock } from "./actor/ports";

/** The nodes that lately did not answer a question that another one can answer too, or that can go without. */
export class SlowNodes {
  /** Until when each counts as slow, in wall-clock milliseconds. */
  private readonly until = new Map<string, number>();

  constructor(private readonly clock: Pick<Clock, "now">) {}

  has(node: string): boolean {
    return (this.until.get(node) ?? 0) > this.clock.now();
  }

  /** Passes on what a node answers. One that fails, for whatever reason, counts as slow for three seconds. */
  async watch<T>(node: string, answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      this.until.set(node, this.clock.now() + SLOW_MS);
      throw error;
    }
  }

  forget(node: string): void {
    this.until.delete(node);
  }
}

const SLOW_MS = 3_000;
