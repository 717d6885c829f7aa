import { type Collection, type CollectionDefinition, DuplicateKeyError } from "../store/collection";
import type { Clock } from "./ports";

export const MARKS: CollectionDefinition = { name: "marks", indexes: [] };

/** How far an incarnation's flushes are projected. Whoever finds it unchanged for long sweeps what lies beyond. */
export interface MarkDocument {
  _id: string;
  flush: number;
  renewedAt: number;
}

/**
 * The mark of this incarnation: written before its first insert, renewed every 5 s. A node that could not renew for
 * 30 s, or whose mark has been swept away, may not insert any more.
 */
export class Mark {
  private written = false;
  private renewedAt = 0;
  private lost = false;
  private cancel: (() => void) | undefined;
  private first: Promise<void> | undefined;

  constructor(
    private readonly marks: Collection<MarkDocument>,
    private readonly incarnation: string,
    private readonly clock: Clock,
    /** The flush through which everything is projected. */
    private readonly projected: () => number,
    /** Called once when this node may not write any more. */
    private readonly onLost: () => void,
    /** Nobody sweeps the marks of a node that is alone: it may write also after a long sleep of the machine. */
    private readonly sole: boolean,
  ) {}

  /** Resolves when this node may insert; undefined when it may at once. @throws when it may not */
  beforeInsert(): Promise<void> | undefined {
    if (this.lost) return Promise.reject(new Error("this incarnation lost its mark"));
    if (!this.written) return (this.first ??= this.write().finally(() => (this.first = undefined)));
    if (this.sole || this.clock.now() - this.renewedAt < LOST_AFTER_MS) return undefined;
    this.giveUp();
    return Promise.reject(new Error("this incarnation could not renew its mark"));
  }

  /** Ends the renewal and takes the mark away: call it when everything is projected. */
  async stop(): Promise<void> {
    this.cancel?.();
    this.cancel = undefined;
    const ours = this.written && !this.lost;
    // A renewal on its way must not take the missing mark for a lost one.
    this.lost = true;
    if (ours) await this.marks.deleteMany({ _id: this.incarnation });
  }

  private async write(): Promise<void> {
    const renewedAt = this.clock.now();
    try {
      await this.marks.insertMany([{ _id: this.incarnation, flush: 0, renewedAt }]);
    } catch (error) {
      // Ours already, by an attempt whose outcome was unknown.
      if (!(error instanceof DuplicateKeyError)) throw error;
    }
    this.written = true;
    this.renewedAt = renewedAt;
    this.schedule();
  }

  private schedule(): void {
    this.cancel = this.clock.setTimeout(() => void this.renew(), RENEW_MS);
  }

  private async renew(): Promise<void> {
    const renewedAt = this.clock.now();
    try {
      const { matched } = await this.marks.updateOne(
        { _id: this.incarnation },
        { $set: { flush: this.projected(), renewedAt } },
      );
      if (matched === 0) return this.giveUp();
      this.renewedAt = renewedAt;
    } catch {
      // Tried again with the next renewal; `beforeInsert` counts the time since the last success.
    }
    if (!this.lost && this.cancel) this.schedule();
  }

  private giveUp(): void {
    if (this.lost) return;
    this.lost = true;
    this.cancel?.();
    this.cancel = undefined;
    this.onLost();
  }
}

const RENEW_MS = 5_000;
const LOST_AFTER_MS = 30_000;
