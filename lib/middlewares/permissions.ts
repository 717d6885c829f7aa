import type { Access } from "../contract";
import { ParleyError } from "../errors";

/** Who is calling, as far as the rights of an action need it. */
export interface CallerRoles {
  readonly roles: readonly string[];
}

/** Throws unless this caller may call. */
export type Guard = (user: CallerRoles | null | undefined) => void;

/**
 * The guard of an access rule; undefined when it admits everyone. Internal actions are guarded by not being offered:
 * gateways make their routes and events from the contracts that name one.
 * The guard throws ParleyError UNAUTHORIZED without a user and FORBIDDEN without one of the roles.
 */
export function guardOf(access: Access): Guard | undefined {
  if (access === "public" || access === "internal") return undefined;
  const roles = access === "user" ? undefined : access.roles;
  return (user) => {
    if (!user) throw new ParleyError("UNAUTHORIZED");
    if (roles && !user.roles.some((role) => roles.includes(role))) throw new ParleyError("FORBIDDEN");
  };
}
