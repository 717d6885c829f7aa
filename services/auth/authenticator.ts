import type { Clock } from "../../lib/actor/ports";
import { ParleyError } from "../../lib/errors";
import type { KeyRing } from "./keys";
import type { Principal } from "./principal";
import { RevocationList, type RevocationListPorts } from "./revocation-list";
import type { Revocation } from "./revocations";
import { type ReadStanding, StandingCache } from "./standing-cache";
import { AccessTokens } from "./tokens";

/** Clocks of two nodes may differ by this much, in milliseconds. */
const SKEW_MS = 60_000;

export interface AuthenticatorPorts {
  readonly clock: Clock;
  readonly loadKeys: () => Promise<KeyRing>;
  readonly readStanding: ReadStanding;
  readonly fetchRevocations: RevocationListPorts["fetch"];
  /** The life of an access token. */
  readonly accessTokenSeconds: number;
}

/** Who a token stands for, and until when (wall-clock milliseconds). */
export interface Identity {
  readonly user: Principal;
  readonly expiresAt: number;
}

/** A login that ended; without a family every login of the user. */
export type Revoked = Pick<Revocation, "number" | "userId" | "family">;

/**
 * Tells on any node who a token stands for: signature and expiry are checked here, revocations are kept in memory, and
 * roles are read from the users service through a cache that follows `users.changed`.
 */
export class Authenticator {
  readonly #revocations: RevocationList;
  readonly #standings: StandingCache;
  readonly #revokedListeners = new Set<(revoked: Revoked) => void>();
  readonly #changedListeners = new Set<(userId: string) => void>();
  #tokens: AccessTokens | undefined;

  constructor(private readonly ports: AuthenticatorPorts) {
    this.#standings = new StandingCache(ports.readStanding, ports.clock);
    this.#revocations = new RevocationList({
      clock: ports.clock,
      fetch: ports.fetchRevocations,
      retentionMs: ports.accessTokenSeconds * 1_000 + SKEW_MS,
      onRevoked: (revocation) => {
        for (const listener of this.#revokedListeners) listener(revocation);
      },
    });
  }

  /** Loads the keys and the latest revocations. Until it resolves every token is refused with UNAVAILABLE. */
  async start(): Promise<void> {
    const keys = await this.ports.loadKeys();
    await this.#revocations.catchUp();
    this.#tokens = new AccessTokens(keys, this.ports.clock);
  }

  stop(): void {
    this.#revocations.stop();
    this.#revokedListeners.clear();
    this.#changedListeners.clear();
  }

  /**
   * Who an access token stands for now.
   * @throws ParleyError UNAUTHORIZED; UNAVAILABLE when the user cannot be read
   */
  async authenticate(token: string): Promise<Principal> {
    return (await this.identify(token)).user;
  }

  /**
   * As `authenticate`, and until when the token is good. Whoever keeps the identity, as for a live socket, registers it
   * where `onRevoked` and `onUserChanged` find it and then asks `isCurrent`: what came between was told to nobody.
   */
  async identify(token: string): Promise<Identity> {
    if (!this.#tokens) throw new ParleyError("UNAVAILABLE");
    const { userId, family, expiresAt } = this.#tokens.verify(token);
    return { user: await this.#principal(userId, family), expiresAt };
  }

  /**
   * The same login with the roles of now: for a socket whose user changed.
   * @throws as `authenticate`
   */
  async renew(user: Principal): Promise<Principal> {
    return this.#principal(user.id, user.family);
  }

  /** Has this login ended? Answered at once, for checks on every event of a live socket. */
  isRevoked(user: Pick<Principal, "id" | "family">): boolean {
    return this.#revocations.isRevoked({ userId: user.id, family: user.family });
  }

  /** Is this still the login and are these still the roles that `identify` found? Answered at once. */
  isCurrent(user: Principal): boolean {
    return !this.isRevoked(user) && this.#standings.peek(user.id)?.roles === user.roles;
  }

  /** Tells of every login that ends, once. Returns a function that stops it. */
  onRevoked(listener: (revoked: Revoked) => void): () => void {
    this.#revokedListeners.add(listener);
    return () => this.#revokedListeners.delete(listener);
  }

  /** Tells of every user whose name or roles changed, after the cache let go of it. Returns a function that stops it. */
  onUserChanged(listener: (userId: string) => void): () => void {
    this.#changedListeners.add(listener);
    return () => this.#changedListeners.delete(listener);
  }

  /** To be called with each `auth.revoked` event. */
  handleRevoked(revoked: Revoked): void {
    this.#revocations.apply({ ...revoked, at: this.ports.clock.now() });
  }

  /** To be called with each `users.changed` event. */
  handleUserChanged(userId: string): void {
    this.#standings.drop(userId);
    for (const listener of this.#changedListeners) listener(userId);
  }

  async #principal(id: string, family: string): Promise<Principal> {
    const standing = await this.#standings.get(id);
    if (!standing || this.#revocations.isRevoked({ userId: id, family })) throw new ParleyError("UNAUTHORIZED");
    return { id, roles: standing.roles, guest: standing.guest, family };
  }
}
