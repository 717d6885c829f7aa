import { MemoryStore } from "../../../lib/store/memory";
import { RevocationList } from "../../../services/auth/revocation-list";
import type { Revocation, RevocationPage } from "../../../services/auth/revocations";
import { RevocationLedger } from "../../../services/auth/revocation-ledger";
import { settle, VirtualClock } from "../../support/virtual-clock";

const login = (n: number) => ({ userId: `user${n}`, family: `family${n}` });

describe("the stored list of revocations", () => {
  let store: RevocationLedger;
  beforeEach(() => {
    store = new RevocationLedger(new MemoryStore());
  });

  test("is numbered without gaps, however many add at once", async () => {
    const added = await Promise.all(Array.from({ length: 50 }, (_, n) => store.add(login(n), n)));
    const numbers = added.map(({ number }) => number).sort((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: 50 }, (_, n) => n + 1));
    expect(await store.last()).toBe(50);
  });

  test("ends a family once: whoever ends it again gets the first entry", async () => {
    const added = await Promise.all(Array.from({ length: 20 }, () => store.add(login(1), 7)));
    for (const entry of added) expect(entry).toMatchObject({ number: 1, ...login(1), at: 7 });
    expect(await store.last()).toBe(1);
  });

  test("pages by number and age, and tells the last number whatever is asked", async () => {
    for (let n = 1; n <= 5; n += 1) await store.add(login(n), n * 10);
    expect((await store.page(2, 0)).revocations.map(({ number }) => number)).toEqual([3, 4, 5]);
    expect((await store.page(0, 40)).revocations.map(({ number }) => number)).toEqual([4, 5]);
    expect(await store.page(0, 99)).toEqual({ revocations: [], last: 5, more: false });
  });

  test("forgets old entries but counts on from the last number", async () => {
    for (let n = 1; n <= 3; n += 1) await store.add(login(n), n);
    await store.purge(1_000);
    expect((await store.page(0, 0)).revocations.map(({ number }) => number)).toEqual([3]);
    expect(await store.add(login(4), 4)).toMatchObject({ number: 4 });
  });
});

describe("changes of roles in the stored list", () => {
  let store: RevocationLedger;
  beforeEach(() => {
    store = new RevocationLedger(new MemoryStore());
  });

  test("are added only while the list ends where their author looked", async () => {
    await store.add(login(1), 1);
    expect(await store.addRoles(0, { userId: "u", roles: ["agent"] }, 2)).toBeUndefined();
    expect(await store.addRoles(1, { userId: "u", roles: ["agent"] }, 2)).toMatchObject({ number: 2 });
    const both = await Promise.all(["a", "b"].map((userId) => store.addRoles(2, { userId, roles: [] }, 3)));
    expect(both.filter((added) => added !== undefined)).toHaveLength(1);
  });

  test("are found without the logins that ended", async () => {
    await store.add(login(1), 1);
    await store.addRoles(1, { userId: "u", roles: ["agent"] }, 2);
    await store.add(login(3), 3);
    await store.addRoles(3, { userId: "u", roles: ["customer"] }, 4);
    const second = { number: 4, userId: "u", roles: ["customer"], at: 4 };
    expect(await store.roleChanges(0)).toEqual([{ number: 2, userId: "u", roles: ["agent"], at: 2 }, second]);
    expect(await store.roleChanges(2)).toEqual([second]);
    expect((await store.page(3, 0)).revocations).toEqual([second]);
  });
});

describe("the list in memory", () => {
  let clock: VirtualClock;
  let stored: Revocation[];
  let fetches: number;
  let fails: boolean;
  let told: Revocation[];
  let list: RevocationList;

  const page = (after: number, since: number, size: number): RevocationPage => {
    const matching = stored.filter(({ number, at }) => number > after && at >= since);
    const revocations = matching.slice(0, size);
    return { revocations, last: stored.at(-1)?.number ?? 0, more: matching.length > revocations.length };
  };
  const revoke = (at = clock.now()): Revocation => {
    const revocation = { number: stored.length + 1, ...login(stored.length + 1), at };
    stored.push(revocation);
    return revocation;
  };

  beforeEach(() => {
    clock = new VirtualClock();
    stored = [];
    told = [];
    fetches = 0;
    fails = false;
    list = new RevocationList({
      clock,
      monotonic: () => clock.now(),
      retentionMs: 10_000,
      fetch: async (after, since) => {
        fetches += 1;
        if (fails) throw new Error("store down");
        return page(after, since, 2);
      },
      onRevoked: (revocation) => told.push(revocation),
      onRoles: (change) => told.push(change),
    });
  });

  test("loads all pages of what still matters", async () => {
    revoke(clock.now() - 20_000);
    for (let n = 0; n < 5; n += 1) revoke();
    await list.catchUp();
    expect(list.last).toBe(6);
    expect(list.isRevoked(login(1))).toBe(false);
    for (let n = 2; n <= 6; n += 1) expect(list.isRevoked(login(n))).toBe(true);
  });

  test("takes the next one from the event alone", async () => {
    await list.catchUp();
    list.apply(revoke());
    await settle();
    expect(list.isRevoked(login(1))).toBe(true);
    expect([list.last, fetches]).toEqual([1, 1]);
  });

  test("a lost event is fetched as soon as a later one comes", async () => {
    await list.catchUp();
    revoke();
    revoke();
    list.apply(revoke());
    expect(list.isRevoked(login(3))).toBe(true);
    await settle();
    expect([1, 2, 3].map((n) => list.isRevoked(login(n)))).toEqual([true, true, true]);
    expect(list.last).toBe(3);
    expect(told.map(({ number }) => number).sort()).toEqual([1, 2, 3]);
  });

  test("the store being down is tried again until it answers", async () => {
    await list.catchUp();
    revoke();
    fails = true;
    list.apply(revoke());
    await clock.advance(5_000);
    expect(list.isRevoked(login(1))).toBe(false);
    fails = false;
    await clock.advance(500);
    expect(list.isRevoked(login(1))).toBe(true);
    expect(clock.pending).toBe(0);
  });

  test("a number that the store does not show yet is asked for with pauses", async () => {
    await list.catchUp();
    list.heard(9);
    await clock.advance(3_000);
    expect(fetches).toBeLessThan(15);
    list.stop();
    expect(clock.pending).toBe(0);
  });

  test("an event that comes twice or late is told once", async () => {
    await list.catchUp();
    const [first, second] = [revoke(), revoke()];
    for (const event of [second, first, second, first]) list.apply(event);
    await settle();
    expect(told).toHaveLength(2);
    expect(list.last).toBe(2);
  });

  test("an entry without a family ends every login of the user", async () => {
    list.apply({ number: 1, userId: "gone", at: clock.now() });
    expect(list.isRevoked({ userId: "gone", family: "any" })).toBe(true);
    expect(list.isRevoked({ userId: "other", family: "gone" })).toBe(false);
  });
});

