import { callerOf } from "../../lib/call";
import type { TimerRow } from "../timers";
import type { Flow } from "./estimate";
import type { SessionPage } from "./session-lists";
import type { Looked } from "./timed-life";

/** Actions of the session service that only other services and operators call. */
export type SessionInternal = {
  /** Sessions of a status, or of every status; oldest first. */
  "session.inspect": { params: { status?: string; limit?: number }; result: SessionPage };
  /** Has on a session what is due, and arms what comes next; at its home. */
  "session.due": { params: Omit<TimerRow, "_id">; result: Looked };
  /** The wall clock of the answering node. */
  "session.now": { params: object; result: { now: number } };
  /** The waiting sessions, of a topic or of all, in the order of the queue, as staff see them; a page of them. */
  "session.waiting": { params: { topic?: string; cursor?: string; limit?: number }; result: SessionPage };
  /** How fast sessions of these topics are taken now; null where nobody knows, or the topic is closed. */
  "session.flow": { params: { topics: readonly string[] }; result: { flows: Record<string, Flow | null> } };
  /** Classifies the first messages of a waiting session. Doing it again changes nothing. */
  "session.classify": { params: { conversationId: string }; result: null };
};

/** Calls an internal action of the session service. */
export const callSession = callerOf<SessionInternal>();
