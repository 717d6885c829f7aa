import { isParleyError, ParleyError } from "../errors";
import { Backoff } from "./backoff";
import type { Clock, Random } from "./ports";
import { rendezvous } from "./rendezvous";

/** How one attempt failed, as far as routing is concerned. */
export type Failure =
  /** The node is gone and did not run it. */
  | "not run"
  /** No answer: it may have run, or may still run. */
  | "no answer"
  /** The action itself answered with an error: it is the caller's. */
  | "answered";

export interface RouterPorts {
  readonly clock: Clock;
  readonly random: Random;
  /** Nodes that may be homes now: live, not draining, with a store that answers. */
  homes(): readonly string[];
  classify(error: unknown): Failure;
  /** Does the node answer at all? */
  ping(node: string): Promise<boolean>;
}

/** Sends a request to a node; rejects after `timeoutMs`. */
export type Attempt<T> = (node: string, timeoutMs: number) => Promise<T>;

/**
 * Finds the home of an actor by rendezvous hashing and repeats what got no answer, within the caller's deadline.
 *
 * Routing is an optimisation: with two homes at once the fence keeps the log right. Repeating is safe because every
 * routed action is a read or carries a commandId. A time-out alone moves nothing: the same home is asked again, and
 * only a node that left the registry or fails a ping is passed over.
 */
export class Router {
  /** Nodes that failed a ping, until when they are passed over. */
  private readonly lost = new Map<string, number>();

  constructor(private readonly ports: RouterPorts) {}

  /** The home of this actor as this node sees it; undefined when no node may be one. */
  home(id: string): string | undefined {
    const homes = this.ports.homes();
    if (homes.length === 1 || this.lost.size === 0) return rendezvous(id, homes);
    const now = this.ports.clock.now();
    const alive = homes.filter((node) => (this.lost.get(node) ?? 0) <= now);
    return rendezvous(id, alive.length > 0 ? alive : homes);
  }

  /**
   * Calls the actor's home until it answers.
   * @throws what the action answered; ParleyError UNAVAILABLE past the deadline when surely nothing ran, else UNKNOWN_OUTCOME
   */
  async call<T>(id: string, deadline: number, attempt: Attempt<T>): Promise<T> {
    const { clock, random, classify } = this.ports;
    const backoff = new Backoff(clock, random, { firstMs: 20, maxMs: 500 });
    let mayHaveRun = false;
    for (;;) {
      const left = deadline - clock.now();
      if (left <= 0) throw new ParleyError(mayHaveRun ? "UNKNOWN_OUTCOME" : "UNAVAILABLE");
      const node = this.home(id);
      if (node !== undefined) {
        try {
          return await attempt(node, Math.min(left, ATTEMPT_MS));
        } catch (error) {
          const failure = classify(error);
          if (failure === "answered")
            throw mayHaveRun && saysNothingRan(error) ? new ParleyError("UNKNOWN_OUTCOME") : error;
          if (failure === "no answer") {
            mayHaveRun = true;
            await this.suspect(node);
          }
        }
      }
      await backoff.wait();
    }
  }

  private async suspect(node: string): Promise<void> {
    if (await this.ports.ping(node)) this.lost.delete(node);
    else this.lost.set(node, this.ports.clock.now() + LOST_MS);
  }
}

/** True of the last attempt only: an earlier one may have run. */
const saysNothingRan = (error: unknown): boolean => isParleyError(error) && error.type === "UNAVAILABLE";

const ATTEMPT_MS = 3_000;
const LOST_MS = 3_000;
