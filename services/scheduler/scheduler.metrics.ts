import type { ServiceBroker } from "moleculer";
import { metricsOf, type PlainCounter } from "../../lib/metrics";
import type { DeliveryProbe } from "../../lib/outbox/delivery";
import type { Job } from "../../lib/scheduling/job";
import type { JobProbe } from "../../lib/scheduling/job-runner";
import type { DueProbe } from "../../lib/scheduling/due-scan";
import type { Scheduler } from "../../lib/scheduling/scheduler";
import { ANOMALIES, type Findings } from "../statistics/audit/anomalies";

/** The metrics of a scheduler node. */
export function jobProbe(broker: ServiceBroker, jobs: readonly Job[], scheduler: () => Scheduler): JobProbe {
  const metrics = metricsOf(broker);
  const turns = metrics.counter("parley_job_turns_total", "Turns of jobs that were begun");
  const failures = metrics.counter("parley_job_failures_total", "Turns of jobs that failed");
  const lateness = metrics.histogram("parley_job_lateness_seconds", "Time from due to begun", SECONDS);
  metrics.gauge("parley_scheduler_holds", "1 on the node that runs the jobs", () => Number(scheduler().holds));
  metrics.gauge("parley_jobs_failing", "Jobs whose last turn failed", () => failing(scheduler()));
  const names = jobs.map(({ name }) => name);
  const help = "When the last turn that succeeded was begun; 0 before the first one of this node";
  metrics.gauges("parley_job_success_timestamp_seconds", help, "job", names, (name) => successOf(scheduler(), name));
  return {
    began: (_job, latenessMs) => {
      turns.value++;
      lateness.observe(Math.max(0, latenessMs) / 1_000);
    },
    failed: (job, error, inARow) => {
      failures.value++;
      // Jobs that run each second would say the same thing each second.
      if (!isPowerOfTwo(inARow)) return;
      if (isAway(error)) broker.logger.debug("a job found no node to ask", { job, inARow });
      else broker.logger.warn("a job failed, its next turn tries again", { job, inARow, error });
    },
  };
}

/** Counts deliveries, and tells the operator of failed ones without what was to be delivered. */
export function deliveryProbe(broker: ServiceBroker, publisher: string): DeliveryProbe {
  const metrics = metricsOf(broker);
  const delivered = metrics.counter("parley_outbox_delivered_total", "Rows of the outbox that were delivered");
  const failures = metrics.counter("parley_outbox_failures_total", "Deliveries that failed and are tried again");
  const dead = metrics.counter("parley_outbox_dead_total", "Rows of the outbox that were given up");
  return {
    delivered: (rows) => void (delivered.value += rows),
    failed: (error) => {
      failures.value++;
      // Not its text: that may hold what was to be delivered, or an address with a token.
      broker.logger.warn("a delivery failed", { publisher, error: error instanceof Error ? error.name : "unknown" });
    },
    died: () => void dead.value++,
  };
}

/** What is measured of the timed life of sessions. */
export interface TimerProbe extends DueProbe {
  /** A row was looked at, with these effects: for each the milliseconds by which it was late. */
  looked(late: readonly number[]): void;
}

/** Counts what time does to sessions, and tells the operator of what could not be done yet. */
export function timerProbe(broker: ServiceBroker): TimerProbe {
  const metrics = metricsOf(broker);
  const looks = metrics.counter("parley_timer_looks_total", "Sessions looked at since a timer might have been due");
  const fired = metrics.counter("parley_timers_fired_total", "Effects that time had on sessions");
  const failures = metrics.counter("parley_timer_failures_total", "Looks that failed and are tried again");
  const lateness = metrics.histogram("parley_timer_lateness_seconds", "Time from due to the effect", SECONDS);
  let inARow = 0;
  return {
    looked: (late) => {
      inARow = 0;
      looks.value++;
      fired.value += late.length;
      for (const ms of late) lateness.observe(ms / 1_000);
    },
    acted: () => undefined,
    failed: (error) => {
      failures.value++;
      // In an outage thousands of rows say the same thing.
      if (!isPowerOfTwo(++inARow)) return;
      if (isAway(error)) broker.logger.debug("no node answers for a session's timers");
      else broker.logger.warn("a session's timers could not be looked at, it is tried again", { error });
    },
  };
}

/** Snapshots that lagged behind the log and were written again. */
export const repairCounter = (broker: ServiceBroker): PlainCounter =>
  metricsOf(broker).counter("parley_snapshots_repaired_total", "Snapshots found behind the log and written again");

/** What the audit of the desk found, and what of it was put right. */
export function auditCounters(broker: ServiceBroker): (findings: Findings) => void {
  const metrics = metricsOf(broker);
  const help = "What was found at the desk that must not be there, by kind";
  const found = metrics.counters("parley_desk_anomalies_total", help, "type", ANOMALIES);
  const repaired = metrics.counter("parley_desk_repairs_total", "Anomalies of the desk that were put right");
  return (findings) => {
    for (const kind of ANOMALIES) found[kind].value += findings[kind];
    repaired.value += findings.repaired;
  };
}

const SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 60, 600];

const isPowerOfTwo = (n: number): boolean => (n & (n - 1)) === 0;

const failing = (scheduler: Scheduler): number => scheduler.list().filter(({ failures }) => failures > 0).length;

const successOf = (scheduler: Scheduler, name: string): number =>
  (scheduler.list().find((job) => job.name === name)?.lastSucceeded ?? 0) / 1_000;

const isAway = (error: unknown): boolean => {
  const type = (error as { type?: unknown } | null)?.type;
  return type === "SERVICE_NOT_FOUND" || type === "SERVICE_NOT_AVAILABLE";
};
