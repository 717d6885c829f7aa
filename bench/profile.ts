import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { Load } from "./generator/load";
import { threadMicros } from "./generator/stats";
import type { Log } from "./search";
import type { System } from "./systems";
import type { Workload } from "./workloads";

/** The part of V8's CPU profile format that is read here. Times in microseconds of the monotonic clock. */
interface CpuProfile {
  nodes: Array<{ id: number; callFrame: { functionName: string; url: string } }>;
  startTime: number;
  samples: number[];
  timeDeltas: number[];
}

interface Window {
  readonly from: number;
  readonly to: number;
}

const TOP = 25;
const SECONDS = 6;
const WARM = 3;
const ROOT = join(__dirname, "..");
const NOT_WORK = new Set(["(idle)", "(root)"]);
const micros = (): number => Number(process.hrtime.bigint() / 1000n);

/**
 * Runs a system at `rate` messages a second under V8's sampling profiler. Its threads may use every core: on one core a
 * thread that wakes another is sampled where it waits for its turn.
 * @returns Markdown: CPU time by thread, and the samples of all JavaScript threads by file or package, self time
 */
export async function profile(system: System, workload: Workload, rate: number, log: Log): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "parley-profile-"));
  try {
    const nodeArguments = ["--cpu-prof", `--cpu-prof-dir=${folder}`];
    const running = await system.start(workload, { nodeArguments, spread: true });
    const load = await Load.open(running.plan);
    const [server] = running.plan.processes;
    const pid = server?.pid ?? 0;
    const before = threadMicros(pid);
    const from = micros() + WARM * 1_000_000;
    const result = await load.run(rate, SECONDS, WARM);
    const threads = threadTable(before, threadMicros(pid), result.sent);
    log(`  profiled ${result.ackRate.toFixed(0)} sends/s, ${result.cpuPerMessage.toFixed(0)} us per message`);
    load.close();
    await running.stop();
    const window = { from, to: from + (SECONDS - WARM) * 1_000_000 };
    const title = `### Where the time goes: ${workload.title}, ${Math.round(result.ackRate)} sends/s`;
    return [title, threads, shares(folder, window, result.ackRate)].join("\n\n");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function threadTable(before: Map<string, number>, after: Map<string, number>, messages: number): string {
  const lines = [...after]
    .map(([name, used]) => [name, (used - (before.get(name) ?? 0)) / messages] as const)
    .filter(([, micros]) => micros >= 1)
    .sort(([, a], [, b]) => b - a)
    .map(([name, micros]) => `| ${name} | ${micros.toFixed(0)} |`);
  return ["| thread | CPU us per message |", "| --- | ---: |", ...lines].join("\n");
}

function shares(folder: string, window: Window, rate: number): string {
  const self = new Map<string, number>();
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".cpuprofile")))
    addProfile(self, JSON.parse(readFileSync(join(folder, file), "utf8")) as CpuProfile, window);
  const total = [...self.values()].reduce((sum, value) => sum + value, 0);
  const messages = (rate * (window.to - window.from)) / 1_000_000;
  const lines = [...self]
    .sort(([, a], [, b]) => b - a)
    .slice(0, TOP)
    .map(([name, time]) => `| ${name} | ${((time / total) * 100).toFixed(1)} | ${(time / messages).toFixed(1)} |`);
  const head = ["| file or package | % of samples | us per message |", "| --- | ---: | ---: |"];
  return [...head, ...lines].join("\n");
}

function addProfile(self: Map<string, number>, cpuProfile: CpuProfile, window: Window): void {
  const names = new Map(cpuProfile.nodes.map(({ id, callFrame }) => [id, place(callFrame)]));
  let at = cpuProfile.startTime;
  for (const [index, id] of cpuProfile.samples.entries()) {
    const delta = cpuProfile.timeDeltas[index] ?? 0;
    at += delta;
    const name = names.get(id) ?? "(unknown)";
    if (at < window.from || at > window.to || NOT_WORK.has(name)) continue;
    self.set(name, (self.get(name) ?? 0) + delta);
  }
}

/** A project file by its path, a dependency by its package, the rest by what V8 calls it. */
function place({ url, functionName }: { url: string; functionName: string }): string {
  if (url === "") return functionName.startsWith("(") ? functionName : `native ${functionName}`;
  if (url.startsWith("node:")) return url.split("/")[0] ?? url;
  const path = relative(ROOT, url.replace("file://", ""));
  const [, dependency] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path) ?? [];
  return dependency ?? path;
}
