import type { Clock, Monotonic } from "../../lib/actor/ports";
import { isParleyError, ParleyError } from "../../lib/errors";
import type { Role } from "../schemas";
import type { KeyRing } from "./keys";
import type { Principal } from "./principal";
import { RevocationList, type RevocationListPorts } from "./revocation-list";
import { FRESH_MS, type Revocation } from "./revocations";
import { type ReadStanding, StandingCache } from "./standing-cache";
import { AccessTokens } from "./tokens";

/** Clocks of two nodes may differ by this much, in milliseconds. */
const SKEW_MS = 60_000;

export interface AuthenticatorPorts {
  readonly clock: Clock;
  readonly monotonic: Monotonic;
  readonly loadKeys: () => Promise<KeyRing>;
  readonly readStanding: ReadStanding;
  readonly fetchRevocations: RevocationListPorts["fetch"];
  /** The number of the last revocation in the store; absent when no other process can revoke. */
  readonly lastRevocation?: (() => Promise<number>) | undefined;
  /** The life of an access token. */
  readonly accessTokenSeconds: number;
}

/** Who a token stands for, and until when (wall-clock milliseconds). */
export interface Identity {
  readonly user: Principal;
  readonly expiresAt: number;
}

/** Told of a user who changed: with the roles of now where they are known, else they are to be read. */
export type ChangedListener = (userId: string, roles?: readonly Role[]) => void;

/** An entry of the list of revocations as it is told to other nodes. */
export type Revoked = Pick<Revocation, "number" | "userId" | "family" | "roles">;

/**
 * Tells on any node who a token stands for: signature and expiry are checked here, revocations are kept in memory, and
 * roles are read from the users service through a cache that follows `users.changed`.
 */
export class Authenticator {
  readonly #revocations: RevocationList;
  readonly #standings: StandingCache;
  readonly #revokedListeners = new Set<(revoked: Revoked) => void>();
  readonly #changedListeners = new Set<ChangedListener>();
  #tokens: AccessTokens | undefined;

  constructor(private readonly ports: AuthenticatorPorts) {
    this.#standings = new StandingCache(ports.readStanding, ports.clock);
    this.#revocations = new RevocationList({
      clock: ports.clock,
      monotonic: ports.monotonic,
      fetch: ports.fetchRevocations,
      last: ports.lastRevocation,
      retentionMs: ports.accessTokenSeconds * 1_000 + SKEW_MS,
      onRevoked: (revocation) => {
        for (const listener of this.#revokedListeners) listener(revocation);
      },
      onRoles: ({ userId, roles, number }) => {
        if (this.#standings.replaceRoles(userId, roles, number)) this.#changed(userId, roles);
      },
    });
  }

  /** Loads the keys and the latest revocations. Until it resolves every token is refused with UNAVAILABLE. */
  async start(): Promise<void> {
    const keys = await this.ports.loadKeys();
    await this.#revocations.start();
    this.#tokens = new AccessTokens(keys, this.ports.clock);
  }

  stop(): void {
    this.#revocations.stop();
    this.#revokedListeners.clear();
    this.#changedListeners.clear();
  }

  /**
   * Who an access token stands for now. Waits a moment for a node that does not know what was revoked lately.
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
    if (!this.#tokens || !(await this.whenFresh())) throw new ParleyError("UNAVAILABLE");
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

  /**
   * Does this node know every revocation that is more than a second old? Whoever finds that it does not must not let
   * anybody act. Answered at once.
   */
  get isFresh(): boolean {
    return this.#revocations.isFresh;
  }

  /** Waits a moment until the node knows them; false when it still does not. */
  whenFresh(): Promise<boolean> {
    return this.#revocations.whenFresh(FRESH_MS);
  }

  /** Resolves when every revocation up to this number is known here. Rejects when the store does not answer. */
  async knows(number: number): Promise<void> {
    while (this.#revocations.last < number) await this.#revocations.catchUp();
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
  onUserChanged(listener: ChangedListener): () => void {
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
    this.#changed(userId);
  }

  #changed(userId: string, roles?: readonly Role[]): void {
    for (const listener of this.#changedListeners) listener(userId, roles);
  }

  async #principal(id: string, family: string): Promise<Principal> {
    const standing = await this.#standings.get(id).catch((error: unknown) => {
      throw isParleyError(error) ? error : new ParleyError("UNAVAILABLE");
    });
    if (!standing || this.#revocations.isRevoked({ userId: id, family })) throw new ParleyError("UNAUTHORIZED");
    return { id, roles: standing.roles, guest: standing.guest, family };
  }
}
