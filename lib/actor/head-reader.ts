import { ParleyError } from "../errors";
import { Backoff } from "./backoff";
import type { Clock, CommandRef, LogDocument, LogPort, Random } from "./ports";

export interface Confirmation<D> {
  /** The last seq of the stream, by a read begun after the question that misses nothing acknowledged before. */
  readonly head: number;
  /** The document this command made, if it made one. */
  readonly known: D | undefined;
}

interface Question<D> {
  readonly ref: CommandRef;
  readonly deadline: number;
  readonly answer: (confirmation: Confirmation<D>) => void;
  readonly fail: (error: Error) => void;
}

/**
 * Reads log heads for refusals, batched: one read in flight for the whole node, and questions that arrive meanwhile
 * wait for the next one, so every answer comes from a read begun after its question.
 */
export class HeadReader<D extends LogDocument> {
  private waiting: Array<Question<D>> = [];
  private running = false;
  private abandoned = false;

  constructor(
    private readonly log: LogPort<D>,
    private readonly clock: Clock,
    private readonly random: Random,
  ) {}

  /**
   * Keeps trying while the store does not answer, for ever unless a deadline is given.
   * @throws ParleyError UNAVAILABLE past the deadline (wall-clock milliseconds)
   */
  confirm(ref: CommandRef, deadline = Number.POSITIVE_INFINITY): Promise<Confirmation<D>> {
    return new Promise((answer, fail) => {
      this.waiting.push({ ref, deadline, answer, fail });
      if (!this.running) void this.run();
    });
  }

  /** Asks no more: whoever waits is never answered. */
  abandon(): void {
    this.abandoned = true;
  }

  private async run(): Promise<void> {
    this.running = true;
    const backoff = new Backoff(this.clock, this.random, { firstMs: 10, maxMs: 1_000 });
    while (this.waiting.length > 0 && !this.abandoned) {
      const batch = this.waiting.splice(0, MAX_BATCH);
      const refs = batch.map(({ ref }) => ref);
      try {
        const [heads, known] = await Promise.all([
          this.log.heads(refs.map(({ stream }) => stream)),
          this.log.commands(refs),
        ]);
        batch.forEach(({ answer }, at) => answer({ head: heads[at] ?? 0, known: known[at] }));
      } catch {
        this.waiting.unshift(...batch);
        await backoff.wait();
        this.dropLate();
      }
    }
    this.running = false;
  }

  private dropLate(): void {
    const now = this.clock.now();
    const { waiting } = this;
    this.waiting = waiting.filter(({ deadline }) => now < deadline);
    for (const { deadline, fail } of waiting) if (now >= deadline) fail(new ParleyError("UNAVAILABLE"));
  }
}

const MAX_BATCH = 200;
