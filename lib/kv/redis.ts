/**
 * The key-value port over Redis, for many processes. Whoever uses it can do without: no call waits for Redis to come
 * back, each answers or fails within half a second.
 */
import Redis, { type ChainableCommander } from "ioredis";
import { systemClock } from "../actor/ports";
import { inTime } from "../actor/time";
import type { Kv, ListPush } from "./kv";
import { SCRIPTS, type ScriptedCommands } from "./redis-scripts";

export interface RedisOptions {
  /** `redis://` or `rediss://`, with password and database as they are written there. Secret: it is in no error. */
  readonly url: string;
  /** What all keys begin with. */
  readonly prefix?: string;
  /** Longest wait for an answer, in milliseconds. */
  readonly commandMs?: number;
}

/** The address cannot be understood. */
export class RedisAddressError extends Error {
  override readonly name = "RedisAddressError";
  constructor() {
    super("the Redis address is malformed: redis://[user:password@]host[:port][/database]");
  }
}

/** Redis did not answer, or not as it should. What it says may quote keys and values: only its kind is told. */
export class RedisFailure extends Error {
  override readonly name = "RedisFailure";
}

const COMMAND_MS = 500;
const CONNECT_MS = 2_000;
/** A connection on which nothing comes back for so long is made anew. */
const SILENCE_MS = 2_000;
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 1_000;

/**
 * Opens the key-value store of a Redis. It connects in the background, for ever, and never waits for that.
 * @throws RedisAddressError
 */
export function openRedisKv(options: RedisOptions): Kv {
  const { url, prefix = "parley:", commandMs = COMMAND_MS } = options;
  if (!URL.canParse(url) || !/^rediss?:$/.test(new URL(url).protocol)) throw new RedisAddressError();
  const client = new Redis(url, {
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: commandMs,
    connectTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    retryStrategy: (attempt) => Math.min(FIRST_RETRY_MS * 2 ** Math.min(attempt, 10), LAST_RETRY_MS),
    // After a failover the address may still lead to the old primary.
    reconnectOnError: (error) => error.message.startsWith("READONLY"),
    connectionName: "parley",
  });
  client.on("error", () => undefined);
  for (const [name, script] of Object.entries(SCRIPTS)) client.defineCommand(name, script);
  return new RedisKv(client as Redis & ScriptedCommands, prefix, firstAttempt(client, commandMs));
}

/** Settles with the first attempt to connect, whatever came of it, or when a call has waited long enough. */
function firstAttempt(client: Redis, waitMs: number): Promise<void> {
  const settled = (): Promise<void> => new Promise((resolve) => client.once("ready", resolve).once("close", resolve));
  return inTime(systemClock, waitMs, settled);
}

class RedisKv implements Kv {
  private closed = false;
  private attempted = false;

  /** @param attempt settles with the first attempt to connect: calls made before wait for it */
  constructor(
    private readonly client: Redis & ScriptedCommands,
    private readonly prefix: string,
    private readonly attempt: Promise<void>,
  ) {
    void attempt.then(() => (this.attempted = true));
  }

  async get(key: string): Promise<string | undefined> {
    return (await this.ask((client) => client.get(this.key(key)))) ?? undefined;
  }

  async set(key: string, value: string, options: { ttlMs?: number; ifAbsent?: boolean } = {}): Promise<boolean> {
    const { ttlMs, ifAbsent } = options;
    const words = [...(ttlMs === undefined ? [] : ["PX", whole(ttlMs)]), ...(ifAbsent ? ["NX"] : [])];
    return (await this.ask((client) => client.call("SET", this.key(key), value, ...words))) === "OK";
  }

  async delete(...keys: string[]): Promise<void> {
    if (keys.length > 0) await this.ask((client) => client.del(...keys.map((key) => this.key(key))));
  }

  async increment(key: string, by: number, ttlMs: number): Promise<{ value: number; expiresInMs: number }> {
    const call = [this.key(key), String(by), whole(ttlMs)];
    const [value, expiresInMs] = await this.ask((client) => client.parleyIncrement(...call));
    return { value, expiresInMs };
  }

  async listPush(lists: readonly ListPush[], options: { max: number; ttlMs: number }): Promise<void> {
    if (lists.length === 0) return;
    const keys = lists.map(({ key }) => this.key(key));
    const values = lists.flatMap((list) => [String(list.values.length), ...list.values]);
    const { max, ttlMs } = options;
    await this.ask((client) => client.parleyPush(keys.length, ...keys, -max, whole(ttlMs), ...values));
  }

  listRead(key: string): Promise<string[]> {
    return this.ask((client) => client.lrange(this.key(key), 0, -1));
  }

