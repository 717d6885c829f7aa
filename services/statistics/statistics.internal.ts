import { callerOf } from "../../lib/call";
import type { AuditAnswer, AuditCursors } from "./audit/desk-audit";

/** Actions of the statistics service that only other services call. */
export type StatisticsInternal = {
  /**
   * Has the facts of a session follow its log, through this seq at least.
   * @throws ParleyError UNAVAILABLE when the log could not be read as far
   */
  "statistics.bringUp": { params: { conversationId: string; seq: number }; result: null };
  /**
   * One bounded step of the search for what must not be at the desk, and the repair of projections. Takes the cursors of
   * the last step's answer, empty ones at first.
   */
  "statistics.audit": { params: { cursors: AuditCursors }; result: AuditAnswer };
};

/** Calls an internal action of the statistics service. */
export const callStatistics = callerOf<StatisticsInternal>();
