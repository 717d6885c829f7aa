/**
 * The key-value port: expiring keys, short lists, hashes, sorted sets and leases. Nothing in it is a source of truth:
 * losing it costs speed, presence and cross-node limits, never a message. Every implementation passes
 * `test/conformance/kv.suite.ts`. Values are strings; times are milliseconds.
 */
export interface Kv {
  get(key: string): Promise<string | undefined>;
  /** Sets a value; with `ttlMs` it expires. With `ifAbsent` it answers false and changes nothing when the key exists. */
  set(key: string, value: string, options?: { ttlMs?: number; ifAbsent?: boolean }): Promise<boolean>;
  delete(...keys: string[]): Promise<void>;
  /**
   * Adds to a counter that starts at 0 with its first addition and expires `ttlMs` after that one. Answers what it is
   * now, and in how many milliseconds it starts anew.
   */
  increment(key: string, by: number, ttlMs: number): Promise<{ value: number; expiresInMs: number }>;

  /**
   * Appends to lists, each named once and with at least one value, in one round trip; then keeps only the newest `max`
   * values of each. `ttlMs` restarts with each push.
   */
  listPush(lists: readonly ListPush[], options: { max: number; ttlMs: number }): Promise<void>;
  /** The whole list, oldest first. */
  listRead(key: string): Promise<string[]>;

  hashSet(key: string, fields: Readonly<Record<string, string>>, ttlMs?: number): Promise<void>;
  hashRead(key: string): Promise<Record<string, string>>;
  hashDelete(key: string, ...fields: string[]): Promise<void>;

  sortedAdd(key: string, entries: ReadonlyArray<{ member: string; score: number }>): Promise<void>;
  /** Members with `min <= score <= max`, by ascending score. */
  sortedRange(key: string, min: number, max: number, limit?: number): Promise<Array<{ member: string; score: number }>>;
  sortedRemove(key: string, ...members: string[]): Promise<void>;

  /**
   * Takes a lease if nobody holds it. The fencing token grows with every grant of that name, so a store can refuse
   * whoever wakes up late (Kleppmann, "How to do distributed locking"). It is no less than the store's clock in
   * milliseconds, so that it grows even when the last one was forgotten, unless that clock was set back meanwhile.
   * Two may hold a lease at once when the store was lost: only the token tells them apart.
   */
  acquire(name: string, holder: string, ttlMs: number): Promise<{ token: number } | undefined>;
  /** Extends a lease; false when it is no longer this holder's. */
  renew(name: string, holder: string, ttlMs: number): Promise<boolean>;
  release(name: string, holder: string): Promise<void>;

  /** The store's own wall clock: the same for every node that asks. */
  time(): Promise<number>;
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface ListPush {
  readonly key: string;
  readonly values: readonly string[];
}
