/**
 * Exclusive, expiring rights by name. `Kv` is one implementation (one process, in memory), `StoreLeases` the one of a
 * cluster.
 */
export interface Leases {
  /**
   * Takes a lease that nobody holds; undefined while somebody does. The token is greater than that of every earlier
   * grant of the name. `ttlMs` are milliseconds.
   */
  acquire(name: string, holder: string, ttlMs: number): Promise<Grant | undefined>;
  /** Extends a lease; false when it is no longer this holder's. */
  renew(name: string, holder: string, ttlMs: number): Promise<boolean>;
  release(name: string, holder: string): Promise<void>;
}

export interface Grant {
  /** The fencing token (Kleppmann, "How to do distributed locking"). */
  readonly token: number;
}
