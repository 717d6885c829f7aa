import { parseArgs } from "node:util";
import { type ChaosReport, runChaos } from "./chaos";

const USAGE = `npm run chaos -- [--kills 100] [--minutes 60] [--rate 200] [--seed N]

Starts two gateways, two io nodes, three core nodes and two schedulers on servers of their own, lets people talk, kills
one process after another with SIGKILL, stores included, and asks the oracle at the end. The seed decides who is killed
when; what happens then depends on the machine too.`;

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "100" },
    minutes: { type: "string", default: "60" },
    rate: { type: "string", default: "200" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    help: { type: "boolean", default: false },
  },
});

const round = (ms: number): string => String(Math.round(ms));

function lines(report: ChaosReport): string[] {
  const { calls, recovery, violations } = report;
  return [
    `seed ${report.seed}: ${report.kills} kills, ${report.acks} acks in ${round(report.seconds)} s`,
    ...Object.entries(recovery).map(
      ([kind, { kills, p50, p95, longest }]) =>
        `  ${kind.padEnd(9)} ${String(kills).padStart(3)} kills; longest wait p50 ${round(p50)} ms, p95 ${round(p95)} ms, most ${round(longest)} ms`,
    ),
    `  calls p50 ${round(calls.p50)} ms, p99 ${round(calls.p99)} ms; ${calls.slow} slower than 1 s`,
    `  fence hits ${report.fenceHits}, store errors ${report.storeErrors}, events seen again and dropped ${report.duplicates}`,
    ...Object.entries(report.repeated).map(
      ([name, { count, longestMs }]) => `  repeated ${name}: ${count}, after ${round(longestMs)} ms at most`,
    ),
    `  claims refused and done later: ${report.lateClaims}`,
    ...(report.ends.length > 0 ? [`  ended by themselves: ${report.ends.join(", ")}`] : []),
    ...(violations.length > 0 ? violations : ["  oracle: clean"]),
  ];
}

async function main(): Promise<void> {
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const number = (name: "kills" | "minutes" | "rate" | "seed"): number => {
    const value = Number(values[name]);
    if (!Number.isFinite(value) || value < 0) throw new Error(`--${name} ${values[name]} is no number\n${USAGE}`);
    return value;
  };
  const [kills, minutes, rate, seed] = [number("kills"), number("minutes"), number("rate"), number("seed")];
  const report = await runChaos({ kills, minutes, rate, seed, log: (line) => console.log(line) });
  console.log(lines(report).join("\n"));
  process.exitCode = report.violations.length > 0 ? 1 : 0;
}

main().catch((error: unknown) => {
  console.error(String(error));
  process.exitCode = 1;
});
