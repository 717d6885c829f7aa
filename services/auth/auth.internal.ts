import { callerOf } from "../../lib/call";

/** Actions of the auth service that only other services call. */
export type AuthInternal = {
  /** Forgets expired tokens, and revocations that nobody can need any more. */
  "auth.purge": { params: object; result: null };
  /** Ends every login that a user has now, and its sockets. For operators. */
  "auth.kick": { params: { userId: string }; result: { logins: number } };
  /** Ends all that a user has, for good: the user was deleted. */
  "auth.endUser": { params: { userId: string }; result: null };
};

/** Calls an internal action of the auth service. */
export const callAuth = callerOf<AuthInternal>();
