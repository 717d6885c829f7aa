import type { Static } from "@sinclair/typebox";
import { offsetAt, stretchesOf } from "../../lib/time-zone";
import type { Hours } from "./topics.contract";

/**
 * When a topic is served. It is open while the clocks of its time zone show a time inside one of the day's ranges and
 * the day is no holiday: an hour that the clocks skip is nobody's, one that they repeat counts twice. Without opening
 * hours it is always open. Instants are wall-clock milliseconds.
 */
export type OpeningHours = Static<typeof Hours>;

/** Is it open at this instant? */
export function isOpen(hours: OpeningHours | undefined, at: number): boolean {
  if (!hours) return true;
  const local = at + offsetAt(hours.timeZone, at);
  return openWithin(scheduleOf(hours), local, local + 1) > 0;
}

/** The first instant from `at` on at which it is open; undefined when it never opens again. */
export function nextOpening(hours: OpeningHours | undefined, at: number): number | undefined {
  if (!hours) return at;
  const schedule = scheduleOf(hours);
  if (schedule.ranges.every((ranges) => ranges.length === 0)) return undefined;
  // A day of each week is not closed, unless it is a holiday or within what the clocks skip.
  const end = at + (schedule.holidays.size + SPARE_WEEKS) * 7 * DAY_MS;
  for (const { from, to, offset } of stretchesOf(hours.timeZone, at, end)) {
    for (const range of rangesWithin(schedule, from + offset, to + offset)) return range.from - offset;
  }
  return undefined;
}

/** For how many milliseconds it is open from `from` to `to`; 0 when `to` is not later. */
export function openMillisBetween(hours: OpeningHours | undefined, from: number, to: number): number {
  if (!hours) return Math.max(0, to - from);
  const schedule = scheduleOf(hours);
  let open = 0;
  for (const stretch of stretchesOf(hours.timeZone, from, to)) {
    open += openWithin(schedule, stretch.from + stretch.offset, stretch.to + stretch.offset);
  }
  return open;
}

const DAY_MS = 86_400_000;
const SPARE_WEEKS = 4;
/** The first of January 1970 was a Thursday. */
const FIRST_WEEKDAY = 4;

/** Milliseconds, without the end. */
interface Range {
  readonly from: number;
  readonly to: number;
}

interface Schedule {
  /** Of each weekday, Monday first: since midnight, in order, none touching the next. */
  readonly ranges: ReadonlyArray<readonly Range[]>;
  /** Days since 1970. */
  readonly holidays: ReadonlySet<number>;
}

const schedules = new WeakMap<OpeningHours, Schedule>();

function scheduleOf(hours: OpeningHours): Schedule {
  let schedule = schedules.get(hours);
  if (!schedule) schedules.set(hours, (schedule = compile(hours)));
  return schedule;
}

function compile({ weekly, holidays }: OpeningHours): Schedule {
  const ranges = Array.from({ length: 7 }, (_, index) =>
    merged(weekly.filter(({ day }) => day === index + 1).map(({ from, to }) => ({ from: msOf(from), to: msOf(to) }))),
  );
  return { ranges, holidays: new Set(holidays.map((date) => Date.parse(date) / DAY_MS)) };
}

/** `09:30` as milliseconds since midnight. */
function msOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  return (hours * 60 + minutes) * 60_000;
}

function merged(ranges: readonly Range[]): Range[] {
  const result: Range[] = [];
  for (const range of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = result.at(-1);
    if (last && range.from <= last.to) result.splice(-1, 1, { from: last.from, to: Math.max(last.to, range.to) });
    else result.push(range);
  }
  return result;
}

/** The open ranges between two times of the zone's own clocks, cut to them. */
function* rangesWithin({ ranges, holidays }: Schedule, from: number, to: number): Generator<Range> {
  for (let day = Math.floor(from / DAY_MS); day * DAY_MS < to; day++) {
    if (holidays.has(day)) continue;
    const weekday = (((day + FIRST_WEEKDAY - 1) % 7) + 7) % 7;
    for (const range of ranges[weekday] ?? []) {
      const cut = { from: Math.max(from, day * DAY_MS + range.from), to: Math.min(to, day * DAY_MS + range.to) };
      if (cut.from < cut.to) yield cut;
    }
  }
}

function openWithin(schedule: Schedule, from: number, to: number): number {
  let open = 0;
  for (const range of rangesWithin(schedule, from, to)) open += range.to - range.from;
  return open;
}
