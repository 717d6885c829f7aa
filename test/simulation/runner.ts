import { fork } from "node:child_process";
import { join } from "node:path";
import type { ShardMessage, ShardReport, ShardTask } from "./shard";

export interface RunOptions extends ShardTask {
  /** Processes among which the seeds are divided. */
  readonly workers: number;
  readonly onMessage?: (message: ShardMessage) => void;
}

/**
 * Runs the seeds `from` to `from + count - 1` in processes of their own: a history owns its process's promises, and a
 * second core halves the time.
 */
export async function runSeeds({ workers, onMessage, ...task }: RunOptions): Promise<ShardReport> {
  const size = Math.ceil(task.count / workers);
  const shards: Array<Promise<ShardReport>> = [];
  for (let from = task.from; from < task.from + task.count; from += size) {
    const count = Math.min(size, task.from + task.count - from);
    shards.push(runShardProcess({ ...task, from, count }, onMessage));
  }
  const reports = await Promise.all(shards);
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

function runShardProcess(task: ShardTask, onMessage?: (message: ShardMessage) => void): Promise<ShardReport> {
  const child = fork(join(__dirname, "shard.ts"), [], { execArgv: ["--require", "tsx/cjs"] });
  return new Promise((resolve, reject) => {
    let report: ShardReport | undefined;
    child.on("message", (message: ShardMessage) => {
      if ("report" in message) report = message.report;
      else onMessage?.(message);
    });
    child.on("error", reject);
    child.on("exit", (code) => {
      if (report) resolve(report);
      else reject(new Error(`seeds from ${task.from}: the process ended with code ${code ?? "none"}`));
    });
    child.send(task);
  });
}
