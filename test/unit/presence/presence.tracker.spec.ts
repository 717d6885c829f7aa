import { MemoryKv } from "../../../lib/kv/memory";
import { GRACE_MS, LEASE_MS } from "../../../services/presence/presence.engine";
import { RENEW_MS } from "../../../services/presence/presence.internal";
import { PresenceTracker } from "../../../services/presence/presence.tracker";
import { VirtualClock } from "../../support/virtual-clock";

describe("presence tracker", () => {
  let clock: VirtualClock;
  let kv: MemoryKv;
  let told: Array<{ node: string; userId: string; status: string }>;
  const trackers: PresenceTracker[] = [];
  const start = (node = "n1"): PresenceTracker => {
    const tracker = new PresenceTracker({
      kv,
      clock,
      nodeId: node,
      announce: (userId, { status }) => {
        told.push({ node, userId, status });
        return Promise.resolve();
      },
      failed: (error) => {
        throw error;
      },
    });
    tracker.start();
    trackers.push(tracker);
    return tracker;
  };
  const statuses = (): string[] => told.map(({ status }) => status);

  beforeEach(() => {
    clock = new VirtualClock();
    kv = new MemoryKv({ clock });
    told = [];
  });
  afterEach(async () => {
    await Promise.all(trackers.splice(0).map((tracker) => tracker.stop()));
    await kv.close();
  });

  it("tells once that a user came, however many sockets there are", async () => {
    const tracker = start();
    await tracker.renew([
      { userId: "u", id: "a" },
      { userId: "u", id: "b" },
    ]);
    await tracker.renew([{ userId: "u", id: "a" }]);
    expect(statuses()).toEqual(["online"]);
    expect(await tracker.connected(10)).toEqual({
      total: 1,
      users: [{ userId: "u", status: "online", connections: 2 }],
    });
  });

  it("tells that a user is offline within two seconds of the last disconnect", async () => {
    const tracker = start();
    await tracker.renew([{ userId: "u", id: "a" }]);
    await tracker.release({ userId: "u", id: "a" });
    await clock.advance(GRACE_MS - 1);
    expect(statuses()).toEqual(["online"]);
    await clock.advance(2_000 - GRACE_MS);
    expect(statuses()).toEqual(["online", "offline"]);
    expect((await tracker.connected(10)).total).toBe(0);
  });

  it("does not flap when the user is back within the grace", async () => {
    const tracker = start();
    await tracker.renew([{ userId: "u", id: "a" }]);
    await tracker.release({ userId: "u", id: "a" });
    await clock.advance(GRACE_MS / 2);
    await tracker.renew([{ userId: "u", id: "b" }]);
    await clock.advance(10_000);
    expect(statuses()).toEqual(["online"]);
  });

  it("shows users of a node that died as offline when their leases end, and nobody before", async () => {
    const tracker = start();
    await tracker.renew([
      { userId: "dead", id: "a" },
      { userId: "alive", id: "b" },
    ]);
    for (let elapsed = 0; elapsed < LEASE_MS; elapsed += RENEW_MS) {
      await clock.advance(RENEW_MS);
      await tracker.renew([{ userId: "alive", id: "b" }]);
    }
    await clock.advance(2_000);
    expect(told.filter(({ status }) => status === "offline").map(({ userId }) => userId)).toEqual(["dead"]);
    expect(LEASE_MS).toBeGreaterThanOrEqual(75_000);
    expect(LEASE_MS + 1_000).toBeLessThanOrEqual(91_000);
  });

  it("is swept by one of several nodes, and by another one when that one stops", async () => {
    const first = start("n1");
    const second = start("n2");
    await second.renew([{ userId: "u", id: "a" }]);
    await second.release({ userId: "u", id: "a" });
    await clock.advance(2_000);
    expect(statuses()).toEqual(["online", "offline"]);
    await first.stop();
    await second.renew([{ userId: "v", id: "b" }]);
    await second.release({ userId: "v", id: "b" });
    await clock.advance(5_000);
    expect(told.filter(({ userId }) => userId === "v").map(({ status }) => status)).toEqual(["online", "offline"]);
  });

  it("tells what the user chose, and keeps it over a reconnect", async () => {
    const tracker = start();
    await tracker.renew([{ userId: "u", id: "a" }]);
    expect(await tracker.choose("u", "busy")).toEqual({ status: "busy" });
    await tracker.release({ userId: "u", id: "a" });
    await clock.advance(3_000);
    await tracker.renew([{ userId: "u", id: "b" }]);
    expect(statuses()).toEqual(["online", "busy", "offline", "busy"]);
  });

  it("forgets nothing when connections come and go at the same time", async () => {
    const tracker = start();
    await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        await tracker.renew([{ userId: "u", id: `c${n}` }]);
        if (n % 2 === 0) await tracker.release({ userId: "u", id: `c${n}` });
      }),
    );
    await clock.advance(5_000);
    expect((await tracker.connected(10)).users).toEqual([{ userId: "u", status: "online", connections: 25 }]);
    expect(statuses()).toEqual(["online"]);
  });
});
