import type { Kv } from "../../../lib/kv/kv";
import { MemoryKv } from "../../../lib/kv/memory";
import { NODE_GRACE_MS } from "../../../services/presence/lost-nodes";
import { GRACE_MS, LEASE_MS } from "../../../services/presence/presence.engine";
import { RENEW_MS } from "../../../services/presence/presence.internal";
import { PresenceTracker } from "../../../services/presence/presence.tracker";
import { SeededRandom, VirtualClock } from "../../support/virtual-clock";

const IO = "io-1";
const ref = (userId: string, id: string) => ({ userId, id });

describe("presence tracker", () => {
  let clock: VirtualClock;
  let kv: MemoryKv;
  let told: Array<{ node: string; userId: string; status: string }>;
  let gone: Set<string>;
  let censuses: number;
  const trackers: PresenceTracker[] = [];
  const start = (node = "n1", port: Kv = kv, timers: VirtualClock = clock): PresenceTracker => {
    const tracker = new PresenceTracker({
      kv: port,
      clock: timers,
      monotonic: () => clock.now(),
      nodeId: node,
      isGone: (io) => gone.has(io),
      takeCensus: () => Promise.resolve(void censuses++),
      announce: (userId, { status }) => {
        told.push({ node, userId, status });
        return Promise.resolve();
      },
      failed: (error) => {
        throw error;
      },
      worked: () => undefined,
    });
    tracker.start();
    trackers.push(tracker);
    return tracker;
  };
  const opened = (tracker: PresenceTracker, userId: string, id: string, node = IO): Promise<void> =>
    tracker.report({ node, opened: [ref(userId, id)], closed: [] });
  const closed = (tracker: PresenceTracker, userId: string, id: string, node = IO): Promise<void> =>
    tracker.report({ node, opened: [], closed: [ref(userId, id)] });
  const statuses = (userId?: string): string[] =>
    told.filter((one) => userId === undefined || one.userId === userId).map(({ status }) => status);

  beforeEach(() => {
    clock = new VirtualClock();
    kv = new MemoryKv({ clock });
    told = [];
    gone = new Set();
    censuses = 0;
  });
  afterEach(async () => {
    await during(clock, Promise.all(trackers.splice(0).map((tracker) => tracker.stop())));
    await kv.close();
  });

  it("tells once that a user came, however many sockets there are", async () => {
    const tracker = start();
    await tracker.report({ node: IO, opened: [ref("u", "a"), ref("u", "b")], closed: [] });
    await opened(tracker, "u", "a");
    expect(statuses()).toEqual(["online"]);
    expect(await tracker.connected(10)).toEqual({
      total: 1,
      users: [{ userId: "u", status: "online", connections: 2, reason: "connected" }],
    });
  });

  it("tells that a user is offline also when the node that let them in ended while it wrote so", async () => {
    const dying = Object.assign(Object.create(kv) as MemoryKv, {
      hashSet: async (...args: Parameters<Kv["hashSet"]>) => {
        await kv.hashSet(...args);
        throw new Error("the node ended");
      },
    });
    const first = start("n1", dying);
    await expect(opened(first, "u", "a")).rejects.toThrow("the node ended");
    await during(clock, first.stop());
    start("n2");
    await clock.advance(LEASE_MS + 2_000);
    expect(statuses("u")).toEqual(["offline"]);
    expect((await kv.hashRead("presence:user:u"))["shown"]).toBe("offline");
  });

  it("tells that a user is offline within two seconds of the last disconnect", async () => {
    const tracker = start();
    await opened(tracker, "u", "a");
    await closed(tracker, "u", "a");
    await clock.advance(GRACE_MS - 1);
    expect(statuses()).toEqual(["online"]);
    await clock.advance(2_000 - GRACE_MS);
    expect(statuses()).toEqual(["online", "offline"]);
    expect((await tracker.connected(10)).total).toBe(0);
    expect((await tracker.explain("u")).reason).toBe("left");
  });

  it("does not flap when the user is back within the grace", async () => {
    const tracker = start();
    await opened(tracker, "u", "a");
    await closed(tracker, "u", "a");
    await clock.advance(GRACE_MS / 2);
    await opened(tracker, "u", "b");
    await clock.advance(10_000);
    expect(statuses()).toEqual(["online"]);
  });

  it("shows users whom nobody renews as offline when their leases end, and nobody before", async () => {
    const tracker = start();
    await tracker.report({ node: IO, opened: [ref("dead", "a"), ref("alive", "b")], closed: [] });
    for (let elapsed = 0; elapsed < LEASE_MS; elapsed += RENEW_MS) {
      await clock.advance(RENEW_MS);
      await opened(tracker, "alive", "b");
    }
    await clock.advance(2_000);
    expect(told.filter(({ status }) => status === "offline").map(({ userId }) => userId)).toEqual(["dead"]);
    expect((await tracker.explain("dead")).reason).toBe("lease ran out");
    expect(LEASE_MS).toBeGreaterThanOrEqual(75_000);
    expect(LEASE_MS).toBeLessThanOrEqual(90_000);
  });

  it("is swept by one of several nodes, and by another one when that one stops", async () => {
    const first = start("n1");
    const second = start("n2");
    await opened(second, "u", "a");
    await closed(second, "u", "a");
    await clock.advance(2_000);
    expect(statuses()).toEqual(["online", "offline"]);
    await first.stop();
    await opened(second, "v", "b");
    await closed(second, "v", "b");
    await clock.advance(5_000);
    expect(statuses("v")).toEqual(["online", "offline"]);
  });

  it("tells what the user chose, and keeps it over a reconnect", async () => {
    const tracker = start();
    await opened(tracker, "u", "a");
    expect(await tracker.choose("u", "busy")).toEqual({ status: "busy" });
    expect(await tracker.explain("u")).toMatchObject({ reason: "chosen", connections: [{ id: "a", node: IO }] });
    await closed(tracker, "u", "a");
    await clock.advance(3_000);
    await opened(tracker, "u", "b");
    expect(statuses()).toEqual(["online", "busy", "offline", "busy"]);
  });

  it("forgets nothing when connections come and go at the same time", async () => {
    const tracker = start();
    await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        await opened(tracker, "u", `c${n}`);
        if (n % 2 === 0) await closed(tracker, "u", `c${n}`);
      }),
    );
    await clock.advance(5_000);
    expect((await tracker.connected(10)).users).toMatchObject([{ userId: "u", status: "online", connections: 25 }]);
    expect(statuses()).toEqual(["online"]);
  });

  describe("when an io node is gone", () => {
    it("ends its connections after a grace, and only those", async () => {
      const tracker = start();
      await tracker.report({ node: IO, opened: [ref("here", "a"), ref("both", "b")], closed: [] });
      await opened(tracker, "both", "c", "io-2");
      gone.add(IO);
      await clock.advance(NODE_GRACE_MS - 1_000);
      expect(statuses("here")).toEqual(["online"]);
      await clock.advance(2_000);
      expect([statuses("here"), statuses("both")]).toEqual([["online", "offline"], ["online"]]);
      expect((await tracker.explain("here")).reason).toBe("node lost");
    });

    it("keeps them when it is back within the grace, and takes them back when it reports again later", async () => {
      const tracker = start();
      await opened(tracker, "u", "a");
      gone.add(IO);
      await clock.advance(NODE_GRACE_MS / 2);
      gone.clear();
      await clock.advance(NODE_GRACE_MS);
      expect(statuses()).toEqual(["online"]);
      gone.add(IO);
      await clock.advance(NODE_GRACE_MS + 2_000);
      gone.clear();
      await opened(tracker, "u", "a");
      expect(statuses()).toEqual(["online", "offline", "online"]);
    });

    it("is noticed by nodes that were started afterwards", async () => {
      const before = start("n1");
      await opened(before, "u", "a");
      await before.stop();
      gone.add(IO);
      start("n2");
      await clock.advance(NODE_GRACE_MS + 2_000);
      expect(statuses()).toEqual(["online", "offline"]);
    });
  });

  describe("when the key-value store comes back empty", () => {
    it("asks once for everything, and is right again with the answers", async () => {
      const tracker = start("n1");
      start("n2");
      await clock.advance(1_000);
      await opened(tracker, "u", "a");
      const before = censuses;
      await wipe(kv);
      await clock.advance(1_000);
      expect(censuses).toBe(before + 1);
      await opened(tracker, "u", "a");
      expect((await tracker.connected(10)).users).toMatchObject([{ userId: "u", status: "online" }]);
    });

    it("tells who left meanwhile", async () => {
      const tracker = start();
      await opened(tracker, "u", "a");
      await wipe(kv);
      await closed(tracker, "u", "a");
      await clock.advance(2_000);
      expect(statuses().at(-1)).toBe("offline");
      expect((await tracker.connected(10)).total).toBe(0);
    });
  });

  it("does not care about the clock of a node that has jumped", async () => {
    const jumped = new VirtualClock();
    await jumped.advance(10 * LEASE_MS);
    const tracker = start("n1", kv, jumped);
    await opened(tracker, "u", "a");
    await jumped.advance(5_000);
    expect(statuses()).toEqual(["online"]);
    expect(await tracker.read(["u"])).toEqual([["u", { status: "online" }]]);
  });

  it.each(Array.from({ length: 40 }, (_, seed) => seed))(
    "agrees with itself when two nodes change the same user at once (seed %i)",
    async (seed) => {
      const random = new SeededRandom("presence", seed + 1);
      const nodes = [start("n1", slow(kv, clock, random)), start("n2", slow(kv, clock, random))];
      const open = new Set<string>();
      const work: Promise<void>[] = [];
      for (let n = 0; n < 30; n++) {
        const tracker = nodes[random.int(2)] as PresenceTracker;
        const known = [...open][random.int(open.size + 1)];
        if (known !== undefined) {
          open.delete(known);
          work.push(Promise.all(work).then(() => closed(tracker, "u", known)));
        } else if (open.size < 3) {
          open.add(`c${n}`);
          work.push(opened(tracker, "u", `c${n}`));
        }
        await clock.advance(random.int(400));
      }
      await during(clock, Promise.all(work));
      await clock.advance(3_000);
      const status = open.size > 0 ? "online" : "offline";
      expect(statuses().at(-1)).toBe(status);
      const tracker = start();
      expect(await tracker.read(["u"])).toMatchObject([["u", { status }]]);
      expect((await tracker.explain("u")).connections.map(({ id }) => id).sort()).toEqual([...open].sort());
    },
  );

  it("never leaves a user offline who comes back in the very moment in which their absence is noticed", async () => {
    const wrong: number[] = [];
    for (let seed = 1; seed <= 150; seed++) {
      const random = new SeededRandom("return", seed);
      const user = `u${seed}`;
      const [leaving, coming] = [start("n1", slow(kv, clock, random)), start("n2", slow(kv, clock, random))];
      await during(clock, opened(leaving, user, "a"));
      await during(clock, closed(leaving, user, "a"));
      await clock.advance(GRACE_MS - 100 + random.int(600));
      await during(clock, opened(coming, user, "b"));
      await clock.advance(2_000);
      if (statuses(user).at(-1) !== "online") wrong.push(seed);
      await during(clock, Promise.all([leaving.stop(), coming.stop()]));
    }
    expect(wrong).toEqual([]);
  });
});

/** Lets time pass until it is done. */
async function during<T>(clock: VirtualClock, work: Promise<T>): Promise<T> {
  let done = false;
  void work.finally(() => (done = true));
  while (!done) await clock.advance(10);
  return work;
}

/** Forgets everything, as a Redis without a disk does. */
async function wipe(kv: MemoryKv): Promise<void> {
  const users = await kv.sortedRange("presence:due", 0, Infinity);
  await kv.delete(
    ...["due", "nodes", "epoch", `node:${IO}`].map((key) => `presence:${key}`),
    ...users.map(({ member }) => `presence:user:${member}`),
  );
}

/** The same store, each operation some milliseconds away in either direction. */
function slow(kv: Kv, clock: VirtualClock, random: SeededRandom): Kv {
  const pass = (): Promise<void> => new Promise((resolve) => clock.setTimeout(resolve, random.int(20)));
  return new Proxy(kv, {
    get: (target, name) => {
      const method = target[name as keyof Kv] as (...args: unknown[]) => Promise<unknown>;
      return async (...args: unknown[]) => {
        await pass();
        const answer = await method.apply(target, args);
        await pass();
        return answer;
      };
    },
  });
}
