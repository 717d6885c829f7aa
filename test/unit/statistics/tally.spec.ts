import fc from "fast-check";
import { documentOf } from "../../../services/statistics/measures";
import { type Period, periodsOf } from "../../../services/statistics/periods";
import { factsOf, type Segment, type SessionFacts } from "../../../services/statistics/session-facts";
import { type Question, Tally } from "../../../services/statistics/tally";
import { logs } from "./logs";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** A Monday. */
const MONDAY = Date.UTC(2026, 10, 16);
const NINE = MONDAY + 9 * HOUR;

/** Monday to Friday, 9 to 17. */
const weekdays = {
  timeZone: "UTC",
  weekly: [1, 2, 3, 4, 5].map((day) => ({ day: day as 1, from: "09:00", to: "17:00" })),
  holidays: [],
};

const nobody = { customer: 0, staff: 0 };
const waited = (from: number, to: number, takenBy: string): Segment => ({
  topic: "loan",
  from,
  began: "opened",
  to,
  ended: "assigned",
  takenBy,
  said: { customer: 1, staff: 0 },
});
const served = (agentId: string, from: number, to: number, more: Partial<Segment> = {}): Segment => ({
  topic: "loan",
  agentId,
  from,
  began: "claim",
  to,
  ended: "closed",
  said: { customer: 2, staff: 3 },
  ...more,
});
const session = (segments: readonly Segment[], more: Partial<SessionFacts> = {}): SessionFacts => ({
  customerId: "carl",
  openedAt: segments[0]?.from ?? 0,
  segments,
  dropped: 0,
  staff: [],
  ...more,
});

const WEEK: Period = { from: MONDAY, to: MONDAY + 7 * DAY };
const LATER = MONDAY + 30 * DAY;

function tallied(all: readonly SessionFacts[], question: Partial<Question> = {}) {
  const tally = new Tally({ periods: [WEEK], now: LATER, ...question });
  for (const facts of all) tally.add(documentOf("s", 1, facts, () => weekdays));
  return tally.view();
}

describe("statistics", () => {
  const solved = session([waited(NINE, NINE + 2 * MINUTE, "ada"), served("ada", NINE + 2 * MINUTE, NINE + HOUR)], {
    firstResponse: { at: NINE + 5 * MINUTE, topic: "loan", agentId: "ada" },
    rating: { at: NINE + 2 * HOUR, score: 4, topic: "loan", agentId: "ada" },
  });

  it("tell of a session how long everything took", () => {
    const [row] = tallied([solved]);
    expect(row).toMatchObject({ opened: 1, assigned: 1, closed: 1, active: 1, open: 0, abandoned: 0 });
    expect(row?.wait).toEqual({ count: 1, ...same(2 * MINUTE) });
    expect(row?.handle).toEqual({ count: 1, ...same(58 * MINUTE) });
    expect(row?.firstResponse).toEqual({ count: 1, ...same(5 * MINUTE) });
    expect(row?.rating).toEqual({ count: 1, average: 4 });
    expect(row?.messages).toEqual({ customer: 3, staff: 3 });
  });

  it("count in opening hours what took a night", () => {
    const friday = MONDAY + 4 * DAY;
    const [from, to] = [friday + 16 * HOUR, friday + 3 * DAY + 10 * HOUR];
    const [row] = tallied([session([waited(from, to, "ada"), served("ada", to, to + HOUR)])], {
      periods: [{ from: MONDAY, to: MONDAY + 14 * DAY }],
    });
    expect(row?.wait.wall.medianMs).toBe(66 * HOUR);
    expect(row?.wait.openingHours.medianMs).toBe(2 * HOUR);
  });

  it("tell what one agent did, and how long those sessions had waited", () => {
    const handed = session([
      waited(NINE, NINE + MINUTE, "ada"),
      served("ada", NINE + MINUTE, NINE + 3 * MINUTE, { ended: "transferred" }),
      served("ben", NINE + 3 * MINUTE, NINE + 10 * MINUTE, { began: "transferred", ended: "returned" }),
      { topic: "loan", from: NINE + 10 * MINUTE, began: "returned", said: nobody },
    ]);
    const rows = tallied([solved, handed], { per: "agent" });
    expect(rows.map(({ agentId }) => agentId)).toEqual(["ada", "ben"]);
    expect(rows[0]).toMatchObject({ assigned: 2, transferred: 1, closed: 1, wait: { count: 2 }, opened: 0, open: 0 });
    expect(rows[1]).toMatchObject({ assigned: 1, returned: 1, closed: 0, wait: { count: 0 }, handle: { count: 1 } });
    expect(tallied([solved, handed], { agentId: "ben" })[0]).toMatchObject({ assigned: 1, returned: 1, opened: 0 });
    expect(tallied([solved, handed])[0]).toMatchObject({ opened: 2, open: 1, assigned: 3 });
  });

  it("keep topics apart, also of one session", () => {
    const moved = session([
      { ...waited(NINE, NINE + MINUTE, "ada"), ended: "transferred" },
      served("ada", NINE + MINUTE, NINE + HOUR, { topic: "card" }),
    ]);
    const rows = tallied([moved], { per: "topic" });
    expect(rows.map(({ topic }) => topic)).toEqual(["card", "loan"]);
    expect(rows[0]).toMatchObject({ closed: 1, opened: 0, active: 1 });
    expect(rows[1]).toMatchObject({ closed: 0, opened: 1, transferred: 1 });
    expect(tallied([moved], { topic: "card" })[0]).toMatchObject({ closed: 1, opened: 0 });
  });

  it("tell of those whom nobody served", () => {
    const gone: Segment = {
      topic: "loan",
      from: NINE,
      began: "opened",
      to: NINE + HOUR,
      ended: "expired",
      said: nobody,
    };
    const [row] = tallied([session([gone])]);
    expect(row).toMatchObject({ abandoned: 1, expired: 1, closed: 1, noShow: 0, wait: { count: 0, wall: {} } });
  });

  it("count a session as open until now, and not in days to come", () => {
    const waiting: Segment = { topic: "loan", from: NINE, began: "opened", said: nobody };
    const periods = periodsOf("day", WEEK, "UTC", 10) ?? [];
    const rows = tallied([session([waiting])], { periods, now: MONDAY + 2 * DAY + HOUR });
    expect(rows.map(({ open }) => open)).toEqual([1, 1, 1, 0, 0, 0, 0]);
    expect(rows.map(({ active }) => active)).toEqual([1, 1, 1, 0, 0, 0, 0]);
  });

  it("count what happens when one period ends and the next begins in the next", () => {
    const midnight = MONDAY + DAY;
    const late = session([waited(midnight - HOUR, midnight, "ada"), served("ada", midnight, midnight + HOUR)]);
    const rows = tallied([late], { periods: periodsOf("day", WEEK, "UTC", 10) ?? [] });
    expect(rows.slice(0, 2).map(({ assigned, wait }) => [assigned, wait.count])).toEqual([
      [0, 0],
      [1, 1],
    ]);
  });

  it("add up to the same by day and in all", () => {
    const question = fc.record({ per: fc.constantFrom("topic", "agent", undefined), step: fc.constantFrom(1, 7, 50) });
    fc.assert(
      fc.property(fc.array(logs, { maxLength: 4 }), question, (given, { per, step }) => {
        const all = given.flatMap((log) => factsOf(log) ?? []);
        const length = step * MINUTE;
        const periods = Array.from({ length: 100 }, (_, n) => ({ from: n * length, to: (n + 1) * length }));
        const whole: Period = { from: 0, to: 100 * length };
        const asked = per === undefined ? {} : { per };
        expect(sums(tallied(all, { periods, ...asked }))).toEqual(sums(tallied(all, { periods: [whole], ...asked })));
      }),
    );
  });
});

