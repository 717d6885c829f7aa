import { fork } from "node:child_process";
import { join } from "node:path";
import type { Failure, ShardMessage, ShardReport, ShardTask } from "./shard";

export interface RunOptions extends ShardTask {
  /** Processes among which the seeds are divided. */
  readonly workers: number;
  readonly onMessage?: (message: ShardMessage) => void;
}

/**
 * Runs the seeds `from` to `from + count - 1` in processes of their own: a history owns its process's promises, and a
 * second core halves the time. With `stopAtFailure` the first failure ends all of them.
 */
export async function runSeeds({ workers, onMessage, ...task }: RunOptions): Promise<ShardReport> {
  const size = Math.ceil(task.count / workers);
  const shards: Shard[] = [];
  const hear = (message: ShardMessage): void => {
    onMessage?.(message);
    if (task.stopAtFailure && "failure" in message) for (const shard of shards) shard.stop(message.failure);
  };
  for (let from = task.from; from < task.from + task.count; from += size) {
    const count = Math.min(size, task.from + task.count - from);
    shards.push(startShard({ ...task, from, count }, hear));
  }
  const reports = await Promise.all(shards.map(({ report }) => report));
  return {
    seeds: sum(reports, ({ seeds }) => seeds),
    failures: reports.flatMap(({ failures }) => failures),
    steps: sum(reports, ({ steps }) => steps),
    events: sum(reports, ({ events }) => events),
    digest: reports.map(({ digest }) => digest).join(""),
  };
}

const sum = (reports: readonly ShardReport[], of: (report: ShardReport) => number): number =>
  reports.reduce((total, report) => total + of(report), 0);

interface Shard {
  readonly report: Promise<ShardReport>;
  /** Ends it, unless the failure is its own: then it ends by itself, and reports. */
  stop(failure: Failure): void;
}

function startShard(task: ShardTask, hear: (message: ShardMessage) => void): Shard {
  const child = fork(join(__dirname, "shard.ts"), [], { execArgv: ["--require", "tsx/cjs"] });
  let done: ShardReport | undefined;
  const report = new Promise<ShardReport>((resolve, reject) => {
    child.on("message", (message: ShardMessage) => {
      if ("report" in message) done = message.report;
      else hear(message);
    });
    child.on("error", reject);
    child.on("exit", (code) => {
      if (done) resolve(done);
      else reject(new Error(`seeds from ${task.from}: the process ended with code ${code ?? "none"}`));
    });
    child.send(task);
  });
  const stop = ({ seed }: Failure): void => {
    if (seed >= task.from && seed < task.from + task.count) return;
    done ??= { seeds: 0, failures: [], steps: 0, events: 0, digest: "" };
    child.kill();
  };
  return { report, stop };
}
