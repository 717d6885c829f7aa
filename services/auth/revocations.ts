import type { Role } from "../schemas";

/**
 * One entry of the numbered list of what was taken from users: a login that ended, a user who is gone, or roles that
 * were replaced.
 */
export interface Revocation {
  /** 1, 2, 3, ... without gaps. */
  readonly number: number;
  readonly userId: string;
  /** The login that ended; without it and without `roles` the user is gone, with every login. */
  readonly family?: string;
  /** All roles that the user has from here on; no login ends. */
  readonly roles?: readonly Role[];
  /** Wall-clock milliseconds. */
  readonly at: number;
}

/** Roles of a user as of an entry. */
export type RoleChange = Revocation & { readonly roles: readonly Role[] };

export const isRoleChange = (revocation: Revocation): revocation is RoleChange => revocation.roles !== undefined;

/** A part of the list, by ascending number. */
export interface RevocationPage {
  readonly revocations: readonly Revocation[];
  /** The greatest number there is, 0 when there is none; entries up to it are complete with the last page. */
  readonly last: number;
  readonly more: boolean;
}

/** How long a node may act on what it knows of the list, in milliseconds from the begin of the read that told it. */
export const FRESH_MS = 1_000;
