import { createHash } from "node:crypto";
import { isIPv6 } from "node:net";
import { LRUCache } from "lru-cache";
import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { ParleyError } from "../../lib/errors";
import { searchKey } from "../users/search-key";

const MINUTE_SECONDS = 60;
/** So many keys are remembered; beyond that the one unused for longest starts anew. */
const MAX_KEYS = 50_000;

/** Counts attempts per key in windows of a minute, in bounded memory. */
export class AttemptLimit {
  readonly #limiter: RateLimiterMemory;
  readonly #keys: LRUCache<string, true>;

  constructor(perMinute: number, { maxKeys = MAX_KEYS } = {}) {
    const limiter = new RateLimiterMemory({ points: perMinute, duration: MINUTE_SECONDS });
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
      throw new ParleyError("RATE_LIMITED", { retryInMs: Math.max(1, refusal.msBeforeNext) });
    }
  }
}

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