const same = (ms: number) => {
  const times = { medianMs: ms, p90Ms: ms, totalMs: ms };
  return { wall: times, openingHours: times };
};

/** What each thing comes to over all rows; sessions that stand in several periods count in each. */
function sums(rows: ReturnType<typeof tallied>): Record<string, number> {
  const sum: Record<string, number> = {};
  const add = (name: string, n: number) => (sum[name] = (sum[name] ?? 0) + n);
  for (const { active: _active, open: _open, ...row } of rows) {
    for (const [name, value] of Object.entries(row)) if (typeof value === "number") add(name, value);
    for (const name of ["wait", "handle", "firstResponse"] as const) {
      add(name, row[name].count);
      add(`${name} ms`, row[name].wall.totalMs ?? 0);
    }
    add("ratings", row.rating.count);
    add("messages", row.messages.staff + row.messages.customer);
  }
  return sum;
}

describe("periods", () => {
  const zone = "Europe/Berlin";
  const iso = (periods: readonly Period[] | undefined) =>
    periods?.map(({ from, to }) => [from, to].map((at) => new Date(at).toISOString().slice(0, 16)));

  it("are days as the clocks of a place show them, also when those change", () => {
    const range = { from: Date.UTC(2026, 9, 24, 22), to: Date.UTC(2026, 9, 26, 23) };
    expect(iso(periodsOf("day", range, zone, 10))).toEqual([
      ["2026-10-24T22:00", "2026-10-25T23:00"],
      ["2026-10-25T23:00", "2026-10-26T23:00"],
    ]);
  });

  it("are weeks from Monday and months from the first, cut to what is asked", () => {
    const range = { from: Date.UTC(2026, 10, 18, 12), to: Date.UTC(2026, 10, 24) };
    expect(iso(periodsOf("week", range, "UTC", 10))).toEqual([
      ["2026-11-18T12:00", "2026-11-23T00:00"],
      ["2026-11-23T00:00", "2026-11-24T00:00"],
    ]);
    expect(iso(periodsOf("month", { from: Date.UTC(2026, 11, 31), to: Date.UTC(2027, 0, 2) }, "UTC", 10))).toEqual([
      ["2026-12-31T00:00", "2027-01-01T00:00"],
      ["2027-01-01T00:00", "2027-01-02T00:00"],
    ]);
  });

  it("follow each other without gaps, and are no more than asked for", () => {
    const instant = fc.integer({ min: 0, max: 2e12 });
    const zones = fc.constantFrom("UTC", zone, "America/Sao_Paulo", "Pacific/Apia", "Asia/Kathmandu", "Africa/Cairo");
    const step = fc.constantFrom("day" as const, "week" as const, "month" as const);
    fc.assert(
      fc.property(instant, fc.integer({ min: 1, max: 60 * DAY }), zones, step, (from, length, where, by) => {
        const periods = periodsOf(by, { from, to: from + length }, where, 62) ?? [];
        expect([periods[0]?.from, periods.at(-1)?.to]).toEqual([from, from + length]);
        for (const [index, { to }] of periods.slice(0, -1).entries()) {
          expect(periods[index + 1]?.from).toBe(to);
          expect(to).toBeGreaterThan(periods[index]?.from ?? Infinity);
        }
        expect(periodsOf(by, { from, to: from + length }, where, periods.length - 1)).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });
});
