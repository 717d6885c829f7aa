import { availableParallelism } from "node:os";
import { readOptions } from "../../bin/command-line";
import { BUGS } from "./bugs";
import { runSeeds } from "./runner";
import type { ShardMessage } from "./shard";
import { simulate } from "./simulation";

const USAGE = `npm run simulate -- [--seeds 1000] [--from 1] [--workers N] [--bug "name"]
npm run simulate -- --seed N [--verbose] [--bug "name"]

Runs histories of a small cluster under faults, one per seed, and says which seeds break a promise. The same seed is
always the same history: --seed N --verbose prints its last events. Planted bugs: ${BUGS.map(({ name }) => name).join("; ")}.
`;

const values = readOptions(USAGE, {
  seeds: { type: "string", default: "1000" },
  from: { type: "string", default: "1" },
  seed: { type: "string" },
  workers: { type: "string", default: String(Math.min(availableParallelism(), 8)) },
  bug: { type: "string" },
  verbose: { type: "boolean", default: false },
});

const firstLine = (text: string): string => text.split("\n", 1)[0] ?? "";

async function one(seed: number): Promise<boolean> {
  const remove = BUGS.find(({ name }) => name === values.bug)?.plant();
  const outcome = await simulate(seed, values.verbose);
  remove?.();
  if (values.verbose) console.log(outcome.history.join("\n"));
  console.log(`seed ${seed}: ${outcome.failure ?? "clean"}`);
  console.log(`${outcome.steps} steps, ${outcome.events} events in the log, digest ${outcome.digest}`);
  return outcome.failure === undefined;
}

async function many(from: number, count: number): Promise<boolean> {
  const startedAt = performance.now();
  let done = 0;
  let told = 0;
  const onMessage = (message: ShardMessage): void => {
    if ("failure" in message) console.log(`seed ${message.failure.seed}: ${firstLine(message.failure.reason)}`);
    if ("progress" in message) done += message.progress;
    if (done - told < count / 10) return;
    told = done;
    console.log(`${done} of ${count} seeds`);
  };
  const task = values.bug === undefined ? {} : { bug: values.bug };
  const report = await runSeeds({ from, count, workers: Number(values.workers), onMessage, ...task });
  const seconds = (performance.now() - startedAt) / 1_000;
  const { seeds, failures, steps, events } = report;
  console.log(
    `${seeds} seeds in ${seconds.toFixed(1)} s, ${failures.length} failed; ` +
      `${Math.round(steps / seeds)} steps and ${Math.round(events / seeds)} events in the log per seed`,
  );
  for (const { seed } of failures.slice(0, 10)) console.log(`  npm run simulate -- --seed ${seed} --verbose`);
  return failures.length === 0;
}

async function main(): Promise<boolean> {
  return values.seed === undefined ? many(Number(values.from), Number(values.seeds)) : one(Number(values.seed));
}

void main().then((clean) => (process.exitCode = clean ? 0 : 1));
