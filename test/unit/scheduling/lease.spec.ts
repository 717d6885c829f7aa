import { Lease } from "../../../lib/scheduling/lease";
import { LEASES, StoreLeases } from "../../../lib/scheduling/store-leases";
import { MemoryStore } from "../../../lib/store/memory";
import { SuspendableClock } from "../../support/suspendable-clock";
import { VirtualClock } from "../../support/virtual-clock";

const TTL_MS = 1_500;

const world = () => {
  const clock = new VirtualClock();
  const store = new MemoryStore();
  const contender = (holder: string) => {
    const own = new SuspendableClock(clock);
    const errors: unknown[] = [];
    const granted: number[] = [];
    const leases = new StoreLeases(store, own.monotonic);
    const lease = new Lease({
      leases,
      name: "job",
      holder,
      clock: own,
      monotonic: own.monotonic,
      ttlMs: TTL_MS,
      onError: (error) => void errors.push(error),
    });
    return { clock: own, lease, errors, granted, start: () => lease.start(({ token }) => void granted.push(token)) };
  };
  return { clock, store, contender };
};

describe("a lease", () => {
  it("goes to the next one less than two seconds after its holder was killed", async () => {
    const { clock, contender } = world();
    const [first, second] = [contender("a"), contender("b")];
    first.start();
    await clock.advance(1_000);
    second.start();
    await clock.advance(3_000);
    expect([first.lease.held !== undefined, second.lease.held]).toEqual([true, undefined]);
    first.clock.suspend();
    await clock.advance(1_999);
    expect(second.lease.held).toBeDefined();
    expect(first.lease.held).toBeUndefined();
    await Promise.all([first.lease.stop(), second.lease.stop()]);
  });

  it("is given to the next one at once by a holder that stops", async () => {
    const { clock, contender } = world();
    const [first, second] = [contender("a"), contender("b")];
    first.start();
    await clock.advance(100);
    second.start();
    await first.lease.stop();
    await clock.advance(400);
    expect(second.lease.held?.token).toBeGreaterThan(first.granted[0] ?? Infinity);
    await second.lease.stop();
  });

  it("is not believed in any more by a holder that was stopped, before it asks anybody", async () => {
    const { clock, contender } = world();
    const holder = contender("a");
    holder.start();
    await clock.advance(100);
    holder.clock.suspend();
    await clock.advance(TTL_MS);
    expect(holder.lease.held).toBeUndefined();
    holder.clock.resume();
    await clock.advance(10);
    expect(holder.granted).toEqual([1, 2]);
    expect(holder.lease.held?.token).toBe(2);
    await holder.lease.stop();
  });

  it.each([-3_600_000, 3_600_000])(
    "is in doubt when the wall clock is set by %d ms, until it is renewed",
    async (ms) => {
      const { clock, contender } = world();
      const holder = contender("a");
      holder.start();
      await clock.advance(100);
      holder.clock.jump(ms);
      expect(holder.lease.held).toBeUndefined();
      await clock.advance(400);
      expect(holder.lease.held).toBeDefined();
      await holder.lease.stop();
    },
  );

  it("survives a store that fails for less than it lasts, and says so once", async () => {
    const { clock, store, contender } = world();
    const holder = contender("a");
    const insert = jest.spyOn(store.collection(LEASES), "insertMany");
    holder.start();
    await clock.advance(100);
    insert.mockRejectedValue(new Error("away"));
    await clock.advance(700);
    expect(holder.lease.held).toBeDefined();
    insert.mockRestore();
    await clock.advance(600);
    expect([holder.lease.held?.token, holder.errors.length, holder.granted]).toEqual([1, 1, [1]]);
    await holder.lease.stop();
  });

  it("is not renewed by a holder that comes back after its numbers were cleaned away", async () => {
    const { clock, contender } = world();
    const [first, second] = [contender("a"), contender("b")];
    first.start();
    await clock.advance(100);
    second.start();
    first.clock.suspend();
    await clock.advance(200_000);
    first.clock.resume();
    await clock.advance(10);
    expect([first.lease.held, second.lease.held !== undefined]).toEqual([undefined, true]);
    await Promise.all([first.lease.stop(), second.lease.stop()]);
  });

  it("leaves a bounded number of documents behind", async () => {
    const { clock, store, contender } = world();
    const holder = contender("a");
    holder.start();
    await clock.advance(100_000);
    expect(await store.collection(LEASES).count({}, 1_000)).toBeLessThanOrEqual(64 + 33);
    await holder.lease.stop();
  });
});
