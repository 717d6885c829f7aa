import type { Clock } from "./actor/ports";
import { keepNewest } from "./keep-newest";

interface Offsets {
  since: number;
  /** The least difference of clocks seen since then, and in the window before. */
  least: number;
  before: number;
}

/**
 * Translates the deadlines of other nodes, whose wall clocks may be minutes off, into this node's time. Each request
 * says how long its sender still waits, and so when it was sent: of two that were sent by one clock, the one that was
 * under way for longer shows a greater difference. The least difference seen lately stands for the offset of the clocks,
 * and whatever a request shows beyond it is time that it has lost under way (the minimum filter of RFC 5905, section 10,
 * one way). So a request that waited in a node that stood still is as old as it is.
 *
 * A clock that is set is followed within 20 s; requests that seem too old until then are dropped, and repeated.
 */
export class RemoteDeadlines {
  private readonly offsets = new Map<string, Offsets>();

  constructor(private readonly clock: Clock) {}

  /**
   * @param deadline wall-clock milliseconds of `sender`
   * @param leftMs what was left until then when it was sent
   * @returns wall-clock milliseconds of this node
   */
  here(sender: string, deadline: number, leftMs: number): number {
    const now = this.clock.now();
    return deadline + this.offset(sender, now - (deadline - leftMs), now);
  }

  private offset(sender: string, difference: number, now: number): number {
    let offsets = this.offsets.get(sender);
    if (!offsets) {
      offsets = { since: now, least: difference, before: difference };
      this.offsets.set(sender, offsets);
      keepNewest(this.offsets, MAX_SENDERS);
    }
    // A window ends with the first request after its time: however long nothing came, there is one to compare with.
    if (Math.abs(now - offsets.since) >= WINDOW_MS) {
      offsets.before = offsets.least;
      offsets.least = difference;
      offsets.since = now;
    }
    offsets.least = Math.min(offsets.least, difference);
    return Math.min(offsets.least, offsets.before);
  }
}

const WINDOW_MS = 10_000;
/** Nodes get new names when they start again. */
const MAX_SENDERS = 1_000;
