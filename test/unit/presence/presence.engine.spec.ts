import {
  chosen,
  dueAt,
  GRACE_MS,
  LEASE_MS,
  type PresenceRecord,
  presenceOf,
  released,
  renewed,
  statusOf,
  transition,
} from "../../../services/presence/presence.engine";

const NONE: PresenceRecord = { leases: {} };
const NOW = Date.UTC(2030, 0, 1);

describe("presence engine", () => {
  it("shows a user with a live connection as online, and offline when the last lease ended", () => {
    const record = renewed(NONE, "c1", NOW);
    expect(statusOf(record, NOW)).toBe("online");
    expect(statusOf(record, NOW + LEASE_MS - 1)).toBe("online");
    expect(presenceOf(record, NOW + LEASE_MS)).toEqual({ status: "offline", lastSeenAt: "2030-01-01T00:00:00.000Z" });
  });

  it("stays online while one of several connections lives", () => {
    const record = released(renewed(renewed(NONE, "c1", NOW), "c2", NOW), "c1", NOW);
    expect(statusOf(record, NOW + GRACE_MS)).toBe("online");
    expect(dueAt(record)).toBe(NOW + GRACE_MS);
  });

  it("does not flap when the user comes back within the grace", () => {
    const left = released({ ...renewed(NONE, "c1", NOW), shown: "online" }, "c1", NOW);
    expect(transition(left, NOW)).toBeUndefined();
    const back = renewed(left, "c2", NOW + GRACE_MS / 2);
    expect(transition(back, NOW + GRACE_MS)).toBeUndefined();
  });

  it("tells the last clean disconnect after the grace, with the time of the disconnect", () => {
    const left = released({ ...renewed(NONE, "c1", NOW - 5_000), shown: "online" }, "c1", NOW);
    expect(transition(left, NOW + GRACE_MS)).toEqual({ status: "offline", lastSeenAt: "2030-01-01T00:00:00.000Z" });
  });

  it("lets the user's own choice win while connected, and remembers it", () => {
    const busy = chosen(renewed(NONE, "c1", NOW), "busy", NOW);
    expect(statusOf(busy, NOW)).toBe("busy");
    expect(statusOf(busy, NOW + LEASE_MS)).toBe("offline");
    expect(statusOf(renewed(busy, "c2", NOW + LEASE_MS), NOW + LEASE_MS)).toBe("busy");
  });

  it("does not give away who only appears offline", () => {
    const hidden = chosen(renewed(NONE, "c1", NOW), "offline", NOW);
    const later = released(renewed(hidden, "c1", NOW + 30_000), "c1", NOW + 40_000);
    expect(presenceOf(later, NOW + 40_000)).toEqual({ status: "offline", lastSeenAt: "2030-01-01T00:00:00.000Z" });
  });

  it("has nothing to tell about a user who was never there", () => {
    expect(transition(NONE, NOW)).toBeUndefined();
    expect(released(NONE, "c1", NOW)).toBe(NONE);
    expect(dueAt(NONE)).toBeUndefined();
  });
});
