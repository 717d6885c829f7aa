import type { Collection, CollectionDefinition, Store } from "../store/collection";
import { insertNew } from "../store/insert-new";
import type { Clock, Monotonic } from "./ports";

export const MARKS: CollectionDefinition = { name: "marks", indexes: [] };

/**
 * How far an incarnation's flushes are projected. Only its owner changes it; whoever finds it unchanged for long inserts
 * a second document, `sweptId(_id)`, and recovers what lies beyond.
 */
export interface MarkDocument {
  _id: string;
  flush: number;
  /** Counts up: a mark with another number has been renewed. */
  renewals: number;
  /** Wall-clock milliseconds of the owner, for operators. */
  renewedAt: number;
  /** This document says that the mark was swept. */
  swept?: true;
  /** Its owner stopped in order: nothing is left to be swept. It stays a while, for whoever never heard of the owner. */
  ended?: true;
}

/** The document that says that an incarnation's mark was swept. */
export const sweptId = (incarnation: string): string => `swept/${incarnation}`;

/** An incarnation that wrote to the log, as the store lists it. */
export interface ListedMark {
  readonly incarnation: string;
  /** All its flushes through this one are settled. */
  readonly flush: number;
  /** Another number than before: it lives. */
  readonly renewals: number;
}

/**
 * Every incarnation whose first insert came before this call, but for those that were gone for so long that their mark
 * was swept, or taken away.
 */
export async function listMarks(store: Store): Promise<ListedMark[]> {
  const documents = await store.collection<MarkDocument>(MARKS).find({ _id: { $gt: "" } });
  const swept = new Set(documents.flatMap((mark) => (mark.swept ? [mark._id] : [])));
  return documents.flatMap(({ _id, flush, renewals }) =>
    swept.has(_id) || swept.has(sweptId(_id)) ? [] : [{ incarnation: _id, flush, renewals }],
  );
}

export interface MarkOptions {
  readonly marks: Collection<MarkDocument>;
  readonly incarnation: string;
  readonly clock: Clock;
  /** Milliseconds that never go back, whatever is done to the wall clock. */
  readonly monotonic: Monotonic;
  /** The flush through which everything is projected. */
  readonly projected: () => number;
  /** Called once when this node may not write any more. */
  readonly onLost: () => void;
  /** Nobody sweeps the marks of a node that is alone: it may write also after a long sleep of the machine. */
  readonly sole: boolean;
}

/**
 * The mark of this incarnation: written before its first insert, renewed every 5 s. A node that did not renew it for
 * 30 s may not insert until it has, and one whose mark was swept may never again. Sweepers wait twice as long, so only a
 * node whose clock stood still can be swept unawares; what it inserts before it notices is found when its mark is swept
 * again.
 */
export class Mark {
  private written = false;
  private renewals = 0;
  private renewedAt = 0;
  private lost = false;
  private cancel: (() => void) | undefined;
  private first: Promise<void> | undefined;

  constructor(private readonly options: MarkOptions) {}

  /** Resolves when this node may insert; undefined when it may at once. @throws when it may not, or not yet */
  beforeInsert(): Promise<void> | undefined {
    if (this.lost) return Promise.reject(new Error("this incarnation lost its mark"));
    if (!this.written) return (this.first ??= this.write().finally(() => (this.first = undefined)));
    return this.isLate() ? Promise.reject(new LateError()) : undefined;
  }

  /** Ends the renewal and says in the mark that nothing is left to do: call it when everything is projected. */
  async stop(): Promise<void> {
    const { marks, incarnation, sole } = this.options;
    const ours = this.written && !this.lost;
    this.abandon();
    if (!ours) return;
    if (sole) await marks.deleteMany({ _id: incarnation });
    else await marks.updateOne({ _id: incarnation }, { $set: { ...this.renewal(), ended: true } });
  }

  /** Ends the renewal and leaves the mark to be swept: nothing may be inserted any more. */
  abandon(): void {
    this.cancel?.();
    this.cancel = undefined;
    // A renewal on its way must not take the missing mark for a lost one.
    this.lost = true;
  }

  private async write(): Promise<void> {
    const { marks, incarnation, clock, monotonic } = this.options;
    const begun = monotonic();
    // One that is there is ours already, by an attempt whose outcome was unknown.
    await insertNew(marks, { _id: incarnation, flush: 0, renewals: 0, renewedAt: clock.now() });
    this.written = true;
    this.renewedAt = begun;
    this.renewIn(RENEW_MS);
    if (this.isLate()) throw new LateError();
  }

  private renewIn(ms: number): void {
    this.cancel = this.options.clock.setTimeout(() => void this.renew(), ms);
  }

  private async renew(): Promise<void> {
    const { marks, incarnation, monotonic, sole } = this.options;
    const begun = monotonic();
    let next = RENEW_MS;
    try {
      const { matched } = await marks.updateOne({ _id: incarnation }, { $set: this.renewal() });
      // Looked for after the renewal: a sweeper that begins later has seen it.
      const swept = sole ? undefined : await marks.findOne({ _id: sweptId(incarnation) });
      if (matched === 0 || swept) return this.giveUp();
      this.renewedAt = begun;
    } catch {
      next = RETRY_MS;
    }
    if (!this.lost) this.renewIn(next);
  }

  private renewal(): Pick<MarkDocument, "flush" | "renewals" | "renewedAt"> {
    const { clock, projected } = this.options;
    return { flush: projected(), renewals: ++this.renewals, renewedAt: clock.now() };
  }

  private isLate(): boolean {
    return !this.options.sole && this.options.monotonic() - this.renewedAt >= LATE_AFTER_MS;
  }

  private giveUp(): void {
    if (this.lost) return;
    this.abandon();
    this.options.onLost();
  }
}

/** The mark was not renewed lately: a sweeper may be about to take it for ownerless. */
class LateError extends Error {
  override readonly name = "LateError";
  constructor() {
    super("this incarnation has not renewed its mark lately");
  }
}

const RENEW_MS = 5_000;
const RETRY_MS = 1_000;
const LATE_AFTER_MS = 30_000;
