import fc from "fast-check";
import { isOpen, nextOpening, openMillisBetween, type OpeningHours } from "../../../services/topics/opening-hours";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const at = (time: string): number => Date.parse(time);

const everyDay = (from: string, to: string) => [1, 2, 3, 4, 5, 6, 7].map((day) => ({ day, from, to }));
const berlin = (weekly: OpeningHours["weekly"], holidays: string[] = []): OpeningHours => ({
  timeZone: "Europe/Berlin",
  weekly,
  holidays,
});
const OFFICE = berlin(everyDay("09:00", "17:00").slice(0, 5), ["2026-12-25"]);

/** What a clock on the wall shows: made from the parts that Intl writes, not from offsets. */
function openByTheWall({ timeZone, weekly, holidays }: OpeningHours, instant: number): boolean {
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "short" });
  const [date = "", time = ""] = format.format(instant).split(" ");
  const weekday = new Date(`${date}T12:00:00Z`).getUTCDay() || 7;
  if (holidays.includes(date)) return false;
  return weekly.some(({ day, from, to }) => day === weekday && from <= time && time < to);
}

describe("opening hours", () => {
  it.each([
    ["on a Friday at nine", "2026-11-20T08:00:00Z", true],
    ["just before", "2026-11-20T07:59:59.999Z", false],
    ["just before five", "2026-11-20T15:59:59.999Z", true],
    ["at five", "2026-11-20T16:00:00Z", false],
    ["on a Saturday", "2026-11-21T10:00:00Z", false],
    ["on a holiday", "2026-12-25T10:00:00Z", false],
    ["in summer, an hour earlier by UTC", "2026-07-17T07:00:00Z", true],
  ])("%s", (_when, time, open) => {
    expect(isOpen(OFFICE, at(time))).toBe(open);
  });

  it("open again on the next working day", () => {
    expect(nextOpening(OFFICE, at("2026-11-20T16:00:00Z"))).toBe(at("2026-11-23T08:00:00Z"));
    expect(nextOpening(OFFICE, at("2026-12-24T20:00:00Z"))).toBe(at("2026-12-28T08:00:00Z"));
    expect(nextOpening(OFFICE, at("2026-11-20T10:30:00Z"))).toBe(at("2026-11-20T10:30:00Z"));
  });

  it("that leave no hour open never open", () => {
    expect(nextOpening(berlin([]), at("2026-11-20T10:00:00Z"))).toBeUndefined();
    expect(openMillisBetween(berlin([]), 0, 1_000 * DAY_MS)).toBe(0);
  });

  it("open again after any number of holidays", () => {
    const first = at("2026-11-16T00:00:00Z");
    const mondays = Array.from({ length: 400 }, (_, week) =>
      new Date(first + week * 7 * DAY_MS).toISOString().slice(0, 10),
    );
    const hours = berlin([{ day: 1, from: "09:00", to: "10:00" }], mondays);
    const opens = nextOpening(hours, first) ?? 0;
    expect([isOpen(hours, opens), isOpen(hours, opens - 1), opens > first + 400 * 7 * DAY_MS]).toEqual([
      true,
      false,
      true,
    ]);
  });

  it("that are absent never close", () => {
    expect([isOpen(undefined, 5), nextOpening(undefined, 5), openMillisBetween(undefined, 5, 12)]).toEqual([
      true,
      5,
      7,
    ]);
    expect(openMillisBetween(undefined, 12, 5)).toBe(0);
  });

  it.each([
    ["2026-03-29", 23],
    ["2026-10-25", 25],
    ["2026-06-01", 24],
  ])("of all day have on %s %d hours", (date, hours) => {
    const whole = berlin(everyDay("00:00", "24:00"));
    const offset = { "2026-03-29": "+01:00", "2026-10-25": "+02:00", "2026-06-01": "+02:00" }[date];
    const from = at(`${date}T00:00:00${offset}`);
    expect(openMillisBetween({ ...whole, weekly: whole.weekly, holidays: [] }, from, from + hours * HOUR_MS)).toBe(
      hours * HOUR_MS,
    );
    const onlyThen = { ...whole, weekly: whole.weekly.filter(({ day }) => day === (new Date(date).getUTCDay() || 7)) };
    expect(openMillisBetween(onlyThen, from - 2 * DAY_MS, from + 4 * DAY_MS)).toBe(hours * HOUR_MS);
  });

  it("in an hour that the clocks skip are none, in one that they repeat two", () => {
    const night = berlin(everyDay("02:00", "03:00"));
    const [march, october] = [at("2026-03-28T23:00:00Z"), at("2026-10-24T22:00:00Z")];
    expect(openMillisBetween(night, march, march + 23 * HOUR_MS)).toBe(0);
    expect(openMillisBetween(night, october, october + 25 * HOUR_MS)).toBe(2 * HOUR_MS);
  });

  it("that overlap count once", () => {
    const hours = berlin([
      { day: 5, from: "12:00", to: "14:00" },
      { day: 5, from: "09:00", to: "13:00" },
      { day: 5, from: "14:00", to: "15:00" },
    ]);
    expect(openMillisBetween(hours, at("2026-11-20T00:00:00Z"), at("2026-11-21T00:00:00Z"))).toBe(6 * HOUR_MS);
  });
});