  async hashSet(key: string, fields: Readonly<Record<string, string>>, ttlMs?: number): Promise<void> {
    const name = this.key(key);
    const words = Object.entries(fields).flat();
    if (words.length === 0 && ttlMs === undefined) return;
    await this.together((batch) => {
      if (words.length > 0) batch.hset(name, ...words);
      if (ttlMs !== undefined) batch.pexpire(name, whole(ttlMs));
    });
  }

  async hashRead(key: string): Promise<Record<string, string>> {
    const words = (await this.ask((client) => client.call("HGETALL", this.key(key)))) as string[];
    return Object.fromEntries(pairs(words));
  }

  async hashDelete(key: string, ...fields: string[]): Promise<void> {
    if (fields.length > 0) await this.ask((client) => client.hdel(this.key(key), ...fields));
  }

  async sortedAdd(key: string, entries: ReadonlyArray<{ member: string; score: number }>): Promise<void> {
    const words = entries.flatMap(({ member, score }) => [bound(score), member]);
    if (words.length > 0) await this.ask((client) => client.zadd(this.key(key), ...words));
  }

  async sortedRange(
    key: string,
    min: number,
    max: number,
    limit?: number,
  ): Promise<Array<{ member: string; score: number }>> {
    const words = ["WITHSCORES", ...(limit === undefined ? [] : ["LIMIT", "0", whole(limit)])];
    const found = await this.ask((client) =>
      client.call("ZRANGEBYSCORE", this.key(key), bound(min), bound(max), ...words),
    );
    return pairs(found as string[]).map(([member, score]) => ({ member, score: numberOf(score) }));
  }

  async sortedRemove(key: string, ...members: string[]): Promise<void> {
    if (members.length > 0) await this.ask((client) => client.zrem(this.key(key), ...members));
  }

  async acquire(name: string, holder: string, ttlMs: number): Promise<{ token: number } | undefined> {
    const lease = this.lease(name);
    const token = await this.ask((client) => client.parleyAcquire(lease, `${lease}:token`, holder, whole(ttlMs)));
    return token === null ? undefined : { token: Number(token) };
  }

  async renew(name: string, holder: string, ttlMs: number): Promise<boolean> {
    return (await this.ask((client) => client.parleyRenew(this.lease(name), holder, whole(ttlMs)))) === 1;
  }

  async release(name: string, holder: string): Promise<void> {
    await this.ask((client) => client.parleyRelease(this.lease(name), holder));
  }

  async time(): Promise<number> {
    const [seconds = 0, microseconds = 0] = await this.ask((client) => client.time());
    return Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
  }

  async ping(): Promise<void> {
    await this.ask((client) => client.ping());
  }

  close(): Promise<void> {
    this.closed = true;
    if (this.client.status !== "end") this.client.disconnect();
    return Promise.resolve();
  }

  private key(key: string): string {
    return this.prefix + key;
  }

  /** In braces, so that a Redis Cluster keeps a lease and its token in one place. */
  private lease(name: string): string {
    return `${this.prefix}lease:{${name}}`;
  }

  private async ask<R>(call: (client: Redis & ScriptedCommands) => Promise<R>): Promise<R> {
    if (!this.attempted) await this.attempt;
    if (this.closed) throw new RedisFailure("the key-value store is closed");
    try {
      return await call(this.client);
    } catch (error) {
      throw failureOf(error);
    }
  }

  /** Several commands as one: all are done, or none. */
  private async together(add: (batch: ChainableCommander) => void): Promise<void> {
    await this.ask(async (client) => {
      const batch = client.multi();
      add(batch);
      for (const [error] of (await batch.exec()) ?? []) if (error) throw error;
    });
  }
}

/** Milliseconds and counts as Redis takes them. */
const whole = (value: number): string => String(Math.max(1, Math.ceil(value)));

const bound = (score: number): string => (score === Infinity ? "+inf" : score === -Infinity ? "-inf" : String(score));

const numberOf = (score: string): number => (score === "inf" ? Infinity : score === "-inf" ? -Infinity : Number(score));

function pairs(words: readonly string[]): Array<[string, string]> {
  return Array.from({ length: words.length / 2 }, (_, i) => [words[2 * i] ?? "", words[2 * i + 1] ?? ""]);
}

/** The first word of what Redis says is its kind of error. */
function failureOf(error: unknown): Error {
  if (error instanceof RedisFailure) return error;
  const { name = "Error", message = "", code } = error as { name?: string; message?: string; code?: string };
  const kind = name === "ReplyError" ? /^[A-Z]+/.exec(message)?.[0] : code;
  return new RedisFailure(`the key-value store failed: ${[name, kind].filter(Boolean).join(" ")}`);
}
