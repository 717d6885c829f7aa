import { isParleyError, ParleyError } from "../errors";
import { type Attempts, LostNodeError } from "./attempts";
import { Backoff } from "./backoff";
import type { Peers } from "./peers";
import type { Clock, Random } from "./ports";
import { pause } from "./time";

/** How one attempt failed, as far as routing is concerned. */
export type Failure =
  /** The node is gone and did not run it. */
  | "not run"
  /** The node is not the home any more and did not run it. */
  | "moved"
  /** No answer: it may have run, or may still run. */
  | "no answer"
  /** The action itself answered with an error: it is the caller's. */
  | "answered";

/**
 * What may be asked again without knowing whether it ran: a read; a command, whose id makes its repeat safe; nothing.
 */
export type Repeats = "read" | "command" | "never";

export interface RouterPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly peers: Peers;
  readonly attempts: Attempts;
  /** This node's own name: it is not watched. */
  readonly self?: string;
  /** The nodes that offer what is called, as this node's registry knows them. */
  nodes(): readonly string[];
  classify(error: unknown): Failure;
  /** This node reaches no other one, and has not for a while: nobody waits for that to end. */
  readonly cutOff?: () => boolean;
}

/** Sends a request to a node; rejects after `timeoutMs`, from when on the node decides nothing of it. */
export type Attempt<T> = (node: string, timeoutMs: number) => Promise<T>;

interface Route<T> {
  readonly choose: (nodes: readonly string[]) => string | undefined;
  readonly deadline: number;
  readonly attempt: Attempt<T>;
  readonly repeats: Repeats;
  readonly needsStore: boolean;
}

/**
 * Finds who is asked, and repeats what got no answer, within the caller's deadline: an actor's home by rendezvous
 * hashing, or any node.
 *
 * Routing is an optimisation: with two homes at once the fence keeps the log right. A time-out alone moves nothing: the
 * same home is asked again, and only a node that left the registry or fails a ping is passed over. While no node offers
 * what is called, the call waits.
 *
 * A command is refused for good only when no earlier attempt can be decided any more, nor written by another node than
 * the one that refuses: else whoever was refused might find it done.
 */
export class Router {
  constructor(private readonly ports: RouterPorts) {}

  /** The home of this actor as this node sees it; undefined when no node may be one. */
  home(id: string): string | undefined {
    return this.ports.peers.home(id, this.ports.nodes());
  }

  /**
   * Calls the actor's home until it answers.
   * @param deadline wall-clock milliseconds
   * @throws what the action answered; past the deadline ParleyError UNAVAILABLE when surely nothing ran or it was a
   * read, else UNKNOWN_OUTCOME
   */
  call<T>(id: string, deadline: number, attempt: Attempt<T>, repeats: Repeats = "command"): Promise<T> {
    const choose = (nodes: readonly string[]) => this.ports.peers.home(id, nodes);
    return this.run({ choose, deadline, attempt, repeats, needsStore: true });
  }

  /** Calls this node if it offers the action, else any other that does. @throws as `call`; what is never repeated: its error */
  any<T>(deadline: number, attempt: Attempt<T>, repeats: Repeats): Promise<T> {
    const choose = (nodes: readonly string[]) => this.nearest(nodes);
    return this.run({ choose, deadline, attempt, repeats, needsStore: false });
  }

  private nearest(nodes: readonly string[]): string | undefined {
    const { self, peers, random } = this.ports;
    const candidates = peers.candidates(nodes);
    if (self !== undefined && nodes.includes(self)) return self;
    return candidates[Math.floor(random.float() * candidates.length)];
  }

