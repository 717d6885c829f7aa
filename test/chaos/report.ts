import type { ChaosReport } from "./chaos";
import { type DeathsReport, WINDOW_MS } from "./deaths";
import type { OutagesReport } from "./outages";
import type { Outcome } from "./rehearsal";
import { PROMISES } from "./verdict";

const WIDTH = 80;

/** The words of a report, in lines of at most eighty characters. */
export const chaosText = (report: ChaosReport): string =>
  text(
    report,
    ...table(
      ["killed", "kills", "longest wait p50", "p95", "most"],
      Object.entries(report.recovery).map(([kind, { kills, p50, p95, longest }]) => [
        kind,
        kills,
        ...[p50, p95, longest].map(seconds),
      ]),
    ),
  );

export function deathsText(report: DeathsReport): string {
  const { deaths } = report;
  const [count, slow] = [sum(deaths.map(({ calls }) => calls.count)), sum(deaths.map(({ calls }) => calls.slow))];
  return text(
    report,
    ...table(
      ["killed", "longest wait", "sends", "slower than 1 s", "failed"],
      deaths.map(({ id, longestWait, calls, failed }) => [id, seconds(longestWait), calls.count, calls.slow, failed]),
    ),
    `in the ${WINDOW_MS / 1_000} s after a death ${slow} of ${count} sends (${share(slow, count)}) were slower than 1 s`,
  );
}

export const outagesText = (report: OutagesReport): string =>
  text(
    report,
    `each away for ${report.downSeconds} s:`,
    ...table(
      ["server", "", "errors", "first", "slowest", "silent", "acks", "1st ack", "all back"],
      report.outages.map((each) => [
        each.server,
        each.fault,
        each.errors,
        each.firstError === undefined ? "none" : seconds(each.firstError),
        seconds(each.slowestError),
        each.unanswered,
        each.acks,
        seconds(each.firstAck),
        seconds(each.recovered),
      ]),
    ),
  );

function text(outcome: Outcome, ...middle: string[]): string {
  const { seed, rate, kills, acks, calls, repeated, fenceHits, storeErrors, duplicates, ends } = outcome;
  const perSecond = Math.round(acks / outcome.seconds);
  const lines = [
    `seed ${seed}: ${kills.length} faults, ${acks} acks in ${Math.round(outcome.seconds)} s (${perSecond}/s; ${rate}/s asked for)`,
    "",
    ...middle,
    `all sends: p50 ${seconds(calls.p50)}, p99 ${seconds(calls.p99)}; ${calls.slow} of ${calls.count} (${share(calls.slow, calls.count)}) slower than 1 s`,
    "",
    `${fenceHits} fence hits, ${storeErrors} store errors; ${duplicates} events came again and were dropped`,
    ...(ends.length > 0 ? [`ended by themselves: ${ends.join(", ")}`] : []),
    "",
    ...table(
      ["repeated by clients", "times", "slowest"],
      Object.entries(repeated).map(([name, { count, longestMs }]) => [name, count, seconds(longestMs)]),
    ),
    ...oracle(outcome),
  ];
  return lines.flatMap((line) => wrapped(line)).join("\n");
}

function oracle({ violations }: Outcome): string[] {
  const rules = Object.entries(PROMISES).map(([rule, promise]) => {
    const broken = violations.filter((finding) => finding.rule === rule).length;
    return `${rule} ${broken === 0 ? "kept" : `BROKEN ${broken} times`}: ${promise}`;
  });
  return [
    `oracle: ${violations.length === 0 ? "clean" : `${violations.length} VIOLATIONS`}`,
    ...rules,
    ...violations.map(({ rule, detail }) => `${rule} ${detail}`),
  ];
}

type Cell = string | number;

/** Columns as wide as they must be; numbers and times to the right. */
function table(head: readonly string[], rows: ReadonlyArray<readonly Cell[]>): string[] {
  if (rows.length === 0) return [];
  const cells = [head, ...rows.map((row) => row.map(String))];
  const widths = head.map((_, at) => Math.max(...cells.map((row) => row[at]?.length ?? 0)));
  const isText = head.map((_, at) => rows.every((row) => typeof row[at] === "string" && !/^[\d.]/.test(row[at])));
  const line = (row: readonly string[]): string =>
    row.map((cell, at) => (isText[at] ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join("  ");
  return [...cells.map((row) => line(row).trimEnd()), ""];
}

/** A line of words in as many lines as it takes; those after the first are indented. */
function wrapped(line: string): string[] {
  const lines: string[] = [];
  let rest = line;
  while (rest.length > WIDTH) {
    const space = rest.lastIndexOf(" ", WIDTH);
    const end = space > 2 ? space : WIDTH;
    lines.push(rest.slice(0, end));
    rest = `  ${rest.slice(end).trimStart()}`;
  }
  return [...lines, rest];
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(ms < 100 ? 3 : 1)} s`;
const share = (part: number, all: number): string => `${((100 * part) / Math.max(1, all)).toFixed(2)} %`;
