import { callerOf } from "../../lib/call";
import type { SessionPage } from "./session-lists";

/** Actions of the session service that only other services and operators call. */
export type SessionInternal = {
  /** Sessions of a status, or of every status; oldest first. */
  "session.inspect": { params: { status?: string; limit?: number }; result: SessionPage };
};

/** Calls an internal action of the session service. */
export const callSession = callerOf<SessionInternal>();
