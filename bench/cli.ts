import { parseArgs } from "node:util";
import { Load } from "./generator/load";
import { median } from "./generator/stats";
import { circumstances, pinSelf, takePrecedence } from "./machine";
import { profile } from "./profile";
import { type Outcome, table, writeSection } from "./report";
import { search } from "./search";
import { Parley, peer, type System } from "./systems";
import { type Workload, WORKLOADS } from "./workloads";

const USAGE = `npm run bench -- [W1] [W2] [W8] [--peer] [--profile]
  W1, W2, W8  workloads; all of them when none is named
  --peer      the bare Socket.IO server beside Parley, same load, same run
  --profile   CPU profile of Parley at the rate found, by file and package
Results replace those of the same workloads in docs/benchmarks.md.`;

const GENERATOR_CORE = 1;
const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { peer: { type: "boolean" }, profile: { type: "boolean" }, help: { type: "boolean" } },
  });
  const names = positionals.length > 0 ? positionals : ["W1", "W2", "W8"];
  const unknown = names.filter((name) => !WORKLOADS.some(({ id }) => id === name));
  if (values.help || unknown.length > 0) {
    print(unknown.length > 0 ? `no such workload: ${unknown.join(", ")}\n${USAGE}` : USAGE);
    process.exit(unknown.length > 0 ? 2 : 0);
  }
  const workloads = WORKLOADS.filter(({ id }) => names.includes(id));
  takePrecedence();
  const context = circumstances(["npm run bench --", ...process.argv.slice(2)].join(" "));
  print(`${context}\nmaking users and conversations`);
  const parley = await Parley.prepare(workloads);
  pinSelf(GENERATOR_CORE);
  try {
    await measureAll(workloads, values.peer ? [parley, peer] : [parley], context, values.profile ? parley : undefined);
  } finally {
    parley.remove();
  }
}

async function measureAll(
  workloads: readonly Workload[],
  systems: readonly System[],
  context: string,
  profiled: System | undefined,
): Promise<void> {
  const sections = new Map<string, string[]>();
  const add = (name: string, text: string): void => {
    print(`\n${text}`);
    sections.set(name, [...(sections.get(name) ?? [context]), text]);
    writeSection(name, (sections.get(name) ?? []).join("\n\n"));
  };
  for (const workload of workloads) {
    const outcomes: Outcome[] = [];
    for (const system of systems) outcomes.push(await measure(system, workload));
    add(workload.id, table(workload, outcomes));
    const rate = median(outcomes[0]?.runs.map((run) => run.rate) ?? []);
    if (profiled) add("profile", await profile(profiled, workload, rate, print));
  }
}

async function measure(system: System, workload: Workload): Promise<Outcome> {
  print(`\n${workload.title}: ${system.name}`);
  const running = await system.start(workload);
  try {
    const load = await Load.open(running.plan);
    const runs = await search(load, workload, print);
    load.close();
    return { system: system.name, runs };
  } finally {
    await running.stop();
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
});
