import type { ServiceBroker } from "moleculer";
import { resourcesOf } from "../../lib/resources";
import { DueScan } from "../../lib/scheduling/due-scan";
import type { Job } from "../../lib/scheduling/job";
import { callSession } from "../session/session.internal";
import { type TimerRow, timersOf } from "../timers";
import { timerProbe } from "./scheduler.metrics";

/** Between two looks for what is due. */
const EVERY_MS = 250;
/** A turn ends by itself long before its limit; the next one goes on with the longest due. */
const TURN_MS = 20_000;
const LIMIT_MS = 60_000;
const LOOK_MS = 5_000;

/**
 * The job that has sessions looked at when one of their timers may be due. A row goes when what comes next is armed:
 * interrupted anywhere, it is looked at again.
 */
export function timersJob(broker: ServiceBroker): Job {
  const { clock, monotonic } = resourcesOf(broker);
  const timers = timersOf(broker);
  const probe = timerProbe(broker);
  const act = async (row: TimerRow): Promise<number | void> => {
    const { conversationId, dueAt, armedAt } = row;
    const params = { conversationId, dueAt, ...(armedAt !== undefined && { armedAt }) };
    const { late, earlyMs } = await callSession(broker, "session.due", params, { timeout: LOOK_MS });
    probe.looked(late);
    if (earlyMs !== undefined) return earlyMs;
    await timers.remove(row);
  };
  const scan = new DueScan<TimerRow>({ collection: timers.rows, field: "dueAt", act, clock, monotonic, probe });
  return {
    name: "timers.due",
    schedule: { everyMs: EVERY_MS },
    limitMs: LIMIT_MS,
    run: (turn) => {
      const end = monotonic() + TURN_MS;
      return scan.run({ live: () => turn.live() && monotonic() < end });
    },
  };
}
