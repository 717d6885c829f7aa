import { performance } from "node:perf_hooks";
import type { Load, StepResult } from "./generator/load";
import { held, type Workload } from "./workloads";

const STEP = 1.2;
const RUNS = 3;
const PROBE = { seconds: 1.3, warm: 0.4 };
/** Not judged: a server that has just started is still compiling itself. */
const WARM_UP_SECONDS = 6;
const HOLD = { seconds: 3, warm: 1 };
/** Time after which no further rates are tried beyond the one of each run. */
const BUDGET_MS = 35_000;
/** Grid steps that a probe jumps while nothing is known yet. */
const LEAP = 3;
const MOST_DOWN = 4;

export type Log = (line: string) => void;

/**
 * The highest rate that a server holds, on a grid of 20 % steps: short probes find the region, then each of three runs
 * holds rates around it for longer and keeps its highest success.
 */
export async function search(load: Load, workload: Workload, log: Log): Promise<StepResult[]> {
  const at = (step: number): number => Math.round(workload.guess * STEP ** step);
  const attempt = async (step: number, hold: { seconds: number; warm: number }): Promise<Attempt> => {
    const result = await load.run(at(step), hold.seconds, hold.warm);
    const ok = held(workload, result);
    log(`  ${ok ? "held" : "over"} ${describe(result)}`);
    return { ok, result };
  };
  await load.run(workload.guess, WARM_UP_SECONDS, 0);
  const deadline = performance.now() + BUDGET_MS;
  const hurry = (): boolean => performance.now() > deadline;
  const first = await region(async (candidate) => (await attempt(candidate, PROBE)).ok);
  const runs: StepResult[] = [];
  for (let run = 0, step = first; run < RUNS; run++) {
    const best = await climb(step, (candidate) => attempt(candidate, HOLD), hurry);
    runs.push(best.result);
    step = best.step;
  }
  return runs;
}

interface Attempt {
  readonly ok: boolean;
  readonly result: StepResult;
}

/** Up from a step that holds, or down from one that fails twice. @returns the highest that held, or the last tried */
async function climb(
  from: number,
  attempt: (step: number) => Promise<Attempt>,
  hurry: () => boolean,
): Promise<{ step: number; result: StepResult }> {
  let step = from;
  let best = await attempt(step);
  if (!best.ok && !hurry()) best = await attempt(step);
  while (best.ok && !hurry()) {
    const next = await attempt(step + 1);
    if (!next.ok) return { step, result: best.result };
    best = next;
    step++;
  }
  for (let down = 0; down < MOST_DOWN && !best.ok && !hurry(); down++) best = await attempt(--step);
  return { step, result: best.result };
}

/** The highest step that passes a probe, by leaps and then single steps. */
async function region(passes: (step: number) => Promise<boolean>): Promise<number> {
  let low = 0;
  if (await passes(0)) {
    while (await passes(low + LEAP)) low += LEAP;
  } else {
    low -= LEAP;
    while (low > -30 && !(await passes(low))) low -= LEAP;
  }
  for (let single = 1; single < LEAP && (await passes(low + 1)); single++) low++;
  return low;
}

const describe = (result: StepResult): string =>
  [
    `${result.rate}/s`,
    `ack p50 ${result.ack.p50.toFixed(1)} p99 ${result.ack.p99.toFixed(1)} ms`,
    `delivery p99 ${result.delivery.p99.toFixed(1)} ms`,
    `lost ${result.lost}`,
    `${result.cpuPerMessage.toFixed(0)} us/message`,
    `generator ${(result.generatorLoad * 100).toFixed(0)} %`,
    ...(result.refused > 0 ? [`refused ${result.refused}`] : []),
    ...(result.disorder > 0 ? [`disorder ${result.disorder}`] : []),
    ...(result.failure ? [result.failure.slice(0, 200)] : []),
  ].join(", ");
