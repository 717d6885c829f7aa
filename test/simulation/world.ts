import { Prng } from "./prng";

interface Scheduled {
  readonly time: number;
  readonly tie: number;
  run: (() => void) | undefined;
}

/** The event loop's own: while a history runs, that of the code under test is the history's. */
const { setImmediate } = globalThis;
const BATCH = 256;
const TAIL = 4_000;

/**
 * Time and chance of one history. Everything that happens is an event in one queue, ordered by time and, among equals,
 * by chance. Between two events all promises that can settle do, so code under test moves only when an event lets it.
 */
export class World {
  readonly random: Prng;
  /** Simulated milliseconds since the beginning. */
  now = 0;
  /** Digest of all that was traced: equal for equal histories. */
  digest = 0x811c9dc5;
  steps = 0;
  /** What broke the history, if something did. */
  failure: Error | undefined;
  private readonly heap: Scheduled[] = [];
  private readonly tail: string[] = [];

  constructor(
    readonly seed: number,
    private readonly verbose = false,
  ) {
    this.random = new Prng(seed);
  }

  /** Runs `run` after `ms`; the function returned cancels it. */
  schedule(ms: number, run: () => void): () => void {
    const event: Scheduled = { time: this.now + Math.max(0, ms), tie: this.random.float(), run };
    this.push(event);
    return () => (event.run = undefined);
  }

  /** Ends the history: what was promised is broken. */
  fail(reason: string | Error): void {
    this.failure ??= typeof reason === "string" ? new Error(reason) : reason;
  }

  trace(what: string, ...details: ReadonlyArray<string | number>): void {
    let { digest } = this;
    digest = Math.imul(digest ^ Math.round(this.now * 1_000), 0x01000193);
    for (const detail of [what, ...details]) {
      const text = String(detail);
      for (let i = 0; i < text.length; i++) digest = Math.imul(digest ^ text.charCodeAt(i), 0x01000193);
    }
    this.digest = digest;
    if (!this.verbose) return;
    this.tail.push(`${(this.now / 1_000).toFixed(4).padStart(9)} ${what} ${details.join(" ")}`);
    if (this.tail.length > TAIL) this.tail.shift();
  }

  get history(): readonly string[] {
    return this.tail;
  }

  /** Runs events in order until the time is `end`, nothing is left, or something failed. */
  runUntil(end: number): Promise<void> {
    return eachImmediate(() => {
      const next = this.heap[0];
      if (this.failure || !next || next.time > end) {
        if (!this.failure) this.now = end;
        return false;
      }
      this.pop();
      if (!next.run) return true;
      this.now = next.time;
      this.steps += 1;
      next.run();
      return true;
    });
  }

  private push(event: Scheduled): void {
    const { heap } = this;
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (!above || !before(event, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      const right = heap[2 * at + 2];
      const least = left && right && before(right, left) ? right : left;
      if (!least || !before(least, last)) break;
      heap[at] = least;
      at = 2 * at + (least === left ? 1 : 2);
    }
    heap[at] = last;
  }
}

const before = (a: Scheduled, b: Scheduled): boolean => a.time < b.time || (a.time === b.time && a.tie < b.tie);

/**
 * Calls `step` until it answers false, with all microtasks run between two calls. Node runs them after each immediate;
 * immediates are queued by the batch because a turn of the event loop costs more than a step.
 */
function eachImmediate(step: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let done = false;
    const turn = (): void => {
      if (done) return;
      try {
        done = !step();
        if (done) resolve();
      } catch (error) {
        done = true;
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    };
    const batch = (): void => {
      if (done) return;
      for (let i = 1; i < BATCH; i++) setImmediate(turn);
      setImmediate(() => {
        turn();
        batch();
      });
    };
    batch();
  });
}
