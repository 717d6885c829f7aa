import { callerOf } from "../../lib/call";
import type { RevocationPage } from "./revocations";

/** Actions of the auth service that only other services call. */
export type AuthInternal = {
  /** Revocations numbered above `after` that are not older than `since` (wall-clock milliseconds). */
  "auth.revocations": { params: { after: number; since: number }; result: RevocationPage };
  /** Ends all that a user has, for good: the user was deleted. */
  "auth.endUser": { params: { userId: string }; result: null };
};

/** Calls an internal action of the auth service. */
export const callAuth = callerOf<AuthInternal>();
