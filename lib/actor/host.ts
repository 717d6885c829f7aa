import { ParleyError } from "../errors";
import { Activation, type ActivationContext } from "./activation";
import type { Command, Outcome } from "./behaviour";
import type { LogDocument } from "./ports";
import { pause } from "./time";

export interface HostOptions {
  readonly maxActivations: number;
  /** An activation unused for this long is passivated. */
  readonly idleMs: number;
  /** Is this node the actor's home? One that is idle elsewhere is passivated. */
  readonly isHome?: (id: string) => boolean;
}

/**
 * The activation table: actors are always addressable, activated on demand and passivated when idle (the virtual actor
 * of Orleans). Nothing is lost with an activation: its state is a fold of the log.
 */
export class ActorHost<S, C extends Command, D extends LogDocument, F, N> {
  private readonly activations = new Map<string, Activation<S, C, D, F, N>>();
  /** Activations used since they were last seen idle: only these can have callers to answer. */
  private readonly busy = new Set<Activation<S, C, D, F, N>>();
  private cancelSweep: (() => void) | undefined;
  private passivatedAt = 0;
  private stopped = false;
  private abandoned = false;

  constructor(
    private readonly context: ActivationContext<S, C, D, F, N>,
    private readonly options: HostOptions,
  ) {}

  get size(): number {
    return this.activations.size;
  }

  /** Commands waiting or in flight, over all activations. */
  get depth(): number {
    let depth = 0;
    for (const activation of this.busy) depth += activation.depth;
    return depth;
  }

  /** See `Activation.ask`. @throws ParleyError also UNAVAILABLE once stopped */
  ask(id: string, command: C): Promise<Outcome<D, N>> {
    const activation = this.activate(id);
    return activation ? activation.ask(command) : Promise.reject(this.refusal());
  }

  /** The durable state of an actor, at most `freshMs` behind the log. @throws ParleyError TOO_BUSY, UNAVAILABLE */
  read(id: string, deadline: number): Promise<S> {
    const activation = this.activate(id);
    return activation ? activation.readFresh(deadline) : Promise.reject(this.refusal());
  }

  /** Like `read`, and as new as the log was when asked. @throws ParleyError TOO_BUSY, UNAVAILABLE */
  readHead(id: string, deadline: number): Promise<S> {
    const activation = this.activate(id);
    return activation ? activation.readHead(deadline) : Promise.reject(this.refusal());
  }

  /** The activation's durable state if the actor is active here. */
  peek(id: string): S | undefined {
    return this.activations.get(id)?.peek();
  }

  isActive(id: string): boolean {
    return this.activations.has(id);
  }

  /** Drops an actor's activation as soon as it is idle; false when it was not by the deadline (wall-clock milliseconds). */
  async passivate(id: string, deadline: number): Promise<boolean> {
    for (;;) {
      const activation = this.activations.get(id);
      if (!activation) return true;
      if (activation.idle) return this.activations.delete(id);
      if (this.context.clock.now() >= deadline) return false;
      await pause(this.context.clock, LOOK_MS);
    }
  }

  /** Refuses new work, and resolves when what was taken is answered. */
  async stop(): Promise<void> {
    this.stopped = true;
    while (this.depth > 0 && !this.abandoned) await pause(this.context.clock, LOOK_MS);
    this.cancelSweep?.();
    this.cancelSweep = undefined;
  }

  /** Refuses new work, and answers everybody at once with what is known. */
  abandon(): void {
    this.stopped = true;
    this.abandoned = true;
    this.cancelSweep?.();
    for (const activation of this.busy) activation.expire(Number.POSITIVE_INFINITY);
  }

  private refusal(): ParleyError {
    return new ParleyError(this.stopped ? "UNAVAILABLE" : "TOO_BUSY");
  }

  private activate(id: string): Activation<S, C, D, F, N> | undefined {
    const active = this.activations.get(id);
    if (this.stopped) return undefined;
    if (active) {
      this.busy.add(active);
      return active;
    }
    if (this.activations.size >= this.options.maxActivations && !this.evict()) return undefined;
    const activation = new Activation(id, this.context);
    this.activations.set(id, activation);
    this.busy.add(activation);
    this.scheduleSweep();
    return activation;
  }

  /**
   * Makes room by passivating one idle activation; looks at a bounded number of them. Busy ones go to the end of the
   * line, so that a few of them never hide the idle ones.
   */
  private evict(): boolean {
    const looks = Math.min(EVICTION_LOOKS, this.activations.size);
    for (let looked = 0; looked < looks; looked++) {
      const [oldest] = this.activations;
      if (!oldest) return false;
      const [id, activation] = oldest;
      this.activations.delete(id);
      if (activation.idle) return true;
      this.activations.set(id, activation);
    }
    return false;
  }

  private scheduleSweep(): void {
    this.cancelSweep ??= this.context.clock.setTimeout(() => {
      this.cancelSweep = undefined;
      this.sweep();
      if (this.activations.size > 0 && !(this.stopped && this.depth === 0)) this.scheduleSweep();
    }, SWEEP_MS);
  }

  private sweep(): void {
    const now = this.context.clock.now();
    for (const activation of this.busy) {
      activation.expire(now);
      if (activation.idle) this.busy.delete(activation);
    }
    if (now - this.passivatedAt < PASSIVATION_MS) return;
    this.passivatedAt = now;
    const { idleMs, isHome } = this.options;
    for (const [id, activation] of this.activations) {
      if (!activation.idle) continue;
      if (now - activation.lastUsedAt >= idleMs || isHome?.(id) === false) this.activations.delete(id);
    }
  }
}

/** Between two looks whether something has become idle. */
const LOOK_MS = 5;
const SWEEP_MS = 100;
const PASSIVATION_MS = 5_000;
const EVICTION_LOOKS = 64;
