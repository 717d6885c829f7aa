import { ParleyError } from "../errors";

interface Waiter {
  readonly seq: number;
  readonly deadline: number;
  readonly resume: () => void;
  readonly fail: (error: Error) => void;
}

/** Those who wait until an actor has come to a seq, each no longer than to its deadline. */
export class Waiters {
  private waiting: Waiter[] = [];

  get size(): number {
    return this.waiting.length;
  }

  /**
   * Resolves when `seq` is reached, or when there is no more telling: whoever resumes looks again.
   * @throws ParleyError UNAVAILABLE at the deadline (wall-clock milliseconds)
   */
  wait(seq: number, deadline: number): Promise<void> {
    return new Promise((resume, fail) => this.waiting.push({ seq, deadline, resume, fail }));
  }

  /** Resumes those who wait for `seq` or less. */
  reach(seq: number): void {
    if (this.waiting.length === 0) return;
    const { waiting } = this;
    this.waiting = waiting.filter((waiter) => waiter.seq > seq);
    for (const waiter of waiting) if (waiter.seq <= seq) waiter.resume();
  }

  resumeAll(): void {
    this.reach(Number.POSITIVE_INFINITY);
  }

  /** Fails those whose deadline has passed; nobody looks after one who has none. */
  expire(now: number): void {
    const { waiting } = this;
    const isOver = ({ deadline }: Waiter): boolean => Number.isFinite(deadline) && now >= deadline;
    this.waiting = waiting.filter((waiter) => !isOver(waiter));
    for (const waiter of waiting) if (isOver(waiter)) waiter.fail(new ParleyError("UNAVAILABLE"));
  }
}
