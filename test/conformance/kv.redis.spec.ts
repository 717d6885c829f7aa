import { setTimeout as sleep } from "node:timers/promises";
import type { Kv } from "../../lib/kv/kv";
import { openRedisKv } from "../../lib/kv/redis";
import { freshRedis } from "../support/servers";
import { kvSuite } from "./kv.suite";

/** Time is real here and the machine may be busy: each of the suite's milliseconds takes so many. */
const SLOWER = 5;

function slower(kv: Kv): Kv {
  const set: Kv["set"] = (key, value, { ttlMs, ...rest } = {}) =>
    kv.set(key, value, { ...rest, ...(ttlMs !== undefined && { ttlMs: ttlMs * SLOWER }) });
  const increment: Kv["increment"] = async (key, by, ttlMs) => {
    const { value, expiresInMs } = await kv.increment(key, by, ttlMs * SLOWER);
    return { value, expiresInMs: expiresInMs / SLOWER };
  };
  const changed: Partial<Kv> = {
    set,
    increment,
    listPush: (lists, { max, ttlMs }) => kv.listPush(lists, { max, ttlMs: ttlMs * SLOWER }),
    hashSet: (key, fields, ttlMs) => kv.hashSet(key, fields, ttlMs && ttlMs * SLOWER),
    acquire: (name, holder, ttlMs) => kv.acquire(name, holder, ttlMs * SLOWER),
    renew: (name, holder, ttlMs) => kv.renew(name, holder, ttlMs * SLOWER),
  };
  return Object.setPrototypeOf(changed, kv) as Kv;
}

kvSuite("redis", async () => {
  const { url, drop } = await freshRedis();
  const kv = openRedisKv({ url });
  const close = async (): Promise<void> => {
    await kv.close();
    await drop();
  };
  return { kv: slower(kv), pass: (ms) => sleep(ms * SLOWER), close };
});
