import type { Clock, Random } from "../actor/ports";
import { inTime } from "../actor/time";
import type { Job, Schedule, Turn } from "./job";
import { nextCron } from "./job";
import type { Lease } from "./lease";
import type { TurnMemory } from "./turn-memory";

/** What is measured of jobs. Lateness in milliseconds. */
export interface JobProbe {
  began(job: string, latenessMs: number): void;
  /** `failures` in a row, this one included. */
  failed(job: string, error: unknown, failures: number): void;
}

export interface JobPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly lease: Pick<Lease, "held">;
  readonly memory: TurnMemory;
  readonly probe: JobProbe;
}

/** A job as operators see it; times are wall-clock milliseconds. */
export interface JobStatus {
  readonly name: string;
  readonly schedule: Schedule;
  readonly dueAt?: number;
  readonly running: boolean;
  readonly lastBegan?: number;
  readonly lastSucceeded?: number;
  /** Turns that failed since the last one that succeeded. */
  readonly failures: number;
}

/** The turns of one job on this node, one at a time. */
export class JobRunner {
  private cancelTimer: (() => void) | undefined;
  private dueAt: number | undefined;
  private current: RunningTurn | undefined;
  private nudged = false;
  private lastBegan: number | undefined;
  private lastSucceeded: number | undefined;
  private failures = 0;
  private stopped = false;

  constructor(
    private readonly job: Job,
    private readonly ports: JobPorts,
  ) {}

  get status(): JobStatus {
    const { dueAt, lastBegan, lastSucceeded, failures } = this;
    return {
      name: this.job.name,
      schedule: this.job.schedule,
      running: this.current !== undefined,
      failures,
      ...(dueAt !== undefined && { dueAt }),
      ...(lastBegan !== undefined && { lastBegan }),
      ...(lastSucceeded !== undefined && { lastSucceeded }),
    };
  }

  /**
   * The lease was taken, or is surely ours again: finds out when the next turn is. What is planned stays, and what runs
   * is waited for: else a lease that lapses again and again, as the store is slow, would keep it slow. Never rejects.
   */
  async begin(): Promise<void> {
    if (this.current || this.dueAt !== undefined) return;
    this.cancelTimer?.();
    const { clock } = this.ports;
    const { name, schedule } = this.job;
    if ("everyMs" in schedule) return this.plan(clock.now());
    try {
      const now = clock.now();
      const last = await this.ports.memory.last(name);
      // Remembered from the first sight on, so that a first turn that is missed is known too.
      if (last === undefined) await this.ports.memory.done(name, now);
      this.planCron(schedule.cron, Math.min(last ?? now, now));
    } catch (error) {
      this.fail(error);
      if (!this.stopped) this.cancelTimer = clock.setTimeout(() => void this.begin(), RETRY_MS);
    }
  }

  /** Runs now, and once more if it is running. */
  nudge(): void {
    if (this.current) this.nudged = true;
    else if (this.dueAt !== undefined) this.plan(this.ports.clock.now());
  }

  /** No more turns; the running one is told, and waited for until its time is up. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.cancelTimer?.();
    this.current?.end();
    await this.current?.settled;
  }

  private plan(dueAt: number): void {
    if (this.stopped) return;
    this.dueAt = dueAt;
    this.cancelTimer?.();
    const wait = Math.max(0, dueAt - this.ports.clock.now());
    // In short naps: the wall clock may be set, and cron times are the wall clock's.
    const nap = Math.min(wait, "cron" in this.job.schedule ? NAP_MS : wait);
    this.cancelTimer = this.ports.clock.setTimeout(() => (nap < wait ? this.plan(dueAt) : void this.run(dueAt)), nap);
  }

  private planCron(pattern: string, after: number): void {
    const at = nextCron(pattern, after);
    if (at !== undefined) this.plan(Math.max(at, 0) + this.jitter());
    else this.dueAt = undefined;
  }

  private async run(dueAt: number): Promise<void> {
    const { lease, clock, probe } = this.ports;
    const grant = lease.held;
    // Whoever has the lease does it; this node when it is granted again.
    if (!grant) return void (this.dueAt = undefined);
    const began = clock.now();
    this.lastBegan = began;
    this.nudged = false;
    probe.began(this.job.name, began - dueAt);
    this.current = new RunningTurn(this.job, { token: grant.token, dueAt }, this.ports);
    const outcome = await this.current.settled;
    this.current = undefined;
    // Not done, and nobody's fault: whoever has the lease does it.
    if (outcome === "interrupted") {
      this.dueAt = undefined;
      if (lease.held) await this.begin();
      return;
    }
    if (outcome === "done") this.succeed(began);
    else this.fail(outcome.error);
    await this.planNext(began, outcome !== "done");
  }

  private succeed(at: number): void {
    this.lastSucceeded = at;
    this.failures = 0;
  }

  private fail(error: unknown): void {
    this.failures++;
    this.ports.probe.failed(this.job.name, error, this.failures);
  }

  private async planNext(began: number, failed: boolean): Promise<void> {
    const { schedule, name } = this.job;
    const { clock, memory } = this.ports;
    if ("everyMs" in schedule) return this.plan(clock.now() + (this.nudged ? 0 : schedule.everyMs + this.jitter()));
    if (failed) return this.plan(clock.now() + RETRY_MS);
    // Not remembered: done again at the worst.
    await memory.done(name, began).catch((error: unknown) => this.fail(error));
    this.planCron(schedule.cron, began);
  }

  private jitter(): number {
    return Math.floor(this.ports.random.float() * (this.job.schedule.jitterMs ?? 0));
  }
}

type Outcome = "done" | "interrupted" | { readonly error: unknown };

/** One turn; `settled` resolves when its run has ended or its time is up: done, if it was not told to stop before. */
class RunningTurn implements Turn {
  readonly token: number;
  readonly dueAt: number;
  readonly settled: Promise<Outcome>;
  private ended = false;
  private told = false;

  constructor(
    job: Job,
    { token, dueAt }: { readonly token: number; readonly dueAt: number },
    private readonly ports: JobPorts,
  ) {
    this.token = token;
    this.dueAt = dueAt;
    this.settled = this.run(job);
  }

  live(): boolean {
    if (!this.ended && this.ports.lease.held?.token !== this.token) this.ended = true;
    this.told ||= this.ended;
    return !this.ended;
  }

  end(): void {
    this.ended = true;
  }

  private async run(job: Job): Promise<Outcome> {
    try {
      await inTime(
        this.ports.clock,
        job.limitMs,
        () => job.run(this),
        () => {
          this.ended = true;
          throw new Error(`the job ${job.name} took longer than ${job.limitMs} ms`);
        },
      );
      return this.told ? "interrupted" : "done";
    } catch (error) {
      return { error };
    } finally {
      this.ended = true;
    }
  }
}

/** After a failure of what is done rarely. */
const RETRY_MS = 60_000;
/** A cron time is met so exactly, however the clock was set meanwhile. */
const NAP_MS = 1_000;
