import type { SessionState } from "./conversation.session-state";
import type { ConversationState } from "./conversation.state";

/** What time does to a session: the effects in the order in which equal times take effect. */
export type TimerKind = "no-show" | "expire" | "accept" | "attend" | "closing" | "warn";

/** An effect and the wall-clock millisecond at which it is due. */
export interface Timer {
  readonly kind: TimerKind;
  readonly dueAt: number;
}

/** The next thing that time does to a session, unless somebody acts before; nothing once it is closed. Pure. */
export function nextTimer(state: ConversationState): Timer | undefined {
  const { session } = state;
  if (!session || session.status === "closed") return undefined;
  return timersOf(session, lastHeardOf(state, session)).reduce<Timer | undefined>(
    (first, timer) => (first && first.dueAt <= timer.dueAt ? first : timer),
    undefined,
  );
}

/** When anybody last said something that everybody could see; at first, when the session was opened. */
export const lastHeardOf = (state: ConversationState, session: SessionState): number =>
  Math.max(session.openedAt, session.reopenedAt ?? 0, state.lastMessage?.at ?? 0);

function timersOf(session: SessionState, heardAt: number): Timer[] {
  const { rules, openedAt, assignedAt, reopenedAt, warnedAt = 0 } = session;
  const timers: Timer[] = [];
  const add = (kind: TimerKind, from: number | undefined, afterMs: number | undefined): void => {
    if (from !== undefined && afterMs !== undefined) timers.push({ kind, dueAt: from + afterMs });
  };
  const livesSince = reopenedAt ?? openedAt;
  add("no-show", livesSince, rules.noShowMs);
  add("expire", heardAt, rules.expireMs);
  if (session.agentId !== undefined && session.attendedAt === undefined) {
    if (session.formerAgentId === undefined) add("attend", assignedAt, rules.attendMs);
    else add("accept", assignedAt, rules.acceptMs ?? rules.attendMs);
  }
  if (session.status !== "closing") add("closing", livesSince, rules.closingMs);
  if (warnedAt < heardAt) add("warn", heardAt, rules.warnMs);
  return timers;
}
