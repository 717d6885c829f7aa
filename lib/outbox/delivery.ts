import type { Clock, Random } from "../actor/ports";
import { inTime } from "../actor/time";
import { sideBySide } from "../side-by-side";
import type { OutboxRow, OutboxStore } from "./outbox.store";
import type { Publisher } from "./publisher";

export interface DeliveryProbe {
  delivered(rows: number): void;
  failed(error: unknown): void;
  /** Given up after the last try. */
  died(): void;
}

export interface DeliveryOptions {
  readonly publisher: Pick<Publisher<never>, "name" | "deliver">;
  readonly rows: OutboxStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly probe: DeliveryProbe;
}

/** Is there still time? See `Turn.live`. */
export interface Time {
  live(): boolean;
}

/**
 * Delivers the rows of one publisher, at least once: several lanes at a time, each in order. A row that fails is tried
 * again with growing pauses, and what follows it in its lane waits for it; after the last try it is dead, and the lane
 * goes on.
 */
export class OutboxDelivery {
  constructor(private readonly options: DeliveryOptions) {}

  /** Delivers whatever is due, until nothing is or the time is up. */
  async run(time: Time): Promise<void> {
    const { rows, publisher, clock } = this.options;
    while (time.live()) {
      const page = await rows.due(publisher.name, clock.now(), PAGE);
      if (page.length === 0) return;
      await sideBySide(byLane(page), LANES_AT_ONCE, async ([lane, found]) => {
        if (time.live()) await this.deliverLane(lane, found, time);
      });
    }
  }

  /** Deletes what was delivered more than a week ago. */
  async clean(time: Time): Promise<void> {
    const { rows, publisher, clock } = this.options;
    while (time.live() && (await rows.clean(publisher.name, clock.now() - KEPT_MS, PAGE)) > 0);
  }

  private async deliverLane(lane: string, found: readonly OutboxRow[], time: Time): Promise<void> {
    const { rows, clock, probe } = this.options;
    const done: string[] = [];
    let blockedUntil: number | undefined;
    const batch = await rows.lane(lane, LANE_BATCH);
    for (const row of batch) {
      if (!time.live()) break;
      blockedUntil = row.at > clock.now() ? row.at : await this.tryRow(row, done);
      if (blockedUntil !== undefined) break;
    }
    await rows.delivered(done, clock.now());
    if (done.length > 0) probe.delivered(done.length);
    if (blockedUntil !== undefined) await this.holdBack([...batch, ...found], blockedUntil);
  }

  /** Puts off what is due behind a row that waits, so that it is not found again until then. */
  private holdBack(candidates: readonly OutboxRow[], until: number): Promise<void> {
    const now = this.options.clock.now();
    const ids = new Set(candidates.filter(({ at }) => at <= now).map(({ _id }) => _id));
    return this.options.rows.postpone([...ids], until);
  }

  /** Undefined when the lane may go on; else when the row is tried again. */
  private async tryRow(row: OutboxRow, done: string[]): Promise<number | undefined> {
    const { publisher, rows, clock, probe } = this.options;
    try {
      await inTime(
        clock,
        DELIVERY_MS,
        () => publisher.deliver(row),
        () => {
          throw new Error(`${publisher.name} took too long to deliver`);
        },
      );
      done.push(row._id);
      return undefined;
    } catch (error) {
      probe.failed(error);
    }
    const tries = row.tries + 1;
    if (tries >= MAX_TRIES) {
      probe.died();
      await rows.dead(row._id, tries, clock.now());
      return undefined;
    }
    const at = clock.now() + this.pauseMs(tries);
    await rows.failed(row._id, tries, at);
    return at;
  }

  /** Exponential, with half of it left to chance; the whole series lasts about a day. */
  private pauseMs(tries: number): number {
    const ceiling = Math.min(FIRST_PAUSE_MS * 2 ** (tries - 1), MAX_PAUSE_MS);
    return Math.round(ceiling * (0.5 + this.options.random.float() / 2));
  }
}

function byLane(rows: readonly OutboxRow[]): Map<string, OutboxRow[]> {
  const lanes = new Map<string, OutboxRow[]>();
  for (const row of rows) {
    const lane = lanes.get(row.lane);
    if (lane) lane.push(row);
    else lanes.set(row.lane, [row]);
  }
  return lanes;
}

const PAGE = 200;
const LANES_AT_ONCE = 8;
const LANE_BATCH = 50;
const DELIVERY_MS = 10_000;
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 3_600_000;
const MAX_TRIES = 48;
const KEPT_MS = 7 * 86_400_000;
