import type { Clock, Monotonic } from "../actor/ports";
import type { Grant, Leases } from "./leases";

export interface LeaseOptions {
  readonly leases: Leases;
  readonly name: string;
  /** This life of this process; never used twice. */
  readonly holder: string;
  readonly clock: Clock;
  readonly monotonic: Monotonic;
  readonly ttlMs?: number;
  /** The first failed attempt of a series; it is repeated. */
  readonly onError?: (error: unknown) => void;
}

/**
 * Tries for ever to hold one lease, and knows when it cannot be sure any more. Nothing can keep a process from stopping
 * between a look at `held` and an effect: what is done under a lease must bear being done twice.
 */
export class Lease {
  private grant: (Grant & { readonly wall: number; readonly elapsed: number }) | undefined;
  private cancel: (() => void) | undefined;
  private trying: Promise<void> | undefined;
  private stopped = false;
  private failing = false;
  private doubted = false;
  private readonly ttlMs: number;

  constructor(private readonly options: LeaseOptions) {
    this.ttlMs = options.ttlMs ?? TTL_MS;
  }

  /**
   * The grant, as long as it is surely nobody else's. Counted from before the last successful renewal was sent, by
   * both clocks: the wall clock shows that the machine slept, the monotonic one that the wall clock was set.
   * Whoever was told no has given up, so the answer stays no until the next renewal.
   */
  get held(): Grant | undefined {
    const { grant } = this;
    if (!grant || this.doubted) return undefined;
    const wall = this.options.clock.now() - grant.wall;
    const elapsed = this.options.monotonic() - grant.elapsed;
    this.doubted = wall < 0 || Math.max(wall, elapsed) >= this.ttlMs - MARGIN_SHARE * this.ttlMs;
    return this.doubted ? undefined : grant;
  }

  /**
   * Begins to try. `onGranted` is told of each grant, also of one that is ours again after there was doubt: what was
   * begun before has stopped, or will.
   */
  start(onGranted: (grant: Grant) => void): void {
    this.trying = this.attempt(onGranted).then(() => {
      this.trying = undefined;
      if (!this.stopped) this.cancel = this.options.clock.setTimeout(() => this.start(onGranted), this.pauseMs);
    });
  }

  /** Gives the lease up, so that the next holder need not wait. Never rejects. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.cancel?.();
    await this.trying;
    const held = this.grant !== undefined;
    this.grant = undefined;
    const { leases, name, holder, onError } = this.options;
    if (held) await leases.release(name, holder).catch((error: unknown) => onError?.(error));
  }

  private get pauseMs(): number {
    return this.ttlMs * (this.grant ? RENEW_SHARE : LOOK_SHARE);
  }

  private async attempt(onGranted: (grant: Grant) => void): Promise<void> {
    const { leases, name, holder, clock, monotonic, onError } = this.options;
    const wall = clock.now();
    const elapsed = monotonic();
    try {
      if (this.grant && (await leases.renew(name, holder, this.ttlMs))) {
        this.failing = false;
        const lapsed = this.held === undefined;
        this.grant = { token: this.grant.token, wall, elapsed };
        this.doubted = false;
        if (lapsed && !this.stopped) onGranted(this.grant);
        return;
      }
      this.grant = undefined;
      const grant = await leases.acquire(name, holder, this.ttlMs);
      this.failing = false;
      if (!grant) return;
      this.grant = { token: grant.token, wall, elapsed };
      this.doubted = false;
      if (!this.stopped) onGranted(grant);
    } catch (error) {
      if (!this.failing) onError?.(error);
      this.failing = true;
    }
  }
}

/** Whoever takes over does so this much later, at the latest by a third more: timed work is late by that. */
const TTL_MS = 1_000;
const RENEW_SHARE = 0.3;
const LOOK_SHARE = 0.15;
/** The holder stops believing earlier than others may start to. */
const MARGIN_SHARE = 0.15;
