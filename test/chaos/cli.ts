import { readOptions } from "../../bin/command-line";
import { runChaos } from "./chaos";
import { runDeaths } from "./deaths";
import { runOutages } from "./outages";
import type { Outcome } from "./rehearsal";
import { chaosText, deathsText, outagesText } from "./report";
import { messageOf } from "../../lib/message-of";

const USAGE = `npm run chaos -- [--kills 100 | --core-kills N | --outages SECONDS]
                 [--minutes 60] [--rate 200] [--seed N]

Starts two gateways, two io nodes, three core nodes and two schedulers on
servers of their own, lets people talk, and asks the oracle at the end.
  --kills       kills one process after another, stores included (the default)
  --core-kills  kills core nodes alone, one at a time, and says how long
                anybody waited
  --outages     takes NATS, Redis and the document store away for so many
                seconds, each killed and then suspended
  --minutes     --kills ends after so long
  --rate        messages a second, as long as nothing is slow
  --seed        who is killed when; what happens then depends on the machine
`;

const values = readOptions(USAGE, {
  kills: { type: "string", default: "100" },
  "core-kills": { type: "string" },
  outages: { type: "string" },
  minutes: { type: "string", default: "60" },
  rate: { type: "string", default: "200" },
  seed: { type: "string", default: String(Date.now() % 1_000_000) },
});

function number(name: keyof typeof values): number {
  const value = Number(values[name]);
  if (!Number.isFinite(value) || value < 0) throw new Error(`--${name} ${values[name]} is no number\n\n${USAGE}`);
  return value;
}

async function run(): Promise<[Outcome, text: string]> {
  const common = { rate: number("rate"), seed: number("seed"), log: (line: string) => console.log(line) };
  if (values.outages !== undefined) {
    const report = await runOutages({ ...common, downSeconds: number("outages") });
    return [report, outagesText(report)];
  }
  if (values["core-kills"] !== undefined) {
    const report = await runDeaths({ ...common, kills: number("core-kills") });
    return [report, deathsText(report)];
  }
  const report = await runChaos({ ...common, kills: number("kills"), minutes: number("minutes") });
  return [report, chaosText(report)];
}

async function main(): Promise<void> {
  const [{ violations }, text] = await run();
  console.log(`\n${text}`);
  process.exitCode = violations.length > 0 ? 1 : 0;
}

main().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});
