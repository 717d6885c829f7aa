import type { Role } from "../schemas";

/** Who is calling, as the gateway and the io node established it: `ctx.meta.user` of every action called from outside. */
export interface Principal {
  readonly id: string;
  readonly roles: readonly Role[];
  readonly guest: boolean;
  /** The login this access token descends from; logging out revokes the family. */
  readonly family: string;
}

/** Who gives the commands that time gives. No user has this id, and nobody can log in as it. */
export const SYSTEM: Principal = { id: "system", roles: ["supervisor"], guest: false, family: "" };

/**
 * Meta of a call. `ip` is the caller's address as the gateway or the io node established it; `requestId` finds the call
 * in the logs; `deadline` is the wall-clock millisecond after which nobody waits.
 */
export interface Meta {
  user?: Principal;
  ip?: string;
  requestId?: string;
  deadline?: number;
}

export const hasRole = (user: Principal, roles: readonly string[]): boolean =>
  user.roles.some((role) => roles.includes(role));
