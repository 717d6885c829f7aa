import { inTime } from "../actor/time";
import type { Job } from "./job";
import { type JobPorts, JobRunner, type JobStatus } from "./job-runner";
import type { Lease } from "./lease";

export type SchedulerPorts = Omit<JobPorts, "lease"> & { readonly lease: Lease };

/**
 * Runs jobs while this node holds the lease. Any number of nodes may run one; the others stand by. A job stops between
 * two steps when the lease may be gone. Of each there is one turn at a time on a node, however often that is granted
 * the lease.
 */
export class Scheduler {
  private readonly runners: ReadonlyMap<string, JobRunner>;
  private stopped = false;

  constructor(
    private readonly jobs: readonly Job[],
    private readonly ports: SchedulerPorts,
  ) {
    this.runners = new Map(jobs.map((job) => [job.name, new JobRunner(job, ports)]));
  }

  /** @throws Error when two jobs have the same name */
  start(): void {
    if (new Set(this.jobs.map(({ name }) => name)).size < this.jobs.length) throw new Error("two jobs of one name");
    this.ports.lease.start(() => this.begin());
  }

  /**
   * Stops between two steps of whatever runs, then gives the lease up. A step that takes long is not waited for: it may
   * be done twice. Never rejects.
   */
  async stop(): Promise<void> {
    this.stopped = true;
    const stopped = Promise.all([...this.runners.values()].map((runner) => runner.stop()));
    await inTime(this.ports.clock, STOP_MS, () => stopped);
    await this.ports.lease.stop();
  }

  /** Runs a job at once, if it is this node that runs jobs. */
  nudge(name: string): void {
    if (this.ports.lease.held) this.runners.get(name)?.nudge();
  }

  /** Does this node run the jobs? */
  get holds(): boolean {
    return this.ports.lease.held !== undefined;
  }

  /** Every job as this node knows it. */
  list(): JobStatus[] {
    return [...this.runners.values()].map(({ status }) => status);
  }

  private begin(): void {
    if (this.stopped) return;
    for (const runner of this.runners.values()) void runner.begin();
  }
}

const STOP_MS = 3_000;
