import type { ListedMark } from "../../lib/actor/mark";
import type { Clock, Monotonic } from "../../lib/actor/ports";
import { inTime } from "../../lib/actor/time";
import type { RoomTable } from "./rooms/room-table";

export interface MarkWatchPorts {
  readonly clock: Clock;
  readonly monotonic: Monotonic;
  /** Every incarnation that wrote to the log, from the store. */
  readonly list: () => Promise<readonly ListedMark[]>;
  readonly rooms: Pick<RoomTable, "coreListed" | "resync">;
  /** Longest pause between two looks after which no mark can have come and gone, in milliseconds. */
  readonly longestGapMs?: number;
}

interface Seen {
  readonly renewals: number;
  /** When that number was first seen, in monotonic milliseconds. */
  readonly at: number;
}

/**
 * Finds core nodes that this io node does not hear, though others may: each writes its mark before its first insert, so
 * whoever reads the marks knows of every incarnation that can have written.
 */
export class MarkWatch {
  private seen = new Map<string, Seen>();
  private lookedAt: number;
  private cancel: (() => void) | undefined;
  private stopped = false;

  constructor(private readonly ports: MarkWatchPorts) {
    this.lookedAt = ports.monotonic();
  }

  /** Looks now, and again every two seconds. Resolves when the first look is over, or takes too long. */
  start(): Promise<void> {
    return inTime(this.ports.clock, FIRST_LOOK_MS, () => this.lookAndGoOn());
  }

  stop(): void {
    this.stopped = true;
    this.cancel?.();
  }

  private async lookAndGoOn(): Promise<void> {
    await this.look();
    if (!this.stopped) this.cancel = this.ports.clock.setTimeout(() => void this.lookAndGoOn(), LOOK_MS);
  }

  private async look(): Promise<void> {
    const { list, monotonic, rooms, longestGapMs = LONGEST_GAP_MS } = this.ports;
    const begun = monotonic();
    try {
      const marks = await list();
      if (this.stopped) return;
      if (begun - this.lookedAt > longestGapMs) rooms.resync();
      this.lookedAt = begun;
      this.take(marks);
    } catch {
      // Whatever is missed meanwhile is found by the next look, or by the resync after too long a gap.
    }
  }

  private take(marks: readonly ListedMark[]): void {
    const now = this.ports.monotonic();
    const seen = new Map<string, Seen>();
    for (const { incarnation, flush, renewals } of marks) {
      const before = this.seen.get(incarnation);
      const at = before?.renewals === renewals ? before.at : now;
      seen.set(incarnation, { renewals, at });
      const lives = now - at < LIVES_MS;
      if (lives) this.ports.rooms.coreListed(incarnation, flush);
    }
    this.seen = seen;
  }
}

const LOOK_MS = 2_000;
const FIRST_LOOK_MS = 2_000;
/** Owners renew their marks every five seconds. */
const LIVES_MS = 12_000;
/** Half of the time for which a mark stays after its last change. */
const LONGEST_GAP_MS = 30_000;
