/** What every implementation of the key-value port must do. `pass` lets so many milliseconds go by for its expiry. */
import type { Kv } from "../../lib/kv/kv";

export interface OpenKv {
  readonly kv: Kv;
  readonly pass: (ms: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

export function kvSuite(name: string, open: () => Promise<OpenKv>): void {
  describe(`${name}: key-value port`, () => {
    let opened: OpenKv;
    let kv: Kv;
    beforeEach(async () => {
      opened = await open();
      kv = opened.kv;
    });
    afterEach(() => opened.close());

    it("sets, gets and deletes values", async () => {
      expect(await kv.get("a")).toBeUndefined();
      expect(await kv.set("a", "1")).toBe(true);
      expect(await kv.set("a", "")).toBe(true);
      expect(await kv.get("a")).toBe("");
      await kv.set("b", "2");
      await kv.delete("a", "b", "c");
      expect([await kv.get("a"), await kv.get("b")]).toEqual([undefined, undefined]);
    });

    it("lets a value expire, and a new value without ttl stay", async () => {
      await kv.set("a", "1", { ttlMs: 100 });
      await kv.set("b", "1", { ttlMs: 100 });
      await kv.set("b", "2");
      await opened.pass(50);
      expect(await kv.get("a")).toBe("1");
      await opened.pass(60);
      expect([await kv.get("a"), await kv.get("b")]).toEqual([undefined, "2"]);
    });

    it("sets a value only if absent, for one of many at once", async () => {
      const set = await Promise.all(
        Array.from({ length: 20 }, (_, i) => kv.set("a", `${i}`, { ifAbsent: true, ttlMs: 100 })),
      );
      expect(set.filter(Boolean)).toHaveLength(1);
      expect(await kv.get("a")).toBe(`${set.indexOf(true)}`);
      await opened.pass(110);
      expect(await kv.set("a", "again", { ifAbsent: true })).toBe(true);
    });

    it("counts up from the first addition until the counter expires", async () => {
      const counted = await Promise.all(Array.from({ length: 20 }, () => kv.increment("n", 2, 200)));
      expect(counted.map(({ value }) => value).sort((a, b) => a - b)).toEqual(counted.map((_, i) => 2 * i + 2));
      await opened.pass(120);
      const { value, expiresInMs } = await kv.increment("n", 1, 200);
      expect(value).toBe(41);
      expect(expiresInMs).toBeGreaterThan(0);
      expect(expiresInMs).toBeLessThanOrEqual(80);
      await opened.pass(90);
      expect((await kv.increment("n", 1, 200)).value).toBe(1);
    });

    it("tells its own time, which goes on", async () => {
      const before = await kv.time();
      await opened.pass(50);
      const passed = (await kv.time()) - before;
      expect(passed).toBeGreaterThanOrEqual(49);
      expect(passed).toBeLessThan(10_000);
    });

    it("appends to several lists at once", async () => {
      const options = { max: 2, ttlMs: 1_000 };
      await kv.listPush([], options);
      await kv.listPush(
        [
          { key: "l", values: ["1", "2", "3"] },
          { key: "m", values: ["4"] },
        ],
        options,
      );
      await kv.listPush(
        [
          { key: "n", values: [""] },
          { key: "m", values: ["5", "6"] },
        ],
        options,
      );
      expect(await Promise.all(["l", "m", "n"].map((key) => kv.listRead(key)))).toEqual([["2", "3"], ["5", "6"], [""]]);
    });

    it("keeps the newest values of a list, oldest first", async () => {
      expect(await kv.listRead("l")).toEqual([]);
      await kv.listPush([{ key: "l", values: ["1", "2"] }], { max: 3, ttlMs: 100 });
      await opened.pass(60);
      await kv.listPush([{ key: "l", values: ["3", "4"] }], { max: 3, ttlMs: 100 });
      await opened.pass(60);
      expect(await kv.listRead("l")).toEqual(["2", "3", "4"]);
      await opened.pass(60);
      expect(await kv.listRead("l")).toEqual([]);
    });

    it("keeps fields of a hash", async () => {
      await kv.hashSet("h", { a: "1", b: "2" });
      await kv.hashSet("h", { b: "3", ["__proto__"]: "4" });
      await kv.hashDelete("h", "a", "none");
      expect(Object.entries(await kv.hashRead("h")).sort()).toEqual([
        ["__proto__", "4"],
        ["b", "3"],
      ]);
      await kv.hashDelete("h", "b", "__proto__");
      expect(await kv.hashRead("h")).toEqual({});
    });

    it("keeps the expiry of a hash unless it is given anew", async () => {
      await kv.hashSet("h", { a: "1" }, 100);
      await opened.pass(60);
      await kv.hashSet("h", { b: "2" });
      await opened.pass(50);
      expect(await kv.hashRead("h")).toEqual({});
    });

    it("orders a sorted set by score, then by member", async () => {
      await kv.sortedAdd("s", [
        { member: "c", score: 2 },
        { member: "b", score: 2 },
        { member: "a", score: 9 },
      ]);
      await kv.sortedAdd("s", [
        { member: "a", score: 1.5 },
        { member: "d", score: 3 },
      ]);
      const members = async (min: number, max: number, limit?: number): Promise<string> =>
        (await kv.sortedRange("s", min, max, limit)).map((entry) => entry.member).join("");
      expect(await kv.sortedRange("s", 1, 2, 2)).toEqual([
        { member: "a", score: 1.5 },
        { member: "b", score: 2 },
      ]);
      expect(await members(-Infinity, Infinity)).toBe("abcd");
      expect(await members(2, 3)).toBe("bcd");
      await kv.sortedRemove("s", "b", "none");
      expect(await members(0, 9)).toBe("acd");
    });

    it("grants a lease to one holder, with a growing token", async () => {
      const granted = await Promise.all(Array.from({ length: 10 }, (_, i) => kv.acquire("job", `n${i}`, 100)));
      const [first] = granted.filter((grant) => grant !== undefined);
      const holder = `n${granted.findIndex((grant) => grant !== undefined)}`;
      expect(granted.filter((grant) => grant !== undefined)).toHaveLength(1);
      await kv.release("job", "somebody else");
      expect(await kv.acquire("job", "x", 100)).toBeUndefined();
      for (let last = first?.token ?? Infinity, i = 0; i < 20; i++) {
        await kv.release("job", i === 0 ? holder : "x");
        const { token = 0 } = (await kv.acquire("job", "x", 100)) ?? {};
        expect(token).toBeGreaterThan(last);
        last = token;
      }
    });

    it("renews a lease for its holder only, and not after it was lost", async () => {
      const first = await kv.acquire("job", "a", 100);
      await opened.pass(60);
      expect(await kv.renew("job", "a", 100)).toBe(true);
      expect(await kv.renew("job", "b", 100)).toBe(false);
      await opened.pass(60);
      expect(await kv.acquire("job", "b", 100)).toBeUndefined();
      await opened.pass(60);
      expect(await kv.renew("job", "a", 100)).toBe(false);
      const second = await kv.acquire("job", "b", 100);
      expect(second?.token).toBeGreaterThan(first?.token ?? Infinity);
      await kv.release("job", "a");
      expect(await kv.renew("job", "b", 100)).toBe(true);
    });

    it("refuses an operation on a key of another kind", async () => {
      await kv.set("a", "1");
      await expect(kv.listRead("a")).rejects.toThrow();
      await expect(kv.hashSet("a", { b: "1" })).rejects.toThrow();
      await expect(kv.sortedAdd("a", [{ member: "m", score: 1 }])).rejects.toThrow();
    });

    it("answers a ping", async () => {
      await expect(kv.ping()).resolves.toBeUndefined();
    });
  });
}
