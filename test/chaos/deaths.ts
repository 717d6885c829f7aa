import { setTimeout as pause } from "node:timers/promises";
import type { Calls } from "./ack-log";
import type { Kill } from "./killer";
import type { Load } from "./load";
import { type Outcome, rehearse, type RehearsalOptions } from "./rehearsal";

export interface DeathsOptions extends RehearsalOptions {
  readonly kills: number;
}

/** What the death of one core node was to its clients. */
export interface Death {
  readonly id: string;
  /** Milliseconds: the longest that a command waited after it. */
  readonly longestWait: number;
  /** The commands that were on their way then or were sent within `WINDOW_MS`. */
  readonly calls: Calls;
  /** Attempts that clients had to make again in that time, but for the agent who lost a race. */
  readonly failed: number;
}

export interface DeathsReport extends Outcome {
  readonly deaths: readonly Death[];
}

/** Time in which a core node's death is judged; the next one dies after it. */
export const WINDOW_MS = 10_000;
const DOWN_MS = 4_000;
const CORES = 3;

/** One of three core nodes is killed at a time, with nothing else wrong. */
export async function runDeaths(options: DeathsOptions): Promise<DeathsReport> {
  const [outcome, deaths] = await rehearse(options, async ({ load, killer, log, flows }) => {
    const seen: Death[] = [];
    await pause(WINDOW_MS / 2);
    while (seen.length < options.kills && load.problems.length === 0) {
      const kill = await killer.down(`core-${1 + (seen.length % CORES)}`, DOWN_MS);
      await pause(Math.max(0, kill.at + WINDOW_MS - performance.now()));
      await flows();
      const death = deathOf(kill, load);
      seen.push(death);
      const { slow, count } = death.calls;
      log(`${kill.id}: longest wait ${Math.round(death.longestWait)} ms, ${slow} of ${count} slower than 1 s`);
    }
    return seen;
  });
  return { ...outcome, deaths };
}

function deathOf({ id, at }: Kill, load: Load): Death {
  const to = at + WINDOW_MS;
  const { acks } = load;
  return { id, longestWait: acks.longestWait(at, to), calls: acks.during(at, to), failed: load.failed(at, to).length };
}
