import type { Monotonic } from "../actor/ports";
import type { Collection, CollectionDefinition, Store } from "../store/collection";
import { insertNew } from "../store/insert-new";
import type { Grant, Leases } from "./leases";

/** One grant or renewal. The one with the greatest number of its name is the lease as it stands. */
interface LeaseDocument {
  /** `<name>/<number>`. */
  _id: string;
  number: number;
  /** Empty when it was released. */
  holder: string;
  /** Unchanged for so long, it has expired. */
  ttlMs: number;
}

export const LEASES: CollectionDefinition = { name: "leases", indexes: [] };

/**
 * Leases in the document store. Every grant, renewal and release inserts the next number of the name, and the unique
 * `_id` decides who was first: no update has to be atomic, and no two clocks have to agree. A lease has expired for
 * whoever has seen it unchanged for its `ttlMs` by his own monotonic clock.
 */
export class StoreLeases implements Leases {
  private readonly collection: Collection<LeaseDocument>;
  /** The latest number of each name that somebody else has, and since when it is known. */
  private readonly seen = new Map<string, { readonly number: number; readonly since: number }>();
  /** The number last written here for each name, and when that was begun. */
  private readonly mine = new Map<string, { readonly number: number; readonly at: number }>();

  constructor(
    store: Store,
    private readonly monotonic: Monotonic,
  ) {
    this.collection = store.collection<LeaseDocument>(LEASES);
  }

  async acquire(name: string, holder: string, ttlMs: number): Promise<Grant | undefined> {
    const latest = await this.latest(name);
    if (latest && !this.isFree(name, latest, holder)) return undefined;
    const number = (latest?.number ?? 0) + 1;
    return (await this.insert(name, { number, holder, ttlMs })) ? { token: number } : undefined;
  }

  async renew(name: string, holder: string, ttlMs: number): Promise<boolean> {
    const mine = this.mine.get(name);
    // Whoever comes too late has to look first: the next number may have been used, and cleaned away since.
    if (!mine || this.monotonic() - mine.at >= ttlMs) return false;
    if (await this.insert(name, { number: mine.number + 1, holder, ttlMs })) return true;
    // An earlier renewal whose outcome was unknown may have taken the number: then the lease is ours still.
    const latest = await this.latest(name);
    if (latest?.holder === holder) return this.insert(name, { number: latest.number + 1, holder, ttlMs });
    this.mine.delete(name);
    return false;
  }

  async release(name: string, holder: string): Promise<void> {
    if (!this.mine.delete(name)) return;
    const latest = await this.latest(name);
    if (latest?.holder !== holder) return;
    await this.insert(name, { number: latest.number + 1, holder: "", ttlMs: 0 });
    this.mine.delete(name);
  }

  private isFree(name: string, { number, holder, ttlMs }: LeaseDocument, asking: string): boolean {
    if (holder === "" || holder === asking) return true;
    const seen = this.seen.get(name);
    if (seen?.number === number) return this.monotonic() - seen.since >= ttlMs;
    this.seen.set(name, { number, since: this.monotonic() });
    return false;
  }

  private latest(name: string): Promise<LeaseDocument | undefined> {
    return this.collection.findOne({ _id: { $gte: `${name}/`, $lt: `${name}/:` } }, { sort: { _id: -1 } });
  }

  /** True when nobody else was first. */
  private async insert(name: string, lease: Omit<LeaseDocument, "_id">): Promise<boolean> {
    const { number } = lease;
    const at = this.monotonic();
    if (!(await insertNew(this.collection, { _id: idOf(name, number), ...lease }))) return false;
    this.mine.set(name, { number, at });
    // A number is free again only long after a grant of it would be over: an insert that took so long gives nothing.
    if (number % CLEANED_EVERY === 0)
      await this.collection.deleteMany({ _id: { $gte: `${name}/`, $lt: idOf(name, number - KEPT) } });
    return true;
  }
}

const CLEANED_EVERY = 32;
const KEPT = 64;
const DIGITS = 16;
const idOf = (name: string, number: number): string => `${name}/${String(number).padStart(DIGITS, "0")}`;
