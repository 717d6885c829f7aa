import type { Schedule } from "../lib/scheduling/job";
import type { JobStatus } from "../lib/scheduling/job-runner";
import { span } from "../lib/span";
import { callScheduler } from "../services/scheduler/scheduler.internal";
import { ago, type Command, type Session } from "./command";
import { servingNodes } from "./serving-nodes";

const COLUMNS = [
  { title: "Job", overflow: "cut" },
  { title: "Schedule" },
  { title: "Last run" },
  { title: "Succeeded" },
  { title: "Next run" },
  { title: "Failures", align: "right" },
] as const;

const ANSWER_MS = 2_000;

/** What the jobs are doing, told by the scheduler that runs them. */
export const jobs: Command = {
  command: "jobs",
  description: "List the scheduler's jobs: when they run, and whether they fail",
  options: [],
  async run(session) {
    const found = (await servingNodes(session.broker)).filter(({ services }) => services.includes("scheduler"));
    if (found.length === 0) return "There is no scheduler.";
    const answers = await Promise.all(found.map(({ id: nodeID }) => ask(session, nodeID)));
    const known = answers.filter((answer) => answer !== undefined);
    const runs = known.find(({ holds }) => holds);
    const standby = known.filter((answer) => answer !== runs).map(({ node }) => node);
    const silent = found.length - known.length;
    const others = [
      ...(standby.length > 0 ? [`standing by: ${standby.join(", ")}`] : []),
      ...(silent > 0 ? [`without an answer: ${silent}`] : []),
    ];
    if (!runs) return ["Nobody runs the jobs at this moment", ...others].join("; ") + ".";
    const table = session.table(
      COLUMNS,
      runs.jobs.map((job) => rowOf(job, session.now)),
    );
    return `${table}\n\n${[`Run by ${runs.node}`, ...others].join("; ")}`;
  },
};

const ask = ({ broker }: Session, nodeID: string) =>
  callScheduler(broker, "scheduler.jobs", {}, { nodeID, timeout: ANSWER_MS }).catch(() => undefined);

function rowOf({ name, schedule, lastBegan, lastSucceeded, running, dueAt, failures }: JobStatus, now: number) {
  const past = (at: number | undefined): string => (at === undefined ? "-" : `${ago(at, now)} ago`);
  const next = dueAt === undefined ? "-" : `in ${span(Math.max(0, dueAt - now))}`;
  return [name, scheduleOf(schedule), past(lastBegan), past(lastSucceeded), running ? "runs" : next, String(failures)];
}

const SECOND_MS = 1_000;

function scheduleOf(schedule: Schedule): string {
  if ("cron" in schedule) return schedule.cron;
  const { everyMs } = schedule;
  return `every ${everyMs < SECOND_MS ? `${everyMs} ms` : span(everyMs)}`;
}
