import { callerOf } from "../../lib/call";
import type { JobStatus } from "../../lib/scheduling/job-runner";

/** Actions of the scheduler that only operators call; each node answers for itself. */
export type SchedulerInternal = {
  /** The jobs as this node knows them, and whether it is the one that runs them. */
  "scheduler.jobs": { params: object; result: { node: string; holds: boolean; jobs: JobStatus[] } };
};

/** Calls an internal action of the scheduler. */
export const callScheduler = callerOf<SchedulerInternal>();
