import type { StoredEvent } from "../../../actors/conversation/conversation.events";
import type { Clock, Monotonic } from "../../../lib/actor/ports";
import { pause } from "../../../lib/actor/time";
import type { BrokerEvents } from "../../events";
import type { RoomLimits } from "./ports";
import type { Reader } from "./reader";

const TICKS_PER_SECOND = 2;
const TICK_MS = 1_000 / TICKS_PER_SECOND;
/** Pauses between looks into the log of a lost node, in seconds: an insert may land late. The last one repeats. */
const LOOK_AFTER_SECONDS = [1, 2, 4, 8, 15, 30, 60];
/** Seconds after which a lost incarnation is forgotten: no insert lands that late. */
const FORGET_AFTER_SECONDS = 3_600;

export interface TrackerPorts {
  readonly clock: Clock;
  readonly monotonic: Monotonic;
  readonly reader: Reader;
  readonly limits: RoomLimits;
  /** Events found in the log, to be treated as broadcast. */
  found(events: readonly StoredEvent[]): void;
  /** Too much is missing to read it, or nobody knows what: bring every room to the head of its log. */
  syncRooms(): void;
}

interface Incarnation {
  readonly name: string;
  /** Every event of the flushes through this one has been passed on. */
  through: number;
  /** The highest number known to be settled; `through` catches up with it. */
  settled: number;
  /** Numbers above `through` that have arrived whole. */
  readonly arrived: Set<number>;
  /** Parts that have arrived of flushes sent in several. */
  readonly parts: Map<number, Set<number>>;
  catchingUp: boolean;
  silentTicks: number;
  /** When it was last heard, in monotonic milliseconds. */
  heardAt: number;
  lost: { looks: number; nextInTicks: number; ticks: number } | undefined;
  looking: boolean;
}

/**
 * Notices which flushes of which core node did not arrive, and gets their events from the log.
 * Events of a broadcast are passed on before their number is noted here; rooms put them in order.
 */
export class FlushTracker {
  private readonly incarnations = new Map<string, Incarnation>();
  private stopTick: () => void;
  private stopped = false;
  /** When any of them was last heard, in monotonic milliseconds. */
  private heardAt: number;

  constructor(private readonly ports: TrackerPorts) {
    this.heardAt = ports.monotonic();
    this.stopTick = ports.clock.setTimeout(this.tick, TICK_MS);
  }

  /** A broadcast flush, or a part of it (`part` counts from 0). */
  received({ incarnation, flush, part, parts }: Omit<BrokerEvents["log.flush"], "events">): void {
    const node = this.heard(incarnation);
    if (flush <= node.through || node.arrived.has(flush)) return;
    if (parts > 1) {
      const have = node.parts.get(flush) ?? new Set();
      node.parts.set(flush, have.add(part));
      if (have.size === parts) this.whole(node, flush);
    } else this.whole(node, flush);
    this.settledThrough(node, flush);
  }

  /** The node says that this is its last settled flush. */
  beat(incarnation: string, flush: number): void {
    this.settledThrough(this.heard(incarnation), flush);
  }

  /** Everything through this flush lies before the first join of this node. */
  startAt(incarnation: string, flush: number): void {
    this.heard(incarnation);
    this.listedAtStart(incarnation, flush);
  }

  /**
   * The store lists an incarnation that lived lately, and says that its flushes through this one are settled. What it
   * wrote beyond them is looked for in the log, each time, unless it is heard.
   */
  listed(incarnation: string, flush: number): void {
    const isNew = !this.incarnations.has(incarnation);
    const node = this.find(incarnation);
    this.settledThrough(node, flush);
    if (!isNew && !node.lost) return;
    node.lost = undefined;
    this.lost(incarnation);
  }

  /** The same before the first join of this node: what comes later is looked for when it is not heard of. */
  listedAtStart(incarnation: string, flush: number): void {
    const node = this.find(incarnation);
    node.settled = Math.max(node.settled, flush);
    this.advance(node, flush);
  }

  /** The node is gone: what it wrote and did not broadcast is looked for in the log, several times. */
  lost(incarnation: string): void {
    const node = this.find(incarnation);
    if (node.lost) return;
    node.lost = { looks: 0, nextInTicks: 0, ticks: 0 };
    void this.look(node);
  }

  stop(): void {
    this.stopped = true;
    this.stopTick();
    this.incarnations.clear();
  }

