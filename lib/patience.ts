import type { Clock } from "./actor/ports";
import type { Contract } from "./contract";
import { ParleyError } from "./errors";
import { errorTypeOf } from "./middlewares/errors";
import type { Vitals } from "./vitals";

export interface PatienceOptions {
  readonly clock: Clock;
  readonly vitals: Pick<Vitals, "isDown" | "onChange">;
  /** Nothing that this node needs can go away without it: every call is waited for. */
  readonly endless?: boolean;
}

interface Waiting {
  readonly since: number;
  giveUp(): void;
}

/** A caller waits so long for an answer, in milliseconds, once it is known that none can come. */
const PATIENCE_MS = 1_500;
const LOOK_MS = 100;
const NO_ANSWER = { type: "REQUEST_TIMEOUT" };

/**
 * How long callers from outside wait: to the deadline, but not while the broker or the store is down. Then each is told
 * after `PATIENCE_MS` what is known: UNKNOWN_OUTCOME for what may be written when the part is back, else UNAVAILABLE.
 */
export class Patience {
  /** In the order in which they began. */
  private readonly waiting = new Set<Waiting>();
  private cancel: (() => void) | undefined;
  private readonly forget: () => void;

  constructor(private readonly options: PatienceOptions) {
    this.forget = options.vitals.onChange(() => this.look());
  }

  stop(): void {
    this.forget();
    this.cancel?.();
  }

  /**
   * The outcome of the call, as long as there is patience. What a contract does not call UNKNOWN_OUTCOME is a read.
   * @throws what the call rejects with; ParleyError UNKNOWN_OUTCOME or UNAVAILABLE, retryable
   */
  wait<T>(call: Promise<T>, contract: Pick<Contract, "errors">): Promise<T> {
    if (this.options.endless) return call;
    return new Promise<T>((resolve, reject) => {
      const giveUp = (): void => reject(new ParleyError(errorTypeOf(NO_ANSWER, contract)));
      const entry: Waiting = { since: this.options.clock.now(), giveUp };
      this.waiting.add(entry);
      if (this.isHopeless) this.lookLater();
      call.then(
        (value) => {
          this.waiting.delete(entry);
          resolve(value);
        },
        (error: unknown) => {
          this.waiting.delete(entry);
          reject(error as Error);
        },
      );
    });
  }

  private get isHopeless(): boolean {
    return this.options.vitals.isDown("store") || this.options.vitals.isDown("broker");
  }

  private look(): void {
    if (!this.isHopeless) return;
    const before = this.options.clock.now() - PATIENCE_MS;
    for (const entry of this.waiting) {
      if (entry.since > before) break;
      this.waiting.delete(entry);
      entry.giveUp();
    }
    if (this.waiting.size > 0) this.lookLater();
  }

  private lookLater(): void {
    this.cancel ??= this.options.clock.setTimeout(() => {
      this.cancel = undefined;
      this.look();
    }, LOOK_MS);
  }
}
