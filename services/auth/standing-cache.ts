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

interface Entry {
  readonly read: Promise<Standing | null>;
  /** Once the read is done. */
  standing?: Standing | null;
}

/** The standing of the users seen lately. Callers at the same time share one read. */
export class StandingCache {
  readonly #entries: LRUCache<string, Entry>;

  constructor(
    private readonly read: ReadStanding,
    clock: Pick<Clock, "now">,
  ) {
    this.#entries = new LRUCache({ max: MAX_USERS, ttl: TTL_MS, ttlResolution: 0, perf: clock });
  }

  /** The user's standing, read again when it changed meanwhile; null when there is no such user. */
  async get(userId: string): Promise<Standing | null> {
    for (;;) {
      const entry = this.#entries.get(userId) ?? this.#start(userId);
      const standing = await entry.read;
      if (this.#entries.get(userId) === entry) return standing;
    }
  }

  /** What is known of the user without reading. */
  peek(userId: string): Standing | null | undefined {
    return this.#entries.get(userId)?.standing;
  }

  /** The user changed: what is known or being read no longer counts. */
  drop(userId: string): void {
    this.#entries.delete(userId);
  }

  #start(userId: string): Entry {
    const entry: Entry = { read: this.read(userId) };
    this.#entries.set(userId, entry);
    entry.read.then(
      (standing) => (entry.standing = standing),
      () => {
        if (this.#entries.get(userId) === entry) this.#entries.delete(userId);
      },
    );
    return entry;
  }
}