  private find(name: string): Incarnation {
    let node = this.incarnations.get(name);
    if (!node) {
      node = {
        name,
        through: 0,
        settled: 0,
        arrived: new Set(),
        parts: new Map(),
        catchingUp: false,
        silentTicks: 0,
        heardAt: this.ports.monotonic(),
        lost: undefined,
        looking: false,
      };
      this.incarnations.set(name, node);
    }
    return node;
  }

  /**
   * Silence of all, or of one that is heard again, may be this node's own deafness (cut off, or its process stood still).
   * An incarnation that lived only meanwhile is never heard of, so its flushes cannot be asked for.
   */
  private heard(name: string): Incarnation {
    const node = this.find(name);
    const { monotonic, limits } = this.ports;
    const now = monotonic();
    const deaf = now - Math.min(node.heardAt, this.heardAt) > limits.deafMs;
    node.heardAt = now;
    this.heardAt = now;
    if (deaf) this.ports.syncRooms();
    node.silentTicks = 0;
    node.lost = undefined;
    return node;
  }

  private whole(node: Incarnation, flush: number): void {
    node.parts.delete(flush);
    node.arrived.add(flush);
    this.advance(node, node.through);
  }

  private advance(node: Incarnation, through: number): void {
    if (through > node.through) {
      node.through = through;
      for (const flush of node.arrived) if (flush <= through) node.arrived.delete(flush);
      for (const flush of node.parts.keys()) if (flush <= through) node.parts.delete(flush);
    }
    while (node.arrived.delete(node.through + 1)) node.through += 1;
  }

  private settledThrough(node: Incarnation, flush: number): void {
    node.settled = Math.max(node.settled, flush);
    if (node.settled > node.through && !node.catchingUp) void this.catchUp(node);
  }

  private async catchUp(node: Incarnation): Promise<void> {
    const { clock, limits } = this.ports;
    node.catchingUp = true;
    while (!this.stopped && node.through < node.settled) {
      await pause(clock, limits.reorderMs);
      if (node.through < node.settled) await this.fetchMissing(node);
    }
    node.catchingUp = false;
  }

  /** The first run of missing flushes. All of them are settled, so one read finds all that will ever be in them. */
  private async fetchMissing(node: Incarnation): Promise<void> {
    const from = node.through + 1;
    if (node.settled - node.through > this.ports.limits.missingFlushes) {
      this.advance(node, node.settled);
      this.ports.syncRooms();
      return;
    }
    let to = from;
    while (to < node.settled && !node.arrived.has(to + 1)) to += 1;
    const page = await this.ports.reader.flushes(node.name, from, to, () => !this.stopped);
    if (!page || this.stopped) return;
    this.ports.found(page.events);
    this.advance(node, page.through);
  }

  /** Looks beyond the last settled flush, too: a lost node may have written what it never told anybody. */
  private async look(node: Incarnation): Promise<void> {
    if (node.looking) return;
    node.looking = true;
    const end = node.through + this.ports.limits.missingFlushes;
    for (let from = node.through + 1; from <= end;) {
      const page = await this.ports.reader.flushes(node.name, from, end, () => !this.stopped);
      if (!page || this.stopped) break;
      this.ports.found(page.events);
      const newest = page.events.reduce((max, event) => Math.max(max, event.flush), 0);
      // Its flushes follow one another, so all before the newest one are settled.
      const settled = page.through < end ? page.through : newest - 1;
      if (settled > node.settled && node.lost) node.lost.looks = 0;
      this.settledThrough(node, settled);
      from = page.through + 1;
    }
    node.looking = false;
    if (!node.lost) return;
    const seconds = LOOK_AFTER_SECONDS[node.lost.looks] ?? LOOK_AFTER_SECONDS.at(-1) ?? 1;
    node.lost.nextInTicks = seconds * TICKS_PER_SECOND;
  }

  private readonly tick = (): void => {
    for (const node of this.incarnations.values()) this.tickOf(node);
    this.stopTick = this.ports.clock.setTimeout(this.tick, TICK_MS);
  };

  private tickOf(node: Incarnation): void {
    node.silentTicks += 1;
    if (!node.lost) {
      if (node.silentTicks >= this.ports.limits.silentSeconds * TICKS_PER_SECOND) this.lost(node.name);
      return;
    }
    node.lost.ticks += 1;
    node.lost.nextInTicks -= 1;
    if (node.lost.ticks > FORGET_AFTER_SECONDS * TICKS_PER_SECOND) this.incarnations.delete(node.name);
    else if (node.lost.nextInTicks <= 0 && !node.looking) {
      node.lost.looks += 1;
      void this.look(node);
    }
  }
}