  private async run<T>(route: Route<T>): Promise<T> {
    const { clock, random } = this.ports;
    const backoff = new Backoff(clock, random, { firstMs: 20, maxMs: 500 });
    const doubt: Doubt = { mayHaveRun: false, openUntil: 0, nodes: new Set() };
    let attemptMs = ATTEMPT_MS;
    for (;;) {
      const now = clock.now();
      const node = route.choose(this.ports.nodes());
      if (now >= route.deadline || this.isHopeless(node)) throw new ParleyError(untold(doubt, route.repeats));
      if (node !== undefined) {
        const end = route.repeats === "never" ? route.deadline : Math.min(route.deadline, now + attemptMs);
        try {
          return await this.ask(node, end - now, route);
        } catch (error) {
          const failure = this.ports.classify(error);
          // What a slow store draws out is not begun again and again, and never done.
          if (clock.now() >= end) attemptMs *= 2;
          if (failure === "answered") await this.answered(error, { node, end }, doubt, route);
          else if (failure === "no answer") {
            if (route.repeats === "never") throw error;
            doubt.mayHaveRun = true;
            doubt.nodes.add(node);
            doubt.openUntil = Math.max(doubt.openUntil, end);
          }
          if (await this.passOver(node, failure, error, route)) continue;
        }
      }
      await backoff.wait();
    }
  }

  private isHopeless(node: string | undefined): boolean {
    const { self, cutOff } = this.ports;
    return (node === undefined || node !== self) && (cutOff?.() ?? false);
  }

  /** Throws what the caller is told; resolves when it should be asked again. */
  private async answered<T>(
    error: unknown,
    { node, end }: { readonly node: string; readonly end: number },
    doubt: Doubt,
    { repeats, deadline }: Route<T>,
  ): Promise<void> {
    const { clock } = this.ports;
    const type = isParleyError(error) ? error.type : undefined;
    const saysNothingRan = type === "UNAVAILABLE" || type === "TOO_BUSY";
    // The attempt was given up for its time alone, and the caller has more.
    if (end < deadline && clock.now() >= end && (type === "UNAVAILABLE" || type === "UNKNOWN_OUTCOME")) {
      doubt.mayHaveRun ||= type === "UNKNOWN_OUTCOME";
      return;
    }
    if (!doubt.mayHaveRun || repeats !== "command" || type === "UNKNOWN_OUTCOME") throw error;
    if (saysNothingRan) throw new ParleyError("UNKNOWN_OUTCOME");
    const open = Math.min(doubt.openUntil, deadline) - clock.now();
    if (open > 0) return pause(clock, open);
    // Who refuses knows what it has under way itself, not what another one decided and has yet to write.
    const elsewhere = [...doubt.nodes].some((asked) => asked !== node);
    throw elsewhere ? new ParleyError("UNKNOWN_OUTCOME") : error;
  }

  private ask<T>(node: string, timeoutMs: number, { attempt, needsStore }: Route<T>): Promise<T> {
    const answer = attempt(node, timeoutMs);
    return node === this.ports.self ? answer : this.ports.attempts.watch(node, needsStore, answer);
  }

  /** Learns from a failure; true when another node can be asked at once. */
  private async passOver<T>(node: string, failure: Failure, error: unknown, { choose }: Route<T>): Promise<boolean> {
    const { peers, nodes } = this.ports;
    if (failure === "not run" || failure === "answered") return false;
    if (failure === "moved") peers.sentAway(node);
    // One that is known to be lost, or left the registry, needs no ping.
    else if (!(error instanceof LostNodeError) && nodes().includes(node)) await peers.suspect(node);
    const next = choose(nodes());
    return next !== undefined && next !== node;
  }
}

/** What is not known of the attempts so far. */
interface Doubt {
  /** One got no answer. */
  mayHaveRun: boolean;
  /** Until then it may still be decided, in wall-clock milliseconds. */
  openUntil: number;
  /** Who gave none. */
  readonly nodes: Set<string>;
}

const untold = ({ mayHaveRun }: Doubt, repeats: Repeats) =>
  mayHaveRun && repeats !== "read" ? "UNKNOWN_OUTCOME" : "UNAVAILABLE";

/** Of the first attempt, and those after it, until one is given up for its time. */
const ATTEMPT_MS = 3_000;
