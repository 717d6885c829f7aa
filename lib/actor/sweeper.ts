import type { Collection } from "../store/collection";
import { insertNew } from "../store/insert-new";
import { type MarkDocument, sweptId } from "./mark";
import type { Monotonic } from "./ports";

export interface SweeperOptions {
  readonly marks: Collection<MarkDocument>;
  /** The incarnation that sweeps: its own mark is none of its business. */
  readonly incarnation: string;
  /** Milliseconds that never go back. Nobody's wall clock is compared with anybody else's. */
  readonly monotonic: Monotonic;
  /**
   * Projects, publishes and broadcasts what an incarnation wrote in flushes after `flush`, but for the documents in
   * `known`; adds to `known` what it has recovered, and answers how many that were. Doing it twice changes nothing.
   */
  readonly recover: (incarnation: string, flush: number, known: Set<string>) => Promise<number>;
  /**
   * A mark unchanged for so long has no owner; 0 where no other node can be alive. Only time in which this sweeper could
   * look counts: while the store is gone, owners cannot renew their marks either.
   */
  readonly ownerlessMs: number;
  /** Pause between two sweeps of a mark: inserts may land late. */
  readonly againMs: number;
  /** A mark is swept again for so long, then deleted. */
  readonly keepMs: number;
  readonly onFailure?: (error: unknown) => void;
}

export interface SweepReport {
  /** Marks that have an owner, as far as this sweeper knows. */
  readonly owned: number;
  /** Marks without one that are swept time and again. */
  readonly ownerless: number;
  /** Documents recovered in this round. */
  readonly recovered: number;
}

interface Observed {
  flush: number;
  renewals: number;
  /** Unchanged since, by this sweeper's clock. */
  since: number;
  sweptSince: number | undefined;
  sweptAt: number;
  readonly known: Set<string>;
}

/**
 * Recovers what nodes that ended left beyond their marks. Any node may sweep, several at once only do more than they
 * must: a mark is declared ownerless by inserting a document, so nothing rests on the atomicity of an update.
 */
export class Sweeper {
  private readonly observed = new Map<string, Observed>();
  private running: Promise<SweepReport> | undefined;
  private lookedAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: SweeperOptions) {}

  /** One look at all marks; one round at a time, whoever asks meanwhile gets its report. @throws when the marks cannot be read */
  round(): Promise<SweepReport> {
    this.running ??= this.sweepAll().finally(() => (this.running = undefined));
    return this.running;
  }

  private async sweepAll(): Promise<SweepReport> {
    const { marks: collection, incarnation, monotonic, ownerlessMs } = this.options;
    const begun = monotonic();
    const documents = await collection.find({ _id: { $gt: "" } });
    const blind = monotonic() - this.lookedAt > ownerlessMs / LOOKS;
    this.lookedAt = begun;
    const declared = new Set(documents.filter(({ swept }) => swept).map(({ _id }) => _id));
    const marks = documents.filter(({ _id, swept }) => !swept && _id !== incarnation);
    const report = { owned: 0, ownerless: 0, recovered: 0 };
    for (const mark of marks) {
      const observed = this.observe(mark, blind);
      const isDeclared = declared.delete(sweptId(mark._id));
      const stoodStill = monotonic() - observed.since >= ownerlessMs;
      if (isDeclared || (stoodStill && !mark.ended)) {
        report.ownerless++;
        report.recovered += await this.sweep(mark, observed, isDeclared);
      } else if (stoodStill) await this.delete(mark._id);
      else if (!mark.ended) report.owned++;
    }
    this.forgetAllBut(marks);
    // Their marks are gone: the owner finds that out, too.
    declared.delete(sweptId(incarnation));
    if (declared.size > 0) await collection.deleteMany({ _id: { $in: [...declared] } });
    return report;
  }

  private observe({ _id, flush, renewals }: MarkDocument, blind: boolean): Observed {
    const before = this.observed.get(_id);
    if (!blind && before && before.renewals === renewals && before.flush === flush) return before;
    const now = this.options.monotonic();
    const { sweptSince, sweptAt = 0, known = new Set<string>() } = before ?? {};
    const observed: Observed = { flush, renewals, since: now, sweptSince, sweptAt, known };
    this.observed.set(_id, observed);
    return observed;
  }

  private async sweep(mark: MarkDocument, observed: Observed, isDeclared: boolean): Promise<number> {
    const { monotonic, recover, againMs, keepMs, onFailure } = this.options;
    const isFirst = observed.sweptSince === undefined;
    if (!isFirst && monotonic() - observed.sweptAt < againMs) return 0;
    try {
      if (!isDeclared) await this.declare(mark._id);
      const recovered = await recover(mark._id, mark.flush, observed.known);
      observed.sweptAt = monotonic();
      observed.sweptSince ??= observed.sweptAt;
      if (monotonic() - observed.sweptSince >= keepMs) await this.delete(mark._id);
      return recovered;
    } catch (error) {
      onFailure?.(error);
      return 0;
    }
  }

  /** From here on the owner, should it wake, knows that it may not insert any more. */
  private async declare(incarnation: string): Promise<void> {
    const declaration = { _id: sweptId(incarnation), flush: 0, renewals: 0, renewedAt: 0, swept: true } as const;
    await insertNew(this.options.marks, declaration);
  }

  /** The mark first: without it the owner stops as well. */
  private async delete(incarnation: string): Promise<void> {
    await this.options.marks.deleteMany({ _id: incarnation });
    await this.options.marks.deleteMany({ _id: sweptId(incarnation) });
    this.observed.delete(incarnation);
  }

  private forgetAllBut(marks: readonly MarkDocument[]): void {
    const present = new Set(marks.map(({ _id }) => _id));
    for (const incarnation of this.observed.keys()) if (!present.has(incarnation)) this.observed.delete(incarnation);
  }
}

/** At least so many looks in a row must have found a mark unchanged. */
const LOOKS = 3;
