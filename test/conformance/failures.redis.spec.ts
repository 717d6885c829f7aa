import { openRedisKv, RedisAddressError, RedisFailure } from "../../lib/kv/redis";
import type { Kv } from "../../lib/kv/kv";
import { freshRedis, RedisServer } from "../support/servers";
import { freePort } from "../support/server";
import { until } from "../support/wait";

const closing: Array<() => Promise<unknown>> = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function open(url: string, prefix?: string): Kv {
  const kv = openRedisKv({ url, ...(prefix !== undefined && { prefix }) });
  closing.push(() => kv.close());
  return kv;
}

async function startServer(): Promise<RedisServer> {
  const server = new RedisServer();
  closing.push(() => server.stop());
  await server.start();
  return server;
}

/** Every kind of call, each sent as another kind of message. */
const CALLS: ReadonlyArray<(kv: Kv) => Promise<unknown>> = [
  (kv) => kv.get("a"),
  (kv) => kv.hashSet("h", { a: "1" }, 1_000),
  (kv) => kv.acquire("job", "me", 1_000),
  (kv) => kv.hashRead("h"),
  (kv) => kv.ping(),
];

/** All calls fail, each within this time, and with nothing of the address in what they say. */
async function expectQuickFailures(kv: Kv, ms: number): Promise<void> {
  for (const call of CALLS) {
    const start = performance.now();
    const error: unknown = await call(kv).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RedisFailure);
    expect(performance.now() - start).toBeLessThan(ms);
    expect(`${String((error as Error).stack)}${JSON.stringify(error)}`).not.toMatch(/s3cret|127\.0\.0\.1/);
  }
}

const answers = (kv: Kv) => () =>
  kv.ping().then(
    () => true,
    () => false,
  );

describe("a Redis that is away", () => {
  it("fails every call quickly, without a word of the address", async () => {
    await expectQuickFailures(open(`redis://:s3cret@127.0.0.1:${await freePort()}`), 1_000);
  });

  it("is found again when it is back, empty, and its fencing tokens still grow", async () => {
    const server = await startServer();
    const kv = open(server.url);
    await kv.set("a", "1");
    const before = await kv.acquire("job", "one", 60_000);
    await server.kill();
    await expectQuickFailures(kv, 1_000);
    await server.start();
    await until("Redis answers", answers(kv), 5_000);
    expect(await kv.get("a")).toBeUndefined();
    const after = await kv.acquire("job", "two", 60_000);
    expect(after?.token).toBeGreaterThan(before?.token ?? Infinity);
    expect(await kv.renew("job", "one", 1_000)).toBe(false);
  });

  it("is given up when it says nothing, and found again when it goes on", async () => {
    const server = await startServer();
    const kv = open(server.url);
    await kv.ping();
    await server.suspend();
    await expectQuickFailures(kv, 1_000);
    server.resume();
    await until("Redis answers", answers(kv), 5_000);
  });

  it("refuses an address that it cannot read, without quoting it", () => {
    for (const url of ["s3cret", "http://h/s3cret", "/tmp/s3cret.sock", "redis://h:s3cret"])
      expect(() => openRedisKv({ url })).toThrow(RedisAddressError);
    expect(new RedisAddressError().message).not.toContain("s3cret");
  });
});

describe("one Redis for several nodes", () => {
  it("grants a lease to one of them, and to the next one with a greater token", async () => {
    const { url, drop } = await freshRedis();
    closing.push(drop);
    const nodes = Array.from({ length: 5 }, () => open(url));
    let last = 0;
    for (let round = 0; round < 10; round++) {
      const grants = await Promise.all(nodes.map((kv, i) => kv.acquire("job", `n${i}`, 10_000)));
      const holder = grants.findIndex((grant) => grant !== undefined);
      expect(grants.filter((grant) => grant !== undefined)).toHaveLength(1);
      expect(grants[holder]?.token).toBeGreaterThan(last);
      last = grants[holder]?.token ?? Infinity;
      await nodes[0]?.release("job", `n${holder}`);
    }
  });

  it("keeps the keys of two prefixes apart", async () => {
    const { url, drop } = await freshRedis();
    closing.push(drop);
    const [one, two] = [open(url, "one:"), open(url, "two:")];
    await one.set("a", "1");
    expect(await two.get("a")).toBeUndefined();
    await one.acquire("job", "x", 10_000);
    expect(await two.acquire("job", "y", 10_000)).toBeDefined();
  });
});
