import type { Clock } from "../../lib/actor/ports";
import type { Revocation, RevocationPage } from "./revocations";

export interface RevocationListPorts {
  readonly clock: Clock;
  /** Entries numbered above `after` and made at or after `since` (wall-clock milliseconds). */
  readonly fetch: (after: number, since: number) => Promise<RevocationPage>;
  /** How long an entry matters, in milliseconds: the life of an access token and some skew between clocks. */
  readonly retentionMs: number;
  /** Told of each entry once, as soon as it is known here. */
  readonly onRevoked: (revocation: Revocation) => void;
}

const RETRY_MS = 300;
/** Entries are dropped when they no longer matter; looked at once per this many. */
const SWEEP_EVERY = 1_000;

/**
 * What was revoked lately, in memory. Entries come by event and, where a number is missing, from the store: a lost
 * event delays nothing for longer than it takes to notice the gap.
 */
export class RevocationList {
  /** Family, or user for an entry without one, to the time of the entry. */
  readonly #families = new Map<string, number>();
  readonly #users = new Map<string, number>();
  /** Every entry up to this number is known. */
  #last = 0;
  #catchingUp: Promise<void> | undefined;
  #cancelRetry: (() => void) | undefined;
  #stopped = false;

  constructor(private readonly ports: RevocationListPorts) {}

  stop(): void {
    this.#stopped = true;
    this.#cancelRetry?.();
  }

  /** All entries up to this number are known here. */
  get last(): number {
    return this.#last;
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
    const since = this.ports.clock.now() - this.ports.retentionMs;
    let after = this.#last;
    for (;;) {
      const page = await this.ports.fetch(after, since);
      for (const revocation of page.revocations) this.#note(revocation);
      after = page.revocations.at(-1)?.number ?? after;
      if (page.more) continue;
      this.#last = Math.max(this.#last, page.last);
      return;
    }
  }

  #note(revocation: Revocation): void {
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
