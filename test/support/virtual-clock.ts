import type { Clock, Random } from "../../lib/actor/ports";

/** Lets everything that waits for nothing but promises run. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** A clock that moves only by `advance`; timers run in the order of their time, and equal ones in that of setting. */
export class VirtualClock implements Clock {
  private time = 1_000_000;
  private timers: Timer[] = [];

  now(): number {
    return this.time;
  }

  /** Timers that are set. */
  get pending(): number {
    return this.timers.length;
  }

  setTimeout(callback: () => void, ms: number): () => void {
    const timer = { at: this.time + ms, callback };
    this.timers.push(timer);
    return () => void (this.timers = this.timers.filter((other) => other !== timer));
  }

  /** Runs what is due within `ms`, and after each timer whatever its promises set off. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    await settle();
    for (let timer = this.next(end); timer; timer = this.next(end)) {
      this.time = Math.max(this.time, timer.at);
      timer.callback();
      await settle();
    }
    this.time = end;
  }

  /** Lets time pass without running any timer: they are late then, as those of a process that slept. */
  skip(ms: number): void {
    this.time += ms;
  }

  private next(end: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.timers) if (timer.at <= end && (!next || timer.at < next.at)) next = timer;
    this.timers = this.timers.filter((timer) => timer !== next);
    return next;
  }
}

/** Randomness from a seed (mulberry32); ids count up and carry the name, so that no two sources share one. */
export class SeededRandom implements Random {
  private drawn = 0;

  constructor(
    private readonly name: string,
    private state = 1,
  ) {}

  float(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  int(below: number): number {
    return Math.floor(this.float() * below);
  }

  id(): string {
    return `${this.name}-${++this.drawn}`;
  }
}