describe("a list that others add to", () => {
  let clock: VirtualClock;
  let last: number;
  let answer: "at once" | "never" | "error";
  let asked: number;
  let told: Revocation[];
  let list: RevocationList;
  const entry = (number: number): Revocation => ({ number, ...login(number), at: clock.now() });

  beforeEach(async () => {
    clock = new VirtualClock();
    last = 0;
    asked = 0;
    answer = "at once";
    told = [];
    const reply = async <T>(value: () => T): Promise<T> => {
      if (answer === "error") throw new Error("store down");
      return answer === "never" ? new Promise<never>(() => undefined) : value();
    };
    list = new RevocationList({
      clock,
      monotonic: () => clock.now(),
      retentionMs: 10_000,
      last: () => {
        asked++;
        return reply(() => last);
      },
      fetch: (after) =>
        reply(() => ({
          revocations: Array.from({ length: last - after }, (_, n) => entry(after + n + 1)),
          last,
          more: false,
        })),
      onRevoked: (revocation) => told.push(revocation),
      onRoles: (change) => told.push(change),
    });
    await list.start();
  });
  afterEach(() => list.stop());

  test("hears of an entry within a second although every event is lost", async () => {
    last = 2;
    await clock.advance(1_000);
    expect(told.map(({ number }) => number)).toEqual([1, 2]);
  });

  test("is fresh while the store answers, and not when it has not for a second, however it fails", async () => {
    await clock.advance(60_000);
    expect(list.isFresh).toBe(true);
    for (const failure of ["never", "error"] as const) {
      answer = failure;
      await clock.advance(1_301);
      expect(list.isFresh).toBe(false);
      answer = "at once";
      await clock.advance(1_300);
      expect(list.isFresh).toBe(true);
    }
  });

  test("counts the age of an answer from the question", async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const slow = new RevocationList({
      clock,
      monotonic: () => clock.now(),
      retentionMs: 10_000,
      last: () => held.then(() => 0),
      fetch: async () => ({ revocations: [], last: 0, more: false }),
      onRevoked: () => undefined,
      onRoles: () => undefined,
    });
    await slow.start();
    await clock.advance(300);
    await clock.advance(1_500);
    release();
    await settle();
    expect(slow.isFresh).toBe(true);
    await clock.advance(299);
    slow.stop();
    await clock.advance(1_000);
    expect(slow.isFresh).toBe(false);
  });

  test("is not fresh after a pause of the process until the store was asked anew", async () => {
    const paused = new RevocationList({
      clock: { now: () => clock.now(), setTimeout: () => () => undefined },
      monotonic: () => clock.now(),
      retentionMs: 10_000,
      last: () => Promise.resolve(0),
      fetch: async () => ({ revocations: [], last: 0, more: false }),
      onRevoked: () => undefined,
      onRoles: () => undefined,
    });
    await paused.start();
    await clock.advance(40_000);
    expect(paused.isFresh).toBe(false);
    paused.stop();
  });

  test("lets callers wait for freshness, in order, and no longer than they want to", async () => {
    answer = "error";
    await clock.advance(2_000);
    const woken: string[] = [];
    for (const name of ["a", "b"]) void list.whenFresh(1_000).then((fresh) => woken.push(`${name} ${fresh}`));
    await clock.advance(999);
    expect(woken).toEqual([]);
    answer = "at once";
    await clock.advance(300);
    expect(woken).toEqual(["a false", "b false"]);
    answer = "error";
    await clock.advance(2_000);
    for (const name of ["c", "d"]) void list.whenFresh(1_000).then((fresh) => woken.push(`${name} ${fresh}`));
    answer = "at once";
    await clock.advance(400);
    expect(woken.slice(2)).toEqual(["c true", "d true"]);
  });

  test("does not pile up questions on a store that does not answer", async () => {
    answer = "never";
    const before = asked;
    await clock.advance(3_000);
    expect(asked - before).toBeLessThanOrEqual(10);
    expect(asked - before).toBeGreaterThanOrEqual(6);
  });
});
