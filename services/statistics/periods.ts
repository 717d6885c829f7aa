import { offsetAt } from "../../lib/time-zone";

export const STEPS = ["day", "week", "month", "total"] as const;
export type Step = (typeof STEPS)[number];

/** A time without its end, in wall-clock milliseconds. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

const DAY_MS = 86_400_000;

/**
 * The time from `from` to `to` in days, weeks (from Monday) or months of a time zone, in order and without gaps; the
 * first and the last are cut to it. Undefined when there are more than `most`. Pure.
 */
export function periodsOf(step: Step, { from, to }: Period, zone: string, most: number): Period[] | undefined {
  if (from >= to) return [];
  if (step === "total") return [{ from, to }];
  const periods: Period[] = [];
  for (let start = from; start < to;) {
    if (periods.length === most) return undefined;
    const end = Math.min(nextStart(step, start, zone), to);
    periods.push({ from: start, to: end });
    start = end;
  }
  return periods;
}

/** When the day, week or month after this instant's begins. */
function nextStart(step: Exclude<Step, "total">, at: number, zone: string): number {
  const local = new Date(at + offsetAt(zone, at));
  const [year, month, day] = [local.getUTCFullYear(), local.getUTCMonth(), local.getUTCDate()];
  if (step === "month") return instantOf(Date.UTC(year, month + 1, 1), zone);
  const weekday = (local.getUTCDay() + 6) % 7;
  const days = step === "day" ? 1 : 7 - weekday;
  const next = instantOf(Date.UTC(year, month, day + days), zone);
  // Clocks that go back over midnight show the same day's beginning twice.
  return next > at ? next : at + DAY_MS;
}

/** The instant at which a zone's clocks show this time; a later one when they skip it. */
function instantOf(local: number, zone: string): number {
  const guess = local - offsetAt(zone, local);
  return local - offsetAt(zone, guess);
}
