import { createHash } from "node:crypto";
import { isIPv6 } from "node:net";
import { LRUCache } from "lru-cache";
import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import type { Clock } from "../../lib/actor/ports";
import { inTime } from "../../lib/actor/time";
import { ParleyError } from "../../lib/errors";
import type { Kv } from "../../lib/kv/kv";
import type { Resources } from "../../lib/resources";
import { searchKey } from "../users/search-key";

const MINUTE_SECONDS = 60;
/** So many keys are remembered; beyond that the one unused for longest starts anew. */
const MAX_KEYS = 50_000;
/** An attempt waits so long for the common count; after one that waited in vain, the next ones do not. */
const PATIENCE_MS = 100;
const ALONE_MS = 1_000;

/** Where the attempts at all nodes are counted together. */
export interface SharedCount {
  readonly kv: Pick<Kv, "increment">;
  readonly clock: Clock;
  /** What is limited; each limit has its own. */
  readonly name: string;
}

export interface AttemptLimitOptions {
  readonly maxKeys?: number;
  /** Absent where one node is all there is. */
  readonly shared?: SharedCount | undefined;
}

/**
 * Counts attempts per key in windows of a minute: at this node in bounded memory, and together with the other nodes in
 * the key-value store. While that does not answer, what this node has counted is all there is.
 */
export class AttemptLimit {
  readonly #perMinute: number;
  readonly #limiter: RateLimiterMemory;
  readonly #keys: LRUCache<string, true>;
  readonly #shared: SharedCount | undefined;
  /** Until then nobody waits for the key-value store. */
  #aloneUntil = 0;

  constructor(perMinute: number, { maxKeys = MAX_KEYS, shared }: AttemptLimitOptions = {}) {
    const limiter = new RateLimiterMemory({ points: perMinute, duration: MINUTE_SECONDS });
    this.#perMinute = perMinute;
    this.#shared = shared;
    this.#limiter = limiter;
    this.#keys = new LRUCache({
      max: maxKeys,
      dispose: (_value, key, reason) => {
        if (reason === "evict") void limiter.delete(key);
      },
    });
  }

  /**
   * Counts one attempt.
   * @throws ParleyError RATE_LIMITED with `retryInMs`
   */
  async attempt(key: string): Promise<void> {
    this.#keys.set(key, true);
    try {
      await this.#limiter.consume(key);
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal;
      throw refused(refusal.msBeforeNext);
    }
    const counted = this.#shared && (await this.#count(this.#shared, key));
    if (counted && counted.value > this.#perMinute) throw refused(counted.expiresInMs);
  }

  /** The attempts at all nodes; undefined when that cannot be known soon. */
  async #count({ kv, clock, name }: SharedCount, key: string): Promise<Counted | undefined> {
    if (clock.now() < this.#aloneUntil) return undefined;
    const counted = await inTime(clock, PATIENCE_MS, () =>
      kv.increment(`limit:${name}:${key}`, 1, MINUTE_SECONDS * 1_000).catch(() => undefined),
    );
    if (!counted) this.#aloneUntil = clock.now() + ALONE_MS;
    return counted;
  }
}

interface Counted {
  readonly value: number;
  readonly expiresInMs: number;
}

const refused = (retryInMs: number): ParleyError =>
  new ParleyError("RATE_LIMITED", { retryInMs: Math.max(1, Math.ceil(retryInMs)) });

/**
 * The key of a caller's address: an IPv6 network of 64 bits is one caller, since its holder can use every address in
 * it. Callers whose address is not known share one key.
 */
export function addressKey(ip: string | undefined): string {
  if (ip === undefined) return "ip:unknown";
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip);
  if (mapped?.[1]) return `ip:${mapped[1]}`;
  return isIPv6(ip) ? `ip:${networkOf(ip)}` : `ip:${ip}`;
}

/** The common count of a limit of this name, unless this node is alone. */
export const sharedCount = ({ sole, kv, clock }: Resources, name: string): SharedCount | undefined =>
  sole ? undefined : { kv, clock, name };

/** The key of an e-mail address, which does not show it and has a fixed size. */
export const emailKey = (email: string): string =>
  `email:${createHash("sha256").update(searchKey(email)).digest("base64url")}`;

/** The first four groups of an IPv6 address, written out. */
function networkOf(ip: string): string {
  const [head = "", tail] = ip.replace(/%.*$/, "").split("::");
  const first = head === "" ? [] : head.split(":");
  const last = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - first.length - last.length)).fill("0");
  return [...first, ...zeros, ...last]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}
