/** `npm run stats:rebuild`: makes the statistics of all sessions afresh from the log. */
import { SingleBar } from "cli-progress";
import type { Result } from "../lib/contract";
import type { rebuild } from "../services/statistics/statistics.contract";
import { adminClient, SERVER_OPTIONS } from "./bulk/options";
import { belowBar, readOptions, runCommand } from "./command-line";

const USAGE = `npm run stats:rebuild -- [--restart] [--url https://chat.example.org] [--token-file file]

Has a running server make the statistics of all sessions afresh from the log, by the opening hours that topics have now.
It may be interrupted: started again it goes on. With --restart it begins with the first session.
`;
const OPTIONS = {
  restart: { type: "boolean", default: false },
  ...SERVER_OPTIONS,
} as const;

type Part = Result<typeof rebuild>;

async function main(): Promise<void> {
  const options = readOptions(USAGE, OPTIONS);
  const { client } = adminClient(options);
  const next = (restart: boolean) => client.ask<Part>("POST", "/statistics/rebuild", { restart });
  let part = await next(options.restart);
  const { startedAt } = part;
  const bar = new SingleBar({ format: "{bar} {percentage}% | {value} of {total} sessions | {eta_formatted} left" });
  bar.start(Math.max(part.total, part.done), part.done);
  // Another beginning: the answer to the last part was lost, and asking for it again began anew.
  while (!part.finished && part.startedAt === startedAt) {
    part = await next(false);
    if (part.startedAt === startedAt) bar.update(part.done);
  }
  bar.stop();
  process.stdout.write(
    `The statistics of ${part.startedAt === startedAt ? part.done : part.total} sessions are new.\n`,
  );
}

runCommand(main, belowBar);
