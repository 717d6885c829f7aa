import { LRUCache } from "lru-cache";
import type { Clock } from "../../lib/actor/ports";
import type { Role } from "../schemas";

/** What a user may do now: answer of the internal action `users.principal`. */
export interface Standing {
  readonly roles: readonly Role[];
  readonly guest: boolean;
  /** Number of the revocation entry that these roles are of; absent when they were never replaced. */
  readonly rolesNumber?: number;
}

/** Reads a user's standing; null when there is no such user, or no longer. */
export type ReadStanding = (userId: string) => Promise<Standing | null>;

const MAX_USERS = 20_000;
/** How long a change can go unnoticed when its event was lost. */
const TTL_MS = 60_000;
/** Roles told by an entry are kept this long: by then they are in the user's document. */
const ROLES_TTL_MS = 3_600_000;

interface Entry {
  readonly read: Promise<Standing | null>;
  /** Once the read is done. */
  standing?: Standing | null;
}

/**
 * The standing of the users seen lately. Callers at the same time share one read. Roles that were replaced hold from
 * the entry that says so, also while the user's document is behind it or cannot be read.
 */
export class StandingCache {
  readonly #entries: LRUCache<string, Entry>;
  readonly #roles: LRUCache<string, { readonly number: number; readonly roles: readonly Role[] }>;

  constructor(
    private readonly read: ReadStanding,
    clock: Pick<Clock, "now">,
  ) {
    this.#entries = new LRUCache({ max: MAX_USERS, ttl: TTL_MS, ttlResolution: 0, perf: clock });
    this.#roles = new LRUCache({ max: MAX_USERS, ttl: ROLES_TTL_MS, ttlResolution: 0, perf: clock });
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

  /** The user has these roles from the entry of this number on. False when a later one is known. */
  replaceRoles(userId: string, roles: readonly Role[], number: number): boolean {
    if ((this.#roles.get(userId)?.number ?? 0) >= number) return false;
    this.#roles.set(userId, { number, roles });
    this.drop(userId);
    return true;
  }

  async #read(userId: string): Promise<Standing | null> {
    const standing = await this.read(userId);
    const replaced = this.#roles.get(userId);
    if (!standing || !replaced || replaced.number <= (standing.rolesNumber ?? 0)) return standing;
    return { ...standing, roles: replaced.roles };
  }

  #start(userId: string): Entry {
    const entry: Entry = { read: this.#read(userId) };
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
