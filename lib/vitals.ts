import type { ServiceBroker } from "moleculer";
import type { Clock } from "./actor/ports";
import { pingTransporter } from "./transporter";
import { resourcesOf } from "./resources";

/** What a node depends on. */
export const PARTS = ["broker", "store", "kv"] as const;
export type Part = (typeof PARTS)[number];
export type PartState = "up" | "down";

export interface VitalsPorts {
  readonly clock: Clock;
  /** Each resolves after one round trip to its part. */
  readonly pings: Readonly<Record<Part, () => Promise<void>>>;
}

/** A part that does not answer within this is down. */
const TIMEOUT_MS = 1_000;
/** A part that is down is asked more often, so that its return is noticed at once. */
const PAUSE_MS: Readonly<Record<PartState, number>> = { up: 700, down: 250 };

/**
 * Watches what a node depends on: each part is asked again and again, so that everybody knows at once whether it
 * answers instead of finding out by waiting. What is down is noticed within two seconds, its return within half a
 * second of its first answer.
 */
export class Vitals {
  private readonly states = new Map<Part, PartState>();
  private readonly cancels = new Map<Part, () => void>();
  private readonly listeners = new Set<(part: Part, state: PartState) => void>();
  private watching = false;

  constructor(private readonly ports: VitalsPorts) {}

  /** Begins to watch. Until a part has been asked it counts as up. */
  start(): void {
    this.watching = true;
    for (const part of PARTS) void this.watch(part);
  }

  stop(): void {
    this.watching = false;
    for (const cancel of this.cancels.values()) cancel();
    this.listeners.clear();
  }

  /** Did the part not answer when it was last asked? Never true while nobody watches. */
  isDown(part: Part): boolean {
    return this.states.get(part) === "down";
  }

  /** Tells of each part that goes down or comes back. Returns a function that stops it. */
  onChange(listener: (part: Part, state: PartState) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** How all parts are: as they are known while they are watched, else asked now. */
  async look(): Promise<Readonly<Record<Part, PartState>>> {
    const states = await Promise.all(
      PARTS.map(async (part) => [part, (this.watching && this.states.get(part)) || (await this.ask(part))] as const),
    );
    return Object.fromEntries(states) as Record<Part, PartState>;
  }

  private async watch(part: Part): Promise<void> {
    const state = await this.ask(part);
    if (!this.watching) return;
    const before = this.states.get(part) ?? "up";
    this.states.set(part, state);
    if (state !== before) for (const listener of this.listeners) listener(part, state);
    this.cancels.set(
      part,
      this.ports.clock.setTimeout(() => void this.watch(part), PAUSE_MS[state]),
    );
  }

  private ask(part: Part): Promise<PartState> {
    return new Promise((resolve) => {
      const cancel = this.ports.clock.setTimeout(() => resolve("down"), TIMEOUT_MS);
      const answer = (state: PartState) => (): void => {
        cancel();
        resolve(state);
      };
      this.ports.pings[part]().then(answer("up"), answer("down"));
    });
  }
}

const byBroker = new WeakMap<ServiceBroker, Vitals>();

/** The vitals of a broker's node. The node starts and stops the watch. */
export function vitalsOf(broker: ServiceBroker): Vitals {
  let vitals = byBroker.get(broker);
  if (!vitals) {
    const { clock, store, kv } = resourcesOf(broker);
    const pings = { broker: () => pingTransporter(broker), store: () => store.ping(), kv: () => kv.ping() };
    byBroker.set(broker, (vitals = new Vitals({ clock, pings })));
  }
  return vitals;
}
