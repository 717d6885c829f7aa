import { BUGS } from "./bugs";
import { simulate } from "./simulation";

/** What a shard process is told to run. */
export interface ShardTask {
  readonly from: number;
  readonly count: number;
  /** Name of a planted bug. */
  readonly bug?: string;
  readonly stopAtFailure?: boolean;
}

export interface Failure {
  readonly seed: number;
  readonly reason: string;
}

export interface ShardReport {
  readonly seeds: number;
  readonly failures: readonly Failure[];
  readonly steps: number;
  readonly events: number;
  /** Of all its histories: equal when each of them is. */
  readonly digest: string;
}

export type ShardMessage =
  { readonly progress: number } | { readonly failure: Failure } | { readonly report: ShardReport };

const PROGRESS_EVERY = 20;

/** Runs seeds one after another. */
export async function runShard(task: ShardTask, tell: (message: ShardMessage) => void): Promise<ShardReport> {
  const bug = BUGS.find(({ name }) => name === task.bug);
  if (task.bug !== undefined && !bug) throw new Error(`there is no planted bug named ${task.bug}`);
  const failures: Failure[] = [];
  const digests: string[] = [];
  let [seeds, steps, events] = [0, 0, 0];
  for (let seed = task.from; seed < task.from + task.count; seed++) {
    const remove = bug?.plant();
    const outcome = await simulate(seed);
    remove?.();
    seeds += 1;
    steps += outcome.steps;
    events += outcome.events;
    digests.push(outcome.digest);
    if (outcome.failure !== undefined) {
      const failure = { seed, reason: outcome.failure };
      failures.push(failure);
      tell({ failure });
      if (task.stopAtFailure) break;
    }
    if (seeds % PROGRESS_EVERY === 0) tell({ progress: PROGRESS_EVERY });
  }
  tell({ progress: seeds % PROGRESS_EVERY });
  return { seeds, failures, steps, events, digest: digests.join("") };
}

if (require.main === module) {
  process.once("message", (task: ShardTask) => {
    const tell = (message: ShardMessage): void => void process.send?.(message);
    void runShard(task, tell).then((report) => process.send?.({ report }, () => process.exit(0)));
  });
}
