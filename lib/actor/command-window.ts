import { keepNewest } from "../keep-newest";
import type { Command } from "./behaviour";
import type { Call } from "./call";
import type { LogDocument } from "./ports";

interface InFlight<S, C extends Command, D extends LogDocument, N> {
  readonly call: Call<C, D, N>;
  readonly event: D;
  /** The state after the event. */
  readonly state: S;
  /** Repeats that arrived before the event was durable. */
  followers: Array<Call<C, D, N>>;
}

/**
 * The commands that an activation need not look up in the log to know a repeat: those in flight to the writer, in the
 * order of their seqs, and the last that became durable. A repeat is answered with what it repeats, and never before
 * that is durable.
 */
export class CommandWindow<S, C extends Command, D extends LogDocument, N> {
  private inFlight: Array<InFlight<S, C, D, N>> = [];
  private readonly inFlightByCommand = new Map<string, InFlight<S, C, D, N>>();
  /** Repeats that wait for what is in flight. */
  private followers = 0;
  private readonly durable = new Map<string, D>();

  constructor(private readonly id: string) {}

  /** Callers that wait for what is in flight. */
  get size(): number {
    return this.inFlight.length + this.followers;
  }

  /** Nothing is in flight. */
  get settled(): boolean {
    return this.inFlight.length === 0;
  }

  /** The events in flight; bound, so that it can be handed on. */
  readonly undurable = (): readonly D[] => this.inFlight.map(({ event }) => event);

  /** Takes up a command whose event goes to the writer now. */
  add(call: Call<C, D, N>, event: D, state: S): void {
    call.phase = "in flight";
    const entry: InFlight<S, C, D, N> = { call, event, state, followers: [] };
    this.inFlight.push(entry);
    this.inFlightByCommand.set(commandKey(call.command), entry);
  }

  /** Takes charge of a call that repeats a command known here; false if it repeats none. */
  takeRepeat(call: Call<C, D, N>): boolean {
    const key = commandKey(call.command);
    const entry = this.inFlightByCommand.get(key);
    if (entry) {
      call.phase = "in flight";
      entry.followers.push(call);
      this.followers++;
      return true;
    }
    const event = this.durable.get(key);
    if (event) call.answerRepeat(event);
    return event !== undefined;
  }

  /** Takes out the oldest in flight. @throws Error when that is not `event`: the writer keeps the order of seqs */
  take(event: D): InFlight<S, C, D, N> {
    const entry = this.inFlight.shift();
    if (entry?.event !== event) throw new Error(`log of ${this.id}: answers out of order at seq ${event.seq}`);
    this.inFlightByCommand.delete(commandKey(event));
    this.followers -= entry.followers.length;
    return entry;
  }

  /** Takes out all that is in flight, and says who waited for it. */
  takeAll(): Array<Call<C, D, N>> {
    const calls = this.inFlight.flatMap(({ call, followers }) => [call, ...followers]);
    this.inFlight = [];
    this.inFlightByCommand.clear();
    this.followers = 0;
    return calls;
  }

  /** Keeps a durable event for later repeats of its command. */
  remember(event: D): void {
    this.durable.set(commandKey(event), event);
    keepNewest(this.durable, MAX_REMEMBERED);
  }

  /** Answers those whose deadline has passed; what they wait for stays in flight. */
  expire(now: number): void {
    for (const entry of this.inFlight) {
      entry.call.expire(now);
      for (const follower of entry.followers) follower.expire(now);
      const waiting = entry.followers.filter(({ settled }) => !settled);
      this.followers -= entry.followers.length - waiting.length;
      entry.followers = waiting;
    }
  }
}

/** Durable commands remembered per activation; older repeats are found in the log. */
const MAX_REMEMBERED = 16;
const commandKey = ({ by, commandId }: { by: string; commandId: string }): string => `${by}\n${commandId}`;
