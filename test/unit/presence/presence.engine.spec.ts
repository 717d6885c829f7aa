import fc from "fast-check";
import {
  chosen,
  dueAt,
  GRACE_MS,
  LEASE_MS,
  lost,
  type PresenceRecord,
  presenceOf,
  reasonOf,
  released,
  renewed,
  statusOf,
  transition,
  withoutExpired,
} from "../../../services/presence/presence.engine";

const NONE: PresenceRecord = { leases: {} };
const NOW = Date.UTC(2030, 0, 1);
const open = (record: PresenceRecord, id: string, now = NOW) => renewed(record, id, "io-1", now);
const close = (record: PresenceRecord, id: string, now = NOW) => released(record, id, "io-1", now);

describe("presence engine", () => {
  it("shows a user with a live connection as online, and offline when the last lease ended", () => {
    const record = open(NONE, "c1");
    expect(statusOf(record, NOW)).toBe("online");
    expect(statusOf(record, NOW + LEASE_MS - 1)).toBe("online");
    expect(presenceOf(record, NOW + LEASE_MS)).toEqual({ status: "offline", lastSeenAt: "2030-01-01T00:00:00.000Z" });
  });

  it("stays online while one of several connections lives", () => {
    const record = close(open(open(NONE, "c1"), "c2"), "c1");
    expect(statusOf(record, NOW + GRACE_MS)).toBe("online");
    expect(dueAt(record)).toBe(NOW + GRACE_MS);
  });

  it("does not flap when the user comes back within the grace", () => {
    const left = close({ ...open(NONE, "c1"), shown: "online" }, "c1");
    expect(transition(left, NOW)).toBeUndefined();
    const back = open(left, "c2", NOW + GRACE_MS / 2);
    expect(transition(back, NOW + GRACE_MS)).toBeUndefined();
  });

  it("tells the last clean disconnect after the grace, with the time of the disconnect", () => {
    const left = close({ ...open(NONE, "c1", NOW - 5_000), shown: "online" }, "c1");
    expect(transition(left, NOW + GRACE_MS)).toEqual({ status: "offline", lastSeenAt: "2030-01-01T00:00:00.000Z" });
  });

  it("lets the user's own choice win while connected, and remembers it", () => {
    const busy = chosen(open(NONE, "c1"), "busy", NOW);
    expect(statusOf(busy, NOW)).toBe("busy");
    expect(statusOf(busy, NOW + LEASE_MS)).toBe("offline");
    expect(statusOf(open(busy, "c2", NOW + LEASE_MS), NOW + LEASE_MS)).toBe("busy");
  });

  it("does not give away who only appears offline", () => {
    const hidden = chosen(open(NONE, "c1"), "offline", NOW);
    const later = close(open(hidden, "c1", NOW + 30_000), "c1", NOW + 40_000);
    expect(presenceOf(later, NOW + 40_000)).toEqual({ status: "offline", lastSeenAt: "2030-01-01T00:00:00.000Z" });
  });

  it("has nothing to tell about a user who was never there, nor of a connection that ended before", () => {
    expect(transition(NONE, NOW)).toBeUndefined();
    expect(dueAt(NONE)).toBeUndefined();
    const gone: PresenceRecord = { leases: {}, shown: "offline" };
    expect(close(gone, "c1")).toBe(gone);
  });

  it("tells that a user left of whom nothing is known: the others may still think that they are there", () => {
    const left = close(NONE, "c1");
    const shown = { ...left, shown: "online" as const };
    expect(transition(left, NOW)?.status).toBe("online");
    expect(transition(shown, NOW + GRACE_MS)?.status).toBe("offline");
  });

  it("ends the connections of a lost node and no others", () => {
    const record = renewed(open(open(NONE, "a"), "b"), "c", "io-2", NOW);
    const after = withoutExpired(lost(record, "io-1", NOW + 1), NOW + 1);
    expect(Object.keys(after.leases)).toEqual(["c"]);
    expect(statusOf(after, NOW + 1)).toBe("online");
    expect(statusOf(lost(after, "io-2", NOW + 2), NOW + 2)).toBe("offline");
  });

  it.each([
    ["connected", open(NONE, "c"), NOW],
    ["connected", chosen(open(NONE, "c"), "online", NOW), NOW],
    ["chosen", chosen(open(NONE, "c"), "away", NOW), NOW],
    ["chosen", chosen(open(NONE, "c"), "offline", NOW), NOW],
    ["left", close(open(NONE, "c"), "c"), NOW + GRACE_MS],
    ["node lost", lost(open(NONE, "c"), "io-1", NOW), NOW],
    ["left", lost(close(open(NONE, "c"), "c"), "io-1", NOW), NOW],
    ["lease ran out", open(NONE, "c"), NOW + LEASE_MS],
    ["never seen", NONE, NOW],
  ] as const)("knows the reason: %s", (reason, record, now) => {
    expect(reasonOf(record, now)).toBe(reason);
    expect(reasonOf(withoutExpired(record, now), now)).toBe(reason);
  });
});

describe("presence engine, of any history", () => {
  const step = fc.record({
    kind: fc.constantFrom("open", "close", "lose", "choose", "wait" as const),
    id: fc.integer({ min: 0, max: 3 }),
    node: fc.constantFrom("io-1", "io-2"),
    ms: fc.integer({ min: 0, max: LEASE_MS }),
  });

  it("shows a user as there exactly while a connection is open, or for a grace, and looked at when it changes", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let record: PresenceRecord = { leases: {}, shown: "offline" };
        let now = NOW;
        const ends = new Map<string, { until: number; node: string }>();
        for (const { kind, id: number, node, ms } of steps) {
          const id = `${node}-${number}`;
          const known = ends.get(id);
          if (kind === "wait") now += ms;
          if (kind === "open") {
            record = renewed(record, id, node, now);
            ends.set(id, { until: now + LEASE_MS, node });
          }
          if (kind === "close" && known && known.until > now) {
            record = released(record, id, node, now);
            ends.set(id, { until: Math.min(known.until, now + GRACE_MS), node });
          }
          if (kind === "lose") {
            record = lost(record, node, now);
            for (const end of ends.values()) if (end.node === node) end.until = Math.min(end.until, now);
          }
          const live = [...ends.values()].filter(({ until }) => until > now);
          expect(statusOf(record, now)).toBe(live.length > 0 ? "online" : "offline");
          record = withoutExpired(record, now);
          expect(statusOf(record, now)).toBe(live.length > 0 ? "online" : "offline");
          expect(dueAt(record)).toBe(live.length > 0 ? Math.min(...live.map(({ until }) => until)) : undefined);
        }
      }),
    );
  });
});
