import { keepNewest } from "./keep-newest";

/** Time in a place: what its clocks differ from UTC by, and when that changes. All times are wall-clock milliseconds. */

const DAY_MS = 86_400_000;
/** There are about 600 names; with their aliases and other spellings no more are kept. */
const MAX_FORMATS = 1_000;
const OFFSET = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/;

const formats = new Map<string, Intl.DateTimeFormat>();

/** Is this a time zone: a name of the IANA database (`Europe/Berlin`) or an offset (`+05:30`)? */
export function isTimeZone(name: string): boolean {
  try {
    formatOf(name);
    return true;
  } catch {
    return false;
  }
}

/** What is added to UTC to get the time of a zone's clocks, in milliseconds. @throws RangeError for no time zone */
export function offsetAt(zone: string, at: number): number {
  const [, sign, hours, minutes, seconds = 0] = OFFSET.exec(formatOf(zone).format(at)) ?? [];
  const ms = ((Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60 + Number(seconds)) * 1_000;
  return sign === "-" ? -ms : ms;
}

/** A stretch of time, without its end, in which the clocks of a zone differ from UTC by the same. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  /** Milliseconds. */
  readonly offset: number;
}

/**
 * The time from `from` to `to` in stretches of a day at most, in order and without gaps. A zone that changes its clocks
 * twice within 24 hours is not looked for.
 */
export function* stretchesOf(zone: string, from: number, to: number): Generator<Stretch> {
  let start = from;
  let offset = offsetAt(zone, from);
  while (start < to) {
    const end = Math.min(start + DAY_MS, to);
    const next = offsetAt(zone, end);
    const change = next === offset ? end : changeBetween(zone, start, end);
    yield { from: start, to: change, offset };
    start = change;
    offset = next;
  }
}

/** The first instant after `from`, `to` at the latest, at which the clocks are as they are at `to`. */
function changeBetween(zone: string, from: number, to: number): number {
  const after = offsetAt(zone, to);
  let [before, changed] = [from, to];
  while (changed - before > 1) {
    const middle = Math.floor((before + changed) / 2);
    if (offsetAt(zone, middle) === after) changed = middle;
    else before = middle;
  }
  return changed;
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known) return known;
  const made = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset", hour: "numeric" });
  formats.set(zone, made);
  keepNewest(formats, MAX_FORMATS);
  return made;
}