const minutes = fc.integer({ min: 0, max: 24 * 4 }).map((quarter) => quarter * 15);
const clock = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
const range = fc
  .tuple(fc.integer({ min: 1, max: 7 }), minutes, minutes)
  .filter(([, a, b]) => a !== b)
  .map(([day, a, b]) => ({ day, from: clock(Math.min(a, b)), to: clock(Math.max(a, b)) }));
/** Around changes of the clocks: in Lord Howe they are of half an hour, in Havana at midnight, in Apia a whole day. */
const places = fc.constantFrom<Array<[zone: string, date: string]>>(
  ["Europe/Berlin", "2026-03-29"],
  ["Europe/Berlin", "2026-10-25"],
  ["Australia/Lord_Howe", "2026-04-05"],
  ["America/Havana", "2026-11-01"],
  ["America/Havana", "2026-03-08"],
  ["Pacific/Apia", "2011-12-30"],
  ["Asia/Kathmandu", "2026-06-01"],
);
const dateNear = (date: string, days: number): string =>
  new Date(Date.parse(date) + days * DAY_MS).toISOString().slice(0, 10);
const near = fc.integer({ min: -3, max: 3 });
const worlds = fc
  .record({ place: places, weekly: fc.array(range, { maxLength: 8 }), days: fc.uniqueArray(near, { maxLength: 2 }) })
  .map(({ place: [timeZone, date], weekly, days }) => ({
    hours: { timeZone, weekly, holidays: days.map((day) => dateNear(date, day)) },
    middle: Date.parse(date),
  }));
const spans = fc.integer({ min: -4 * 24 * 60, max: 4 * 24 * 60 });
const RUNS = { numRuns: 200 };

describe("any opening hours", () => {
  it("are open when the clock on the wall says so", () => {
    fc.assert(
      fc.property(worlds, spans, ({ hours, middle }, minute) => {
        const instant = middle + minute * MINUTE_MS;
        expect(isOpen(hours, instant)).toBe(openByTheWall(hours, instant));
      }),
      { numRuns: 1_000 },
    );
  });

  it("are open between two instants for as long as they are open in each minute", () => {
    const hours48 = fc.integer({ min: 0, max: 48 * 60 });
    fc.assert(
      fc.property(worlds, fc.integer({ min: -36 * 60, max: 0 }), hours48, ({ hours, middle }, minute, length) => {
        const from = middle + minute * MINUTE_MS;
        let open = 0;
        for (let each = 0; each < length; each++) if (isOpen(hours, from + each * MINUTE_MS)) open += MINUTE_MS;
        expect(openMillisBetween(hours, from, from + length * MINUTE_MS)).toBe(open);
      }),
      { numRuns: 60 },
    );
  });

  it("add up, and never take time back", () => {
    const instants = fc.tuple(spans, spans, spans).map((found) => found.sort((a, b) => a - b));
    fc.assert(
      fc.property(worlds, instants, fc.nat(MINUTE_MS), ({ hours, middle }, [a = 0, b = 0, c = 0], ms) => {
        const [from, between, to] = [a, b, c].map((minute) => middle + minute * MINUTE_MS + ms) as [
          number,
          number,
          number,
        ];
        const whole = openMillisBetween(hours, from, to);
        expect(openMillisBetween(hours, from, between) + openMillisBetween(hours, between, to)).toBe(whole);
        expect(whole).toBeGreaterThanOrEqual(openMillisBetween(hours, from, between));
        expect(whole).toBeLessThanOrEqual(to - from);
        expect(openMillisBetween(hours, to, from)).toBe(0);
      }),
      RUNS,
    );
  });

  it("open next at the first open instant", () => {
    fc.assert(
      fc.property(worlds, spans, ({ hours, middle }, minute) => {
        const from = middle + minute * MINUTE_MS;
        const next = nextOpening(hours, from);
        if (next === undefined) return expect(hours.weekly).toEqual([]);
        expect(isOpen(hours, next)).toBe(true);
        expect(openMillisBetween(hours, from, next)).toBe(0);
      }),
      RUNS,
    );
  });
});
