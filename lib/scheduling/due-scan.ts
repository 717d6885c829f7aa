import type { Clock, Monotonic } from "../actor/ports";
import { inTime } from "../actor/time";
import { keepNewest } from "../keep-newest";
import { sideBySide } from "../side-by-side";
import type { Collection, Document, Filter } from "../store/collection";
import type { Turn } from "./job";

export interface DueScanOptions<D extends Document> {
  readonly collection: Pick<Collection<D>, "find">;
  /**
   * Field path of a wall-clock millisecond, with an index of the fields of `where`, then it, then `_id`: so a scan reads
   * nothing but what is due.
   */
  readonly field: string;
  readonly where?: Filter;
  /** Milliseconds after the field's time at which a document is due. */
  readonly afterMs?: number;
  /**
   * The effect, idempotent: it carries an id that follows from the document and `dueAt` (`timerCommandId`). It is done
   * again while the document stays due, and when it was interrupted. Whoever decides has the last word, by a clock of
   * his own: resolves with the milliseconds until it is due there, and with nothing when it was done.
   */
  act(document: D, dueAt: number): Promise<number | void>;
  readonly clock: Clock;
  readonly monotonic: Monotonic;
  readonly probe?: DueProbe;
}

export interface DueProbe {
  /** An effect was done; lateness in milliseconds. */
  acted(latenessMs: number): void;
  failed(error: unknown): void;
}

interface Rest {
  readonly until: number;
  readonly done: boolean;
  readonly failures: number;
}

/** The id of the command that time gives: the same from every scheduler, however often it is given. */
export const timerCommandId = (kind: string, dueAt: number): string => `timer:${kind}:${dueAt}`;

/**
 * Acts on every document whose time has come, the longest due first, in pages. A document stays in the index until its
 * projection has followed: what was done is not asked for again in the meantime. What fails waits a little, and what
 * takes its time is left to itself: neither holds anybody up.
 */
export class DueScan<D extends Document> {
  /** Document and due time to when, in monotonic milliseconds, it may be asked for again, and failures so far. */
  private readonly resting = new Map<string, Rest>();

  constructor(private readonly options: DueScanOptions<D>) {}

  /** One pass over all that is due now; ends early when the turn is over. */
  async run(turn: Pick<Turn, "live">): Promise<void> {
    const through = this.options.clock.now() - (this.options.afterMs ?? 0);
    let last: { readonly at: number; readonly id: string } | undefined;
    while (turn.live()) {
      const page = await this.page(last, through);
      await sideBySide(page, AT_ONCE, async (document) => {
        if (turn.live()) await inTime(this.options.clock, PATIENCE_MS, () => this.actOn(document));
      });
      const end = page.at(-1);
      if (!end || page.length < PAGE) return;
      last = { at: this.timeOf(end), id: end._id };
    }
  }

  private page(last: { readonly at: number; readonly id: string } | undefined, through: number): Promise<D[]> {
    const { collection, field, where } = this.options;
    const filter: Filter = { ...where, [field]: { $gte: last?.at ?? 0, $lte: through } };
    if (last) filter.$or = [{ [field]: { $gt: last.at } }, { [field]: last.at, _id: { $gt: last.id } }];
    return collection.find(filter, { sort: { [field]: 1, _id: 1 }, limit: PAGE });
  }

  private async actOn(document: D): Promise<void> {
    const { clock, monotonic, probe } = this.options;
    const dueAt = this.timeOf(document) + (this.options.afterMs ?? 0);
    const key = `${document._id}@${dueAt}`;
    const rest = this.resting.get(key);
    if (rest && monotonic() < rest.until) return;
    const failures = rest?.failures ?? 0;
    this.letRest(key, MAX_REST_MS, { done: rest?.done ?? false, failures });
    try {
      const early = await this.options.act(document, dueAt);
      if (early === undefined && !rest?.done) probe?.acted(clock.now() - dueAt);
      this.letRest(key, early === undefined ? DONE_REST_MS : Math.min(early, MAX_EARLY_MS), {
        done: early === undefined,
        failures: 0,
      });
    } catch (error) {
      probe?.failed(error);
      this.letRest(key, FIRST_REST_MS * 2 ** failures, { done: false, failures: failures + 1 });
    }
  }

  private letRest(key: string, ms: number, outcome: Omit<Rest, "until">): void {
    this.resting.delete(key);
    this.resting.set(key, { until: this.options.monotonic() + Math.min(ms, MAX_REST_MS), ...outcome });
    keepNewest(this.resting, MAX_RESTING);
  }

  private timeOf(document: D): number {
    let value: unknown = document;
    for (const segment of this.options.field.split(".")) value = (value as Record<string, unknown>)[segment];
    return value as number;
  }
}

const PAGE = 500;
const AT_ONCE = 16;
/** What takes longer goes on by itself, and makes room. */
const PATIENCE_MS = 500;
/** A projection has followed long before. */
const DONE_REST_MS = 30_000;
/** Clocks that differ may be set. */
const MAX_EARLY_MS = 10_000;
const FIRST_REST_MS = 500;
const MAX_REST_MS = 60_000;
/** Beyond it the oldest is forgotten: at the worst it is asked for again, and answered as a repeat. */
const MAX_RESTING = 20_000;
