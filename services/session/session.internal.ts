import { callerOf } from "../../lib/call";
import type { TimerRow } from "../timers";
import type { SessionPage } from "./session-lists";
import type { Looked } from "./timed-life";

/** Actions of the session service that only other services and operators call. */
export type SessionInternal = {
  /** Sessions of a status, or of every status; oldest first. */
  "session.inspect": { params: { status?: string; limit?: number }; result: SessionPage };
  /** Has on a session what is due, and arms what comes next; at its home. */
  "session.due": { params: Omit<TimerRow, "_id">; result: Looked };
};

/** Calls an internal action of the session service. */
export const callSession = callerOf<SessionInternal>();
