import { Cron } from "croner";

/** Work that is done again and again, by one process of the cluster at a time. */
export interface Job {
  readonly name: string;
  readonly schedule: Schedule;
  /** After so many milliseconds the turn is over: it counts as failed, and the job's next turn may begin. */
  readonly limitMs: number;
  /**
   * One turn, in small steps, each of which may be done twice. Before each step it asks whether the turn still is.
   * What it throws is logged, and the next turn tries again.
   */
  run(turn: Turn): Promise<void>;
}

/**
 * `everyMs`: that long after the end of the last turn on this node, and at once when a lease was taken after that, or
 * before there was one. `cron`: at these times (UTC), and at once, one time, when one or more of them were missed.
 */
export type Schedule =
  { readonly everyMs: number; readonly jitterMs?: number } | { readonly cron: string; readonly jitterMs?: number };

export interface Turn {
  /** The fencing token of the lease it runs under. */
  readonly token: number;
  /** When it should have begun, in wall-clock milliseconds. */
  readonly dueAt: number;
  /** False for ever once the lease may be somebody else's, the time is up, or the process drains. */
  live(): boolean;
}

/** The first time of a cron pattern after a wall-clock millisecond; undefined when there is none any more. */
export function nextCron(pattern: string, after: number): number | undefined {
  return new Cron(pattern, { paused: true, timezone: "UTC" }).nextRun(new Date(after))?.getTime();
}
