import fc from "fast-check";
import {
  type AgentStanding,
  AVAILABILITIES,
  type AvailabilityRules,
  availabilityOf,
} from "../../../services/agents/availability";

const NOW = Date.UTC(2030, 0, 1);
const MINUTE = 60_000;
const RULES: AvailabilityRules = { awayMs: 10 * MINUTE, graceMs: MINUTE };
const online: AgentStanding = { availability: "online", since: NOW };
const at = (agent: AgentStanding, now: number) => availabilityOf(agent, now, RULES);

describe("an agent's availability", () => {
  it.each(AVAILABILITIES)("is what the agent chose: %s", (availability) => {
    const expected = { availability, reason: "chosen", since: NOW, takes: availability === "online" };
    expect(at({ ...online, availability }, NOW)).toEqual(expected);
  });

  it("is away after silence, and online again with the next sign of life", () => {
    expect(at(online, NOW + 10 * MINUTE - 1)).toMatchObject({ availability: "online", takes: true });
    const silent = { availability: "away", reason: "silent", since: NOW + 10 * MINUTE, takes: false };
    expect(at(online, NOW + 15 * MINUTE)).toEqual(silent);
    const heard = { ...online, lastActiveAt: NOW + 14 * MINUTE };
    expect(at(heard, NOW + 15 * MINUTE)).toMatchObject({ availability: "online", reason: "chosen", takes: true });
  });

  it("is not changed by silence when the agent is busy, or when silence is not looked at", () => {
    expect(at({ ...online, availability: "busy" }, NOW + 60 * MINUTE)).toMatchObject({ availability: "busy" });
    const never = { ...RULES, awayMs: 0 };
    expect(availabilityOf(online, NOW + 600 * MINUTE, never)).toMatchObject({ availability: "online", takes: true });
  });

  it("stays as it was within the grace after the last connection, but takes nothing new", () => {
    const absent = { ...online, absentSince: NOW + 1_000 };
    const within = { availability: "online", reason: "reconnecting", since: NOW, takes: false };
    expect(at(absent, NOW + MINUTE)).toEqual(within);
    const gone = { availability: "offline", reason: "gone", since: NOW + MINUTE + 1_000, takes: false };
    expect(at(absent, NOW + MINUTE + 1_000)).toEqual(gone);
  });

  const time = fc.integer({ min: 0, max: 40 * MINUTE }).map((ms) => NOW + ms);
  const standing = fc.record(
    {
      availability: fc.constantFrom(...AVAILABILITIES),
      since: time,
      lastActiveAt: time,
      absentSince: time,
    },
    { requiredKeys: ["availability", "since"] },
  );
  const rules = fc.record({ awayMs: fc.integer({ min: 0, max: 20 * MINUTE }), graceMs: fc.nat(20 * MINUTE) });

  it("takes sessions only from an agent who is online, heard of and connected", () => {
    fc.assert(
      fc.property(standing, rules, time, (agent, given, now) => {
        const { takes, availability } = availabilityOf(agent, now, given);
        if (!takes) return;
        expect(availability).toBe("online");
        expect(agent.availability).toBe("online");
        expect(agent.absentSince).toBeUndefined();
        const heardAt = Math.max(agent.since, agent.lastActiveAt ?? 0);
        expect(given.awayMs === 0 || now - heardAt < given.awayMs).toBe(true);
      }),
    );
  });

  it("is never more than the agent chose, and never grows by itself", () => {
    const rank = (availability: string) => ["online", "busy", "away", "offline"].indexOf(availability);
    fc.assert(
      fc.property(standing, rules, time, time, (agent, given, a, b) => {
        const [earlier, later] = [Math.min(a, b), Math.max(a, b)].map((now) => availabilityOf(agent, now, given));
        expect(rank(later?.availability ?? "")).toBeGreaterThanOrEqual(rank(earlier?.availability ?? ""));
        expect(rank(earlier?.availability ?? "")).toBeGreaterThanOrEqual(rank(agent.availability));
      }),
    );
  });

  it("is as if nothing had been when the agent comes back within the grace", () => {
    fc.assert(
      fc.property(standing, rules, time, ({ absentSince: _absentSince, ...back }, given, now) => {
        const absent = availabilityOf({ ...back, absentSince: now }, now, { ...given, graceMs: 1 });
        const after = availabilityOf(back, now, given);
        expect(absent.availability).toBe(after.availability);
        expect(after.reason).not.toBe("gone");
      }),
    );
  });
});
