import { availableParallelism } from "node:os";
import { hash, verify } from "@node-rs/argon2";
import { ParleyError } from "../../lib/errors";

/**
 * argon2id with the parameters of the OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane. About 25 ms of
 * one core each.
 */
export const ARGON2 = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** A hash of random bytes that nobody kept, made with `ARGON2`: verified when there is no account. */
export const NOBODY =
  "$argon2id$v=19$m=19456,t=2,p=1$ryqLx2NR5q1Yp/0zSptu8Q$BjL08be1lA+Gb0Rad6ztJLqLV8cBOLGR+LtlKSvFnBk";

export interface PasswordOptions {
  /** How many may wait; LIMIT_PASSWORD_QUEUE. */
  readonly queue: number;
  /** How many are hashed at once; by default one, or two where there are more than two cores. */
  readonly concurrency?: number;
  /** How one unit of work is done; argon2 unless a test replaces it. */
  readonly argon2?: Pick<Argon2, "hash" | "verify">;
}

interface Argon2 {
  hash(password: string): Promise<string>;
  verify(encoded: string, password: string): Promise<boolean>;
}

const nodeRs: Argon2 = {
  hash: (password) => hash(password, ARGON2),
  verify: (encoded, password) => verify(encoded, password),
};

/**
 * Hashes and verifies passwords in libuv's thread pool, few at a time, the others in a bounded queue: a flood of logins
 * costs the flooders their answers and chat nothing.
 *
 * `@node-rs/argon2` rather than `crypto.argon2`: it writes and reads the PHC string, which carries salt and parameters
 * along, and compares in constant time; Node's own returns raw bytes and is not declared stable. argon2 has no length
 * limit (bcrypt's is 72 bytes), so every character counts.
 */
export class Passwords {
  readonly #argon2: Argon2;
  readonly #concurrency: number;
  readonly #queue: number;
  readonly #waiting: Array<() => void> = [];
  #running = 0;

  constructor(options: PasswordOptions) {
    this.#argon2 = options.argon2 ?? nodeRs;
    this.#queue = options.queue;
    this.#concurrency = options.concurrency ?? (availableParallelism() > 2 ? 2 : 1);
  }

  /** How many wait for their turn. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * The PHC string of a password.
   * @throws ParleyError TOO_BUSY when the queue is full
   */
  hash(password: string): Promise<string> {
    return this.#inTurn(() => this.#argon2.hash(prepare(password)));
  }

  /**
   * Is this the password of the hash? Without a hash the answer is no, after the same work: nobody learns from the
   * time whether an account exists.
   * @throws ParleyError TOO_BUSY when the queue is full
   */
  async verify(encoded: string | undefined, password: string): Promise<boolean> {
    const right = await this.#inTurn(() => this.#argon2.verify(encoded ?? NOBODY, prepare(password)));
    return right && encoded !== undefined;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#concurrency) this.#running += 1;
    else if (this.#waiting.length >= this.#queue) throw new ParleyError("TOO_BUSY");
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }
}

/** One password typed on two systems is one password (RFC 8265, OpaqueString: NFC). */
const prepare = (password: string): string => password.normalize("NFC");
