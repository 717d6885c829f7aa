import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { startServers } from "../test/support/servers";
import { ParleyCluster } from "./cluster";
import { moleculerPeer, socketIoPeer } from "./cluster-peers";
import { Load } from "./generator/load";
import { median } from "./generator/stats";
import { circumstances, pinSelf, takePrecedence } from "./machine";
import { profile } from "./profile";
import { QUEUE_TITLE, queueFigures, WAITING } from "./queue";
import { figuresTable, type Outcome, table, writeSection } from "./report";
import { type Figures, type Scenario, SCENARIOS } from "./scenarios";
import { search } from "./search";
import { Parley, peer, type System } from "./systems";
import { type Workload, WORKLOADS } from "./workloads";

const USAGE = `npm run bench -- [W1] [W2] [W3] [W4] [W5] [W8] [W9] [--cluster] [--peer] [--profile] [--waiting <count>]
  W1 ... W9   workloads; without a name W1, W2 and W8, in a cluster all of them but W9
  --cluster   Parley as gateway, io and core processes with NATS, Redis and a MongoDB stand-in
  --peer      beside Parley, same load, same run: a bare Socket.IO server; in a cluster two processes of Socket.IO with
              the Redis adapter, and a moleculer-io gateway with a message service
  --waiting   sessions that wait in W9 (10,000); with fewer nothing is written down
  --profile   CPU profile of Parley at the rate found, by file and package (one process only)
Results replace those of the same workloads in docs/benchmarks.md.`;

const GENERATOR_CORE = 1;
const MEMORY_FOLDER = "/dev/shm";
const IDS = ["W1", "W2", "W3", "W4", "W5", "W8"];
/** The workload that is a support desk of its own. */
const QUEUE = "W9";
const print = (line: string): void => void process.stdout.write(`${line}\n`);

interface Wanted {
  readonly workloads: readonly Workload[];
  readonly scenarios: readonly Scenario[];
  readonly peers: boolean;
  readonly profile: boolean;
  readonly context: string;
}

async function main(): Promise<void> {
  const flag = { type: "boolean" } as const;
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { cluster: flag, peer: flag, profile: flag, help: flag, waiting: { type: "string" } },
  });
  const unknown = positionals.filter((name) => ![...IDS, QUEUE].includes(name));
  if (values.help || unknown.length > 0) {
    print(unknown.length > 0 ? `no such workload: ${unknown.join(", ")}\n${USAGE}` : USAGE);
    process.exit(unknown.length > 0 ? 2 : 0);
  }
  const names = positionals.length > 0 ? positionals : values.cluster ? IDS : ["W1", "W2", "W8"];
  takePrecedence();
  const context = circumstances(["npm run bench --", ...process.argv.slice(2)].join(" "));
  const wanted: Wanted = {
    workloads: WORKLOADS.filter(({ id }) => names.includes(id)),
    scenarios: SCENARIOS.filter(({ id }) => names.includes(id)),
    peers: values.peer === true,
    profile: values.profile === true,
    context,
  };
  if (names.includes(QUEUE)) await measureQueue(Number(values.waiting ?? WAITING), context);
  if (wanted.workloads.length + wanted.scenarios.length === 0) return;
  print(`${context}\nmaking users and conversations`);
  await (values.cluster ? inCluster(wanted) : embedded(wanted));
}

/** One process, whatever else is measured. */
async function measureQueue(waiting: number, context: string): Promise<void> {
  if (!Number.isInteger(waiting) || waiting < 1) throw new RangeError("--waiting takes a number of sessions");
  pinSelf(GENERATOR_CORE);
  print(`\n${QUEUE_TITLE}`);
  const text = figuresTable(QUEUE_TITLE, [["Parley", await queueFigures(waiting, print)]]);
  print(`\n${text}`);
  if (waiting >= WAITING) writeSection(QUEUE, `${context}\n\n${text}`);
}

async function embedded(wanted: Wanted): Promise<void> {
  const parley = await Parley.prepare(neededWorkloads(wanted));
  pinSelf(GENERATOR_CORE);
  try {
    await measureAll(wanted, wanted.peers ? [parley, peer] : [parley], "", wanted.profile ? parley : undefined);
  } finally {
    parley.remove();
  }
}

async function inCluster(wanted: Wanted): Promise<void> {
  pinSelf(GENERATOR_CORE);
  // The stand-in for MongoDB syncs every single update: on a disk that, and no system, is what would be measured.
  if (existsSync(MEMORY_FOLDER)) process.env["TMPDIR"] = MEMORY_FOLDER;
  const servers = await startServers({ mongoUri: process.env["MONGODB_URI"] });
  try {
    const parley = await ParleyCluster.prepare(servers, neededWorkloads(wanted));
    const peers = wanted.peers ? [socketIoPeer(servers), moleculerPeer(servers)] : [];
    await measureAll(wanted, [parley, ...peers], " cluster").finally(() => parley.remove());
  } finally {
    await servers.stop();
  }
}

/** Scenarios run in rooms of ten. */
const ROOMS_OF_TEN = WORKLOADS.filter(({ id }) => id === "W2").slice(0, 1);

const neededWorkloads = ({ workloads, scenarios }: Wanted): Workload[] => [
  ...new Set([...workloads, ...(scenarios.length > 0 ? ROOMS_OF_TEN : [])]),
];

async function measureAll(
  wanted: Wanted,
  systems: readonly System[],
  suffix: string,
  profiled?: System,
): Promise<void> {
  const sections = new Map<string, string[]>();
  const add = (name: string, text: string): void => {
    print(`\n${text}`);
    sections.set(name, [...(sections.get(name) ?? [wanted.context]), text]);
    writeSection(name, (sections.get(name) ?? []).join("\n\n"));
  };
  for (const workload of wanted.workloads) {
    const outcomes: Outcome[] = [];
    for (const system of systems) outcomes.push(await measure(system, workload));
    add(`${workload.id}${suffix}`, table(workload, outcomes));
    const rate = median(outcomes[0]?.runs.map((run) => run.rate) ?? []);
    if (profiled) add("profile", await profile(profiled, workload, rate, print));
  }
  for (const scenario of wanted.scenarios) {
    const columns: Array<readonly [string, Figures]> = [];
    for (const system of systems.filter(({ mostSockets = 1 }) => mostSockets >= scenario.sockets))
      columns.push([system.name, await play(system, scenario)]);
    if (columns.length > 0) add(`${scenario.id}${suffix}`, figuresTable(scenario.title, columns));
    else print(`\n${scenario.title}: needs --cluster`);
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

async function play(system: System, scenario: Scenario): Promise<Figures> {
  print(`\n${scenario.title}: ${system.name}`);
  const [workload] = ROOMS_OF_TEN;
  if (!workload) throw new Error("there is no workload with rooms of ten");
  const running = await system.start(workload, { sockets: scenario.sockets });
  try {
    return await scenario.run({ plan: running.plan, kill: () => running.kill?.() }, print);
  } finally {
    await running.stop();
  }
}

main().catch((error: unknown) => {
  const { code, message, stack } = error as NodeJS.ErrnoException;
  const misread = code?.startsWith("ERR_PARSE_ARGS") === true;
  process.stderr.write(`${misread ? `${message.split(". ", 1)[0]}.\n${USAGE}` : (stack ?? String(error))}\n`);
  process.exit(misread ? 2 : 1);
});
