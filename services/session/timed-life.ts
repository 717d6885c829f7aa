import type { Conversations } from "../../actors/conversation/conversation.actor";
import type { ConversationState } from "../../actors/conversation/conversation.state";
import { nextTimer, type Timer } from "../../actors/conversation/conversation.timers";
import type { Clock } from "../../lib/actor/ports";
import { ParleyError } from "../../lib/errors";
import { timerCommandId } from "../../lib/scheduling/due-scan";
import { systemCommand } from "../conversation-command";
import type { TimerRow, TimerStore } from "../timers";

export interface TimedLifeParts {
  readonly conversations: {
    readonly host: Pick<Conversations["host"], "readHead">;
    command: Conversations["command"];
  };
  readonly timers: Pick<TimerStore, "keep">;
  readonly clock: Pick<Clock, "now">;
}

/** What became of a look. */
export interface Looked {
  /** Of each effect that it had, by how many milliseconds it was late. */
  readonly late: readonly number[];
  /** It came too early, by the clock of this node: milliseconds until the same row is to be looked at again. */
  readonly earlyMs?: number;
}

/**
 * Has on a conversation whatever effect is due, and arms what comes next. Interrupted anywhere, done twice or by two
 * nodes at once, it has each effect once: its command follows from the timer, and takes effect only as the next one.
 * @param deadline wall-clock milliseconds @throws ParleyError whatever kept an effect from happening
 */
export async function lookAt(parts: TimedLifeParts, row: Omit<TimerRow, "_id">, deadline: number): Promise<Looked> {
  const { conversations, clock } = parts;
  const late: number[] = [];
  for (let looks = 0; looks < MAX_EFFECTS; looks++) {
    const state = await conversations.host.readHead(row.conversationId, deadline);
    const timer = nextTimer(state);
    if (!timer || timer.dueAt > clock.now()) {
      const earlyMs = await armNext(parts, row, timer);
      return { late, ...(earlyMs !== undefined && { earlyMs }) };
    }
    const at = await takeEffect(parts, state, timer, deadline);
    if (at !== undefined) late.push(Math.max(0, at - timer.dueAt));
  }
  throw new ParleyError("UNAVAILABLE");
}

/** The time of the event; undefined when it is another look's, or something happened before. */
async function takeEffect(
  { conversations }: TimedLifeParts,
  { id }: ConversationState,
  { kind, dueAt }: Timer,
  deadline: number,
): Promise<number | undefined> {
  const command = systemCommand(timerCommandId(kind, dueAt), "due", { kind, dueAt }, deadline);
  const outcome = await conversations.command(id, command);
  return "event" in outcome && !outcome.repeated ? outcome.event.at : undefined;
}

async function armNext(
  { timers, clock }: TimedLifeParts,
  { conversationId, dueAt, armedAt }: Omit<TimerRow, "_id">,
  next: Timer | undefined,
): Promise<number | undefined> {
  const now = clock.now();
  const again = armedAt === undefined ? undefined : lookAgain(armedAt, now);
  if (next && next.dueAt !== dueAt) await timers.keep(conversationId, next.dueAt);
  if (again !== undefined && again !== dueAt) await timers.keep(conversationId, again, armedAt);
  return next?.dueAt === dueAt || again === dueAt ? Math.max(1, dueAt - now) : undefined;
}

/**
 * When to look once more for an event that may still be on its way: after as long again as it has been awaited, so that
 * what comes late has its effects no later than that.
 */
function lookAgain(armedAt: number, now: number): number | undefined {
  const last = armedAt + AGAIN_MS;
  return now < last ? Math.min(last, now + Math.max(FIRST_AGAIN_MS, now - armedAt)) : undefined;
}

/** More than time can do to a session in a row. */
const MAX_EFFECTS = 20;
/** Later inserts are found by whoever projects them. */
const AGAIN_MS = 120_000;
const FIRST_AGAIN_MS = 5_000;
