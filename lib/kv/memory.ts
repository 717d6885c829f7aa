/** The key-value port in memory, for one process. What has expired is dropped when it is met, or by a sweep. */
import type { Clock } from "../actor/ports";
import { keepNewest } from "../keep-newest";
import type { Kv, ListPush } from "./kv";
import { SortedSet } from "./sorted-set";

interface Entry<V = Value> {
  readonly value: V;
  /** Wall-clock milliseconds; Infinity when it never expires. */
  expiresAt: number;
}

type Value = string | string[] | Map<string, string> | SortedSet;

/** How many entries each write looks at, in turn, to drop those that have expired. */
const SWEPT_PER_WRITE = 4;

export interface MemoryKvOptions {
  clock: Pick<Clock, "now">;
  /** Beyond so many keys the oldest goes, as in a cache; leases are not counted and never go. */
  maxKeys?: number;
}

export class MemoryKv implements Kv {
  private readonly entries = new Map<string, Entry>();
  private readonly leases = new Map<string, { holder: string; expiresAt: number }>();
  private sweeping: Iterator<[string, Entry]> = this.entries.entries();
  private granted = 0;
  private closed = false;
  private readonly clock: Pick<Clock, "now">;
  private readonly maxKeys: number;

  constructor({ clock, maxKeys = 1_000_000 }: MemoryKvOptions) {
    this.clock = clock;
    this.maxKeys = maxKeys;
  }

  get(key: string): Promise<string | undefined> {
    return this.answer(() => this.read(key, isString));
  }

  set(key: string, value: string, options: { ttlMs?: number; ifAbsent?: boolean } = {}): Promise<boolean> {
    return this.answer(() => {
      if (options.ifAbsent && this.entry(key)) return false;
      this.write(key, value, this.expiry(options.ttlMs));
      return true;
    });
  }

  delete(...keys: string[]): Promise<void> {
    return this.answer(() => keys.forEach((key) => this.entries.delete(key)));
  }

  increment(key: string, by: number, ttlMs: number): Promise<{ value: number; expiresInMs: number }> {
    return this.answer(() => {
      const value = Number(this.read(key, isString) ?? 0) + by;
      if (!Number.isSafeInteger(value)) throw new Error(`the key ${key} holds no counter`);
      const expiresAt = this.entry(key)?.expiresAt ?? this.expiry(ttlMs);
      this.write(key, String(value), expiresAt);
      return { value, expiresInMs: expiresAt - this.clock.now() };
    });
  }

  listPush(lists: readonly ListPush[], options: { max: number; ttlMs: number }): Promise<void> {
    return this.answer(() => {
      for (const { key, values } of lists) {
        const list = [...(this.read(key, isList) ?? []), ...values];
        this.write(key, list.slice(-options.max), this.expiry(options.ttlMs));
      }
    });
  }

  listRead(key: string): Promise<string[]> {
    return this.answer(() => [...(this.read(key, isList) ?? [])]);
  }

  hashSet(key: string, fields: Readonly<Record<string, string>>, ttlMs?: number): Promise<void> {
    return this.answer(() => {
      const hash = this.read(key, isHash) ?? new Map<string, string>();
      for (const [field, value] of Object.entries(fields)) hash.set(field, value);
      if (hash.size > 0) this.keep(key, hash, ttlMs);
    });
  }

  hashRead(key: string): Promise<Record<string, string>> {
    return this.answer(() => Object.fromEntries(this.read(key, isHash) ?? []));
  }

  hashDelete(key: string, ...fields: string[]): Promise<void> {
    return this.answer(() => {
      const hash = this.read(key, isHash);
      for (const field of fields) hash?.delete(field);
      if (hash?.size === 0) this.entries.delete(key);
    });
  }

  sortedAdd(key: string, entries: ReadonlyArray<{ member: string; score: number }>): Promise<void> {
    return this.answer(() => {
      if (entries.length === 0) return;
      const sorted = this.read(key, isSorted) ?? new SortedSet();
      for (const { member, score } of entries) sorted.add(member, score);
      this.keep(key, sorted);
    });
  }

