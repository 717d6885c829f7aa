import { MemoryKv } from "../../lib/kv/memory";
import { kvSuite } from "./kv.suite";

const openAt = (maxKeys?: number) => {
  let now = 1_000;
  const kv = new MemoryKv({ clock: { now: () => now }, ...(maxKeys && { maxKeys }) });
  const pass = (ms: number): Promise<void> => Promise.resolve(void (now += ms));
  return { kv, pass, close: () => kv.close() };
};

kvSuite("memory", () => Promise.resolve(openAt()));

describe("memory: bounds", () => {
  it("drops the key written longest ago when there are too many, never a lease", async () => {
    const { kv } = openAt(3);
    await kv.acquire("job", "a", 1_000);
    for (const key of ["a", "b", "c"]) await kv.set(key, key);
    await kv.set("a", "again");
    await kv.set("d", "d");
    expect(await Promise.all(["a", "b", "c", "d"].map((key) => kv.get(key)))).toEqual(["again", undefined, "c", "d"]);
    expect(await kv.acquire("job", "b", 1_000)).toBeUndefined();
  });

  it("sweeps away expired keys that nobody asks for", async () => {
    const { kv, pass } = openAt();
    for (let i = 0; i < 500; i++) await kv.set(`k${i}`, "", { ttlMs: 10 });
    await pass(20);
    for (let i = 0; i < 500; i++) await kv.set("same", "");
    expect(kv.size).toBe(1);
  });

  it("refuses calls after it was closed", async () => {
    const { kv } = openAt();
    await kv.close();
    await expect(kv.get("a")).rejects.toThrow("closed");
  });
});
