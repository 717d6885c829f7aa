import { inTime } from "../actor/time";
import type { Job } from "./job";
import { type JobPorts, JobRunner, type JobStatus } from "./job-runner";
import type { Lease } from "./lease";

export type SchedulerPorts = Omit<JobPorts, "lease"> & { readonly lease: Lease };

/**
 * Runs jobs while this node holds the lease. Any number of nodes may run one; the others stand by. A job is begun anew
 * with each grant, and stops between two steps when the lease may be gone.
 */
export class Scheduler {
  private runners = new Map<string, JobRunner>();
  private readonly former = new Set<Promise<void>>();
  private stopped = false;

  constructor(
    private readonly jobs: readonly Job[],
    private readonly ports: SchedulerPorts,
  ) {
    this.renew();
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
    this.retire();
    await inTime(this.ports.clock, STOP_MS, () => Promise.all(this.former));
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
    this.retire();
    this.renew();
    for (const runner of this.runners.values()) void runner.begin();
  }

  private renew(): void {
    this.runners = new Map(this.jobs.map((job) => [job.name, new JobRunner(job, this.ports)]));
  }

  /** A turn of an earlier grant may take its time to end: it does nothing any more. */
  private retire(): void {
    for (const runner of this.runners.values()) {
      const ended = runner.stop().then(() => void this.former.delete(ended));
      this.former.add(ended);
    }
  }
}

const STOP_MS = 3_000;
