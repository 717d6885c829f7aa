import { LRUCache } from "lru-cache";
import type { Clock } from "../../lib/actor/ports";
import type { Role } from "../schemas";

/** What a user may do now: answer of the internal action `users.principal`. */
export interface Standing {
  readonly roles: readonly Role[];
  readonly guest: boolean;
}

/** Reads a user's standing; null when there is no such user, or no longer. */
export type ReadStanding = (userId: string) => Promise<Standing | null>;

const MAX_USERS = 20_000;
/** How long a change can go unnoticed when its event was lost. */
const TTL_MS = 60_000;

/** The standing of the users seen lately. Callers at the same time share one read. */
export class StandingCache {
  readonly #reads: LRUCache<string, Promise<Standing | null>>;

  constructor(
    private readonly read: ReadStanding,
    clock: Pick<Clock, "now">,
  ) {
    this.#reads = new LRUCache({ max: MAX_USERS, ttl: TTL_MS, ttlResolution: 0, perf: clock });
  }

  /** The user's standing, read again when it changed meanwhile; null when there is no such user. */
  async get(userId: string): Promise<Standing | null> {
    for (;;) {
      const read = this.#reads.get(userId) ?? this.#start(userId);
      const standing = await read;
      if (this.#reads.get(userId) === read) return standing;
    }
  }

  /** The user changed: what is known or being read no longer counts. */
  drop(userId: string): void {
    this.#reads.delete(userId);
  }

  #start(userId: string): Promise<Standing | null> {
    const read = this.read(userId);
    this.#reads.set(userId, read);
    read.catch(() => {
      if (this.#reads.get(userId) === read) this.#reads.delete(userId);
    });
    return read;
  }
}
