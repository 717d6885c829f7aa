import fc from "fast-check";
import { isTimeZone, offsetAt, stretchesOf } from "../../../lib/time-zone";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe("a time zone", () => {
  it.each(["Europe/Berlin", "UTC", "Asia/Kathmandu", "America/St_Johns", "+05:30"])("%s is one", (name) => {
    expect(isTimeZone(name)).toBe(true);
  });

  it.each(["", "Berlin", "Europe/Berlin ", "GMT+25", "__proto__", "x".repeat(100), "\u0000"])("%j is none", (name) => {
    expect(isTimeZone(name)).toBe(false);
  });

  it.each([
    ["Europe/Berlin", "2026-01-15T12:00:00Z", 1],
    ["Europe/Berlin", "2026-07-15T12:00:00Z", 2],
    ["America/St_Johns", "2026-01-15T12:00:00Z", -3.5],
    ["Asia/Kathmandu", "2026-01-15T12:00:00Z", 5.75],
    ["Europe/London", "2026-01-15T12:00:00Z", 0],
    ["-02:30", "2026-01-15T12:00:00Z", -2.5],
  ])("%s is at %s ahead of UTC by %d hours", (zone, at, hours) => {
    expect(offsetAt(zone, Date.parse(at))).toBe(hours * HOUR_MS);
  });

  it("counts the seconds that clocks once differed by", () => {
    expect(offsetAt("Africa/Monrovia", Date.parse("1970-01-01T00:00:00Z"))).toBe(-(44 * 60 + 30) * 1_000);
  });

  it("changes its clocks at the very instant that is law", () => {
    const change = Date.parse("2026-03-29T01:00:00Z");
    const stretches = [...stretchesOf("Europe/Berlin", change - HOUR_MS, change + HOUR_MS)];
    expect(stretches).toEqual([
      { from: change - HOUR_MS, to: change, offset: HOUR_MS },
      { from: change, to: change + HOUR_MS, offset: 2 * HOUR_MS },
    ]);
  });

  it("is in stretches without gaps, each of one offset", () => {
    const zones = fc.constantFrom("Europe/Berlin", "Australia/Lord_Howe", "America/Havana", "Africa/Casablanca", "UTC");
    const from = fc.integer({ min: Date.parse("2020-01-01"), max: Date.parse("2030-01-01") });
    const length = fc.integer({ min: 0, max: 400 * DAY_MS });
    fc.assert(
      fc.property(zones, from, length, (zone, start, ms) => {
        let end = start;
        for (const { from: first, to, offset } of stretchesOf(zone, start, start + ms)) {
          expect([first, to > first]).toEqual([end, true]);
          expect([offsetAt(zone, first), offsetAt(zone, to - 1)]).toEqual([offset, offset]);
          end = to;
        }
        expect(end).toBe(start + ms);
      }),
      { numRuns: 50 },
    );
  });
});
