import type { Static } from "@sinclair/typebox";
import { callerOf } from "../../lib/call";
import type { CountedSession } from "./desk-counters";
import type { watch } from "./supervision.contract";

/** What a watch begins with. */
export type Watched = Static<(typeof watch)["result"]>;

/** Actions of the supervision service that only io nodes call. */
export type SupervisionInternal = {
  /**
   * Writes down that the caller watches a session, and answers where it stands; runs at the session's home. `auditId` is
   * fresh for each watch.
   */
  "supervision.watch": { params: { sessionId: string; auditId: string }; result: Watched };
  /** The open sessions of a status, a page of them; the first has whatever was answered before the call. */
  "supervision.sessions": {
    params: { status: string; cursor?: string };
    result: { sessions: CountedSession[]; cursor?: string };
  };
};

/** Calls an internal action of the supervision service. */
export const callSupervision = callerOf<SupervisionInternal>();