  sortedRange(key: string, min: number, max: number, limit?: number): Promise<{ member: string; score: number }[]> {
    return this.answer(() => this.read(key, isSorted)?.range(min, max, limit) ?? []);
  }

  sortedRemove(key: string, ...members: string[]): Promise<void> {
    return this.answer(() => {
      const sorted = this.read(key, isSorted);
      for (const member of members) sorted?.remove(member);
      if (sorted?.size === 0) this.entries.delete(key);
    });
  }

  acquire(name: string, holder: string, ttlMs: number): Promise<{ token: number } | undefined> {
    return this.answer(() => {
      if (this.lease(name)) return undefined;
      this.leases.set(name, { holder, expiresAt: this.expiry(ttlMs) });
      this.granted = Math.max(this.granted + 1, Math.floor(this.clock.now()));
      return { token: this.granted };
    });
  }

  renew(name: string, holder: string, ttlMs: number): Promise<boolean> {
    return this.answer(() => {
      const lease = this.lease(name);
      if (lease?.holder !== holder) return false;
      lease.expiresAt = this.expiry(ttlMs);
      return true;
    });
  }

  release(name: string, holder: string): Promise<void> {
    return this.answer(() => {
      if (this.lease(name)?.holder === holder) this.leases.delete(name);
    });
  }

  time(): Promise<number> {
    return this.answer(() => this.clock.now());
  }

  ping(): Promise<void> {
    return this.answer(() => undefined);
  }

  close(): Promise<void> {
    this.closed = true;
    this.entries.clear();
    this.leases.clear();
    return Promise.resolve();
  }

  /** Number of keys held, expired ones that were not yet met included. */
  get size(): number {
    return this.entries.size;
  }

  private answer<T>(run: () => T): Promise<T> {
    return new Promise((resolve) => {
      if (this.closed) throw new Error("the key-value store is closed");
      resolve(run());
    });
  }

  private expiry(ttlMs: number | undefined): number {
    return ttlMs === undefined ? Infinity : this.clock.now() + ttlMs;
  }

  private entry(key: string): Entry | undefined {
    const entry = this.entries.get(key);
    if (!entry || entry.expiresAt > this.clock.now()) return entry;
    this.entries.delete(key);
    return undefined;
  }

  private lease(name: string): { holder: string; expiresAt: number } | undefined {
    const lease = this.leases.get(name);
    if (!lease || lease.expiresAt > this.clock.now()) return lease;
    this.leases.delete(name);
    return undefined;
  }

  private read<V extends Value>(key: string, isKind: (value: Value) => value is V): V | undefined {
    const value = this.entry(key)?.value;
    if (value === undefined) return undefined;
    if (!isKind(value)) throw new Error(`the key ${key} holds a value of another kind`);
    return value;
  }

  /** Writes a value that may have been there, with its old expiry unless a new one is given. */
  private keep(key: string, value: Value, ttlMs?: number): void {
    const before = ttlMs === undefined ? this.entry(key)?.expiresAt : undefined;
    this.write(key, value, before ?? this.expiry(ttlMs));
  }

  private write(key: string, value: Value, expiresAt: number): void {
    this.entries.delete(key);
    this.entries.set(key, { value, expiresAt });
    this.sweep();
    keepNewest(this.entries, this.maxKeys);
  }

  /** Goes on where the last sweep stopped; a Map's iterator bears changes while it stands. */
  private sweep(): void {
    const now = this.clock.now();
    for (let i = 0; i < SWEPT_PER_WRITE; i++) {
      const next = this.sweeping.next();
      if (next.done) {
        this.sweeping = this.entries.entries();
        return;
      }
      if (next.value[1].expiresAt <= now) this.entries.delete(next.value[0]);
    }
  }
}

const isString = (value: Value): value is string => typeof value === "string";
const isList = (value: Value): value is string[] => Array.isArray(value);
const isHash = (value: Value): value is Map<string, string> => value instanceof Map;
const isSorted = (value: Value): value is SortedSet => value instanceof SortedSet;
