import type { Clock, Random } from "../../lib/actor/ports";
import type { Receiver } from "./sim-store";
import type { World } from "./world";

/** 2026-01-01; simulated wall clocks start here. */
export const EPOCH = 1_767_225_600_000;

/**
 * One life of a process: its clock, its randomness and its inbox. A dead one never hears of anything again; a paused
 * one (SIGSTOP) hears of everything when it wakes.
 */
export class Life implements Clock, Random, Receiver {
  alive = true;
  /** Milliseconds by which its wall clock is wrong. */
  skew = 0;
  private paused = false;
  private held: Array<() => void> = [];
  private drawn = 0;

  constructor(
    readonly world: World,
    readonly name: string,
    /** Never used twice. */
    readonly incarnation: string,
  ) {}

  now(): number {
    return Math.floor(EPOCH + this.world.now + this.skew);
  }

  setTimeout(callback: () => void, ms: number): () => void {
    let cleared = false;
    const cancel = this.world.schedule(ms, () =>
      this.deliver(() => {
        if (!cleared) callback();
      }),
    );
    return () => {
      cleared = true;
      cancel();
    };
  }

  /** Resolves after so many milliseconds of this life. */
  pauseFor(ms: number): Promise<void> {
    return new Promise((resolve) => void this.setTimeout(resolve, ms));
  }

  float(): number {
    return this.world.random.float();
  }

  id(): string {
    return `${this.incarnation}-${this.drawn++}`;
  }

  get running(): boolean {
    return this.alive && !this.paused;
  }

  deliver(run: () => void): void {
    if (!this.alive) return;
    if (this.paused) this.held.push(run);
    else run();
  }

  pause(): void {
    this.world.trace("pause", this.incarnation);
    this.paused = true;
  }

  wake(): void {
    if (!this.paused) return;
    this.world.trace("wake", this.incarnation);
    this.paused = false;
    const { held } = this;
    this.held = [];
    held.forEach((run, at) => this.world.schedule(at / 1_000, () => this.deliver(run)));
  }

  kill(): void {
    this.world.trace("kill", this.incarnation);
    this.alive = false;
    this.held = [];
  }
}
