import type { Clock, Monotonic } from "../../lib/actor/ports";
import { inTime } from "../../lib/actor/time";
import { FRESH_MS, isRoleChange, type Revocation, type RevocationPage, type RoleChange } from "./revocations";

export interface RevocationListPorts {
  readonly clock: Clock;
  /** Milliseconds that never jump, from any start. */
  readonly monotonic: Monotonic;
  /** Entries numbered above `after` and made at or after `since` (wall-clock milliseconds). */
  readonly fetch: (after: number, since: number) => Promise<RevocationPage>;
  /**
   * The greatest number in the store, asked for every `POLL_MS`. Without it nobody else can revoke: what is known here
   * is always fresh.
   */
  readonly last?: (() => Promise<number>) | undefined;
  /** How long an entry matters, in milliseconds: the life of an access token and some skew between clocks. */
  readonly retentionMs: number;
  /** Told of each login or user that ended, once, as soon as it is known here. */
  readonly onRevoked: (revocation: Revocation) => void;
  /** Told of each change of roles, at least once. */
  readonly onRoles: (change: RoleChange) => void;
}

const RETRY_MS = 300;
const POLL_MS = 300;
/** Polls that wait for the store at once; one that takes longer than it may is not waited for. */
const MAX_POLLS = 4;
/** Entries are dropped when they no longer matter; looked at once per this many. */
const SWEEP_EVERY = 1_000;

/**
 * What was revoked lately, in memory. Entries come by event and, where a number is missing, from the store: a lost
 * event delays nothing for longer than it takes to notice the gap. The store is asked for its last number several times
 * a second; whoever has had no answer for a second does not know what was revoked (`isFresh`). The age of an answer is
 * counted on this node's own clock from before the question, so that no delay on the way can hide it.
 */
export class RevocationList {
  /** Family, or user for an entry without one, to the time of the entry. */
  readonly #families = new Map<string, number>();
  readonly #users = new Map<string, number>();
  /** Every entry up to this number is known. */
  #last = 0;
  /** When the read began that told so. */
  #knownAt = -Infinity;
  #catchingUp: Promise<void> | undefined;
  #cancelRetry: (() => void) | undefined;
  #cancelPoll: (() => void) | undefined;
  #polls = 0;
  #freshWaiters = new Set<() => void>();
  #stopped = false;

  constructor(private readonly ports: RevocationListPorts) {}

  /** Loads what there is and, if others may revoke, keeps asking. Rejects when the store does not answer. */
  async start(): Promise<void> {
    await this.catchUp();
    if (this.ports.last) this.#pollLater();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelRetry?.();
    this.#cancelPoll?.();
    this.#wake();
  }

  /** All entries up to this number are known here. */
  get last(): number {
    return this.#last;
  }

  /** Is every entry known here that was made more than a second ago? Answered at once. */
  get isFresh(): boolean {
    return !this.ports.last || this.ports.monotonic() - this.#knownAt <= FRESH_MS;
  }

  /** Waits until it is fresh; false when it is not within so many milliseconds. */
  async whenFresh(limitMs: number): Promise<boolean> {
    if (this.isFresh) return true;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        cancel();
        this.#freshWaiters.delete(done);
        resolve();
      };
      const cancel = this.ports.clock.setTimeout(done, limitMs);
      this.#freshWaiters.add(done);
    });
    return this.isFresh;
  }

  isRevoked(login: { readonly userId: string; readonly family: string }): boolean {
    return this.#families.has(login.family) || this.#users.has(login.userId);
  }

  /** Takes an entry that was told by event; fetches what lies between when its number is not the next one. */
  apply(revocation: Revocation): void {
    this.#note(revocation);
    if (revocation.number === this.#last + 1) this.#last = revocation.number;
    else this.heard(revocation.number);
  }

  /** Somebody knows of this number: fetches what is missing here up to it, until it succeeds. */
  heard(number: number): void {
    if (number <= this.#last || this.#stopped || this.#cancelRetry) return;
    const retryIfMissing = (): void => {
      if (number <= this.#last || this.#stopped || this.#cancelRetry) return;
      this.#cancelRetry = this.ports.clock.setTimeout(() => {
        this.#cancelRetry = undefined;
        this.heard(number);
      }, RETRY_MS);
    };
    this.catchUp().then(retryIfMissing, retryIfMissing);
  }

  /** Fetches everything that is missing here; callers at the same time share one fetch. Rejects when it cannot. */
  catchUp(): Promise<void> {
    this.#catchingUp ??= this.#fetchAll().finally(() => {
      this.#catchingUp = undefined;
    });
    return this.#catchingUp;
  }

  async #fetchAll(): Promise<void> {
    const begun = this.ports.monotonic();
    const since = this.ports.clock.now() - this.ports.retentionMs;
    let after = this.#last;
    for (;;) {
      const page = await this.ports.fetch(after, since);
      for (const revocation of page.revocations) this.#note(revocation);
      after = page.revocations.at(-1)?.number ?? after;
      if (page.more) continue;
      this.#last = Math.max(this.#last, page.last);
      this.#confirm(begun);
      return;
    }
  }

  #pollLater(): void {
    if (this.#stopped) return;
    this.#cancelPoll = this.ports.clock.setTimeout(() => {
      if (this.#polls < MAX_POLLS) void this.#poll();
      this.#pollLater();
    }, POLL_MS);
  }

  /** One that is not answered for long does not count: others may be asked beside it. */
  async #poll(): Promise<void> {
    this.#polls++;
    await inTime(this.ports.clock, FRESH_MS, () => this.#ask());
    this.#polls--;
  }

  async #ask(): Promise<void> {
    const begun = this.ports.monotonic();
    try {
      const last = await this.ports.last?.();
      if (last === undefined || this.#stopped) return;
      if (last <= this.#last) this.#confirm(begun);
      else this.heard(last);
    } catch {
      // The next poll asks again; meanwhile what is known here grows old, which is what others look at.
    }
  }

  #confirm(begun: number): void {
    if (begun <= this.#knownAt) return;
    this.#knownAt = begun;
    if (this.isFresh) this.#wake();
  }

  #wake(): void {
    for (const wake of [...this.#freshWaiters]) wake();
  }

  #note(revocation: Revocation): void {
    if (isRoleChange(revocation)) {
      this.ports.onRoles(revocation);
      return;
    }
    const [map, id] = revocation.family ? [this.#families, revocation.family] : [this.#users, revocation.userId];
    if (map.has(id)) return;
    map.set(id, revocation.at);
    if (map.size % SWEEP_EVERY === 0) this.#sweep(map);
    this.ports.onRevoked(revocation);
  }

  #sweep(map: Map<string, number>): void {
    const before = this.ports.clock.now() - this.ports.retentionMs;
    for (const [id, at] of map) if (at < before) map.delete(id);
  }
}
