import type { Clock } from "./actor/ports";
import { inTime } from "./actor/time";
import { perBroker } from "./per-broker";
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

/** A part from which no answer came for so long is down. */
const SILENCE_MS = 1_500;
const TICK_MS = 300;
/** A question in so many ticks while the part is up; when it is down in each, so that its return is noticed at once. */
const TICKS_UP = 2;
/** Questions to a part that are not answered yet; one that takes longer than this is not waited for. */
const MAX_ASKED = 4;
const ASKED_MS = 2_000;
/** Ticks that are later than this are this process's own fault. */
const LATE_MS = 200;

/** How one part is, as far as its answers tell. */
class Watch {
  state: PartState = "up";
  asked = 0;
  answeredAt: number;
  private ticks = 0;
  private tickedAt: number;

  constructor(now: number) {
    this.answeredAt = now;
    this.tickedAt = now;
  }

  /** Is it time to ask? A pause of this process, or a jump of its clock, is not counted as the part's silence. */
  tick(now: number): boolean {
    const late = now - this.tickedAt - TICK_MS;
    if (Math.abs(late) > LATE_MS) this.answeredAt += late;
    this.tickedAt = now;
    if (now - this.answeredAt > SILENCE_MS) this.state = "down";
    return this.asked < MAX_ASKED && (this.state === "down" || ++this.ticks % TICKS_UP === 0);
  }

  answered(now: number): void {
    this.answeredAt = now;
    this.state = "up";
  }

  /** It says no by itself; unless it has answered another question since, that is all there is to know. */
  refused(askedAt: number): void {
    if (this.answeredAt < askedAt) this.state = "down";
  }
}

/**
 * Watches what a node depends on: each part is asked again and again, so that everybody knows at once whether it
 * answers instead of finding out by waiting. What is down is noticed within two seconds, its return within half a
 * second of its first answer. A part that is slow but answers is up.
 */
export class Vitals {
  private readonly watches = new Map<Part, Watch>();
  private readonly listeners = new Set<(part: Part, state: PartState) => void>();
  private cancel: (() => void) | undefined;

  constructor(private readonly ports: VitalsPorts) {}

  /** Begins to watch. */
  start(): void {
    for (const part of PARTS) this.watches.set(part, new Watch(this.ports.clock.now()));
    for (const [part, watch] of this.watches) this.question(part, watch);
    this.tickLater();
  }

  stop(): void {
    this.cancel?.();
    this.cancel = undefined;
    this.listeners.clear();
  }

  /** Did the part not answer lately? Never true while nobody watches. */
  isDown(part: Part): boolean {
    return this.watches.get(part)?.state === "down";
  }

  /** Tells of each part that goes down or comes back. Returns a function that stops it. */
  onChange(listener: (part: Part, state: PartState) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** How all parts are: as they are known while they are watched, else asked now. */
  async look(): Promise<Readonly<Record<Part, PartState>>> {
    const states = await Promise.all(
      PARTS.map(async (part) => [part, this.watches.get(part)?.state ?? (await this.ask(part))] as const),
    );
    return Object.fromEntries(states) as Record<Part, PartState>;
  }

  private tickLater(): void {
    this.cancel = this.ports.clock.setTimeout(() => {
      for (const [part, watch] of this.watches) {
        const ask = this.noticing(part, watch, () => watch.tick(this.ports.clock.now()));
        if (ask) this.question(part, watch);
      }
      this.tickLater();
    }, TICK_MS);
  }

  private question(part: Part, watch: Watch): void {
    const { clock, pings } = this.ports;
    const askedAt = clock.now();
    const learning = (learn: () => void) => (): void => {
      if (this.cancel) this.noticing(part, watch, learn);
    };
    const ask = (): Promise<void> =>
      pings[part]().then(
        learning(() => watch.answered(clock.now())),
        learning(() => watch.refused(askedAt)),
      );
    watch.asked++;
    void inTime(clock, ASKED_MS, ask).finally(() => watch.asked--);
  }

  private noticing<T>(part: Part, watch: Watch, learn: () => T): T {
    const before = watch.state;
    const learnt = learn();
    if (watch.state !== before) for (const listener of this.listeners) listener(part, watch.state);
    return learnt;
  }

  private ask(part: Part): Promise<PartState> {
    const { clock, pings } = this.ports;
    const down = (): PartState => "down";
    return inTime(clock, SILENCE_MS, () => pings[part]().then((): PartState => "up", down), down);
  }
}

/** The vitals of a broker's node. The node starts and stops the watch. */
export const vitalsOf = perBroker((broker) => {
  const { clock, store, kv } = resourcesOf(broker);
  const pings = { broker: () => pingTransporter(broker), store: () => store.ping(), kv: () => kv.ping() };
  return new Vitals({ clock, pings });
});
