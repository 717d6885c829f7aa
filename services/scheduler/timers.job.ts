import type { ServiceBroker } from "moleculer";
import type { Clock, Monotonic } from "../../lib/actor/ports";
import { inTime } from "../../lib/actor/time";
import type { Caller } from "../../lib/call";
import { resourcesOf } from "../../lib/resources";
import { DueScan } from "../../lib/scheduling/due-scan";
import type { Job } from "../../lib/scheduling/job";
import { callSession } from "../session/session.internal";
import { type TimerRow, timersOf, type TimerStore } from "../timers";
import { type TimerProbe, timerProbe } from "./scheduler.metrics";

/** Between two looks for what is due. */
const EVERY_MS = 250;
/** A turn ends by itself long before its limit; the next one goes on with the longest due. */
const TURN_MS = 20_000;
const LIMIT_MS = 60_000;
const LOOK_MS = 5_000;
const CLOCK_MS = 300;

export interface TimersPorts {
  readonly caller: Caller;
  readonly timers: Pick<TimerStore, "rows" | "remove">;
  readonly clock: Clock;
  readonly monotonic: Monotonic;
  readonly probe: TimerProbe;
}

/** The job on a broker's node. */
export function timersJob(broker: ServiceBroker): Job {
  const { clock, monotonic } = resourcesOf(broker);
  return timersJobOn({ caller: broker, timers: timersOf(broker), clock, monotonic, probe: timerProbe(broker) });
}

/**
 * The job that has sessions looked at when one of their timers may be due. A row goes when what comes next is armed:
 * interrupted anywhere, it is looked at again. What is due by the clock of this node, or of one that decides, is looked
 * at: so no clock that is slow makes it late, but that of the session's own home.
 */
export function timersJobOn({ caller, timers, clock, monotonic, probe }: TimersPorts): Job {
  let aheadMs = 0;
  const latest: Clock = {
    now: () => clock.now() + aheadMs,
    setTimeout: (callback, ms) => clock.setTimeout(callback, ms),
  };
  const act = async (row: TimerRow): Promise<number | void> => {
    const { conversationId, dueAt, armedAt } = row;
    const params = { conversationId, dueAt, ...(armedAt !== undefined && { armedAt }) };
    const { late, earlyMs } = await callSession(caller, "session.due", params, { timeout: LOOK_MS });
    probe.looked(late);
    if (earlyMs !== undefined) return earlyMs;
    await timers.remove(row);
  };
  const scan = new DueScan<TimerRow>({ collection: timers.rows, field: "dueAt", act, clock: latest, monotonic, probe });
  return {
    name: "timers.due",
    schedule: { everyMs: EVERY_MS },
    limitMs: LIMIT_MS,
    run: async (turn) => {
      const end = monotonic() + TURN_MS;
      aheadMs = await aheadOf(caller, clock);
      await scan.run({ live: () => turn.live() && monotonic() < end });
    },
  };
}

/** By how many milliseconds the clock of a node that decides is ahead of this one's; 0 when none can be asked now. */
async function aheadOf(caller: Caller, clock: Clock): Promise<number> {
  const ask = () => callSession(caller, "session.now", {}, { timeout: CLOCK_MS }).catch(() => undefined);
  const answer = await inTime(clock, CLOCK_MS, ask);
  return answer ? Math.max(0, answer.now - clock.now()) : 0;
}
