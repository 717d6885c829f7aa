import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { StepResult } from "./generator/load";
import { median } from "./generator/stats";
import type { Figures } from "./scenarios";
import { figure, held, type Workload } from "./workloads";

/** What one system showed in one workload: the best step of each run. */
export interface Outcome {
  readonly system: string;
  readonly runs: readonly StepResult[];
}

const PAGE = join(__dirname, "../docs/benchmarks.md");
const round = (value: number, digits = 0): string =>
  Number.isFinite(value) ? value.toLocaleString("en-US", { maximumFractionDigits: digits }) : "-";

/** Rows of the table: a title, the value of a run, and its digits. */
const rows = (workload: Workload): Array<readonly [string, (run: StepResult) => number, number]> => [
  [workload.unit, (run) => figure(workload, run), 0],
  ["messages/s offered", (run) => run.rate, 0],
  ["ack p50, ms", (run) => run.ack.p50, 1],
  ["ack p99, ms", (run) => run.ack.p99, 1],
  ["delivery p50, ms", (run) => run.delivery.p50, 1],
  ["delivery p99, ms", (run) => run.delivery.p99, 1],
  ...(workload.rooms.some((room) => room.fixedRate !== undefined)
    ? [["ack p99 in the quiet one, ms", (run: StepResult) => run.quiet.p99, 1] as const]
    : []),
  ["CPU us per message", (run) => run.cpuPerMessage, 0],
  ["CPU us per delivery", (run) => (run.cpuPerMessage * run.ackRate) / run.deliveryRate, 1],
  ["held the limits (1 yes, 0 no)", (run) => Number(held(workload, run)), 0],
  ["lost", (run) => run.lost, 0],
  ["generator, % of a core", (run) => run.generatorLoad * 100, 0],
];

/** A Markdown table: median and range over the runs, and the ratio of the first system to each of the others. */
export function table(workload: Workload, outcomes: readonly Outcome[]): string {
  const others = outcomes.slice(1);
  const head = ["", ...outcomes.map(({ system }) => system), ...others.map(({ system }) => `ratio to ${system}`)];
  const lines = rows(workload).map(([title, value, digits]) => {
    const medians = outcomes.map(({ runs }) => median(runs.map(value)));
    const cells = outcomes.map(({ runs }, at) => cell(medians[at] ?? Number.NaN, runs.map(value), digits));
    const ratios = medians.slice(1).map((other) => round((medians[0] ?? Number.NaN) / other, 2));
    return [title, ...cells, ...ratios];
  });
  return markdown(workload.title, [head, ...lines, ...processRows(outcomes)]);
}

/** CPU time by process, where there is more than one. */
function processRows(outcomes: readonly Outcome[]): string[][] {
  const names = new Set(outcomes.flatMap(({ runs }) => runs.flatMap((run) => Object.keys(run.cpuByProcess))));
  if (names.size < 2) return [];
  return [...names].map((name) => {
    const cells = outcomes.map(({ runs }) => {
      const values = runs.map((run) => run.cpuByProcess[name]).filter((value) => value !== undefined);
      return values.length === 0 ? "-" : cell(median(values), values, 0);
    });
    return [`CPU us per message: ${name}`, ...cells, ...outcomes.slice(1).map(() => "")];
  });
}

/** A Markdown table of a scenario: a column for each system. */
export function figuresTable(title: string, columns: ReadonlyArray<readonly [system: string, Figures]>): string {
  const head = ["", ...columns.map(([system]) => system)];
  const titles = columns[0]?.[1].map(([name]) => name) ?? [];
  const lines = titles.map((name, row) => [
    name,
    ...columns.map(([, figures]) => round(figures[row]?.[1] ?? Number.NaN, figures[row]?.[2] ?? 0)),
  ]);
  return markdown(title, [head, ...lines]);
}

function markdown(title: string, [head = [], ...lines]: ReadonlyArray<readonly string[]>): string {
  const all = [head, head.map((_, at) => (at === 0 ? "---" : "---:")), ...lines];
  return `### ${title}\n\n${all.map((line) => `| ${line.join(" | ")} |`).join("\n")}\n`;
}

function cell(middle: number, values: readonly number[], digits: number): string {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low === high
    ? round(middle, digits)
    : `${round(middle, digits)} (${round(low, digits)}-${round(high, digits)})`;
}

/** Replaces what lies between `<!-- name -->` and `<!-- /name -->` in docs/benchmarks.md. */
export function writeSection(name: string, text: string): void {
  if (!existsSync(PAGE)) return;
  const page = readFileSync(PAGE, "utf8");
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [page.indexOf(open), page.indexOf(close)];
  if (from < 0 || to < from) throw new Error(`docs/benchmarks.md has no place for ${name}`);
  writeFileSync(PAGE, `${page.slice(0, from + open.length)}\n\n${text.trim()}\n\n${page.slice(to)}`);
}
