import { DuplicateKeyError, RejectedError } from "../store/collection";
import { Backoff } from "./backoff";
import type { Clock, LogDocument, LogPort, Random } from "./ports";

/** Who handed a document in, and hears what became of it. Called in the order of handing in. */
export interface Submitter<D> {
  /** The document is durable; its first insert began at `since` (wall-clock milliseconds). */
  stored(document: D, since: number): void;
  /** The store will never take this document; `dropped` follows for what was decided after it. */
  rejected(document: D, reason: Error): void;
  /** Every document of this stream that is not stored has been dropped: reload, look up, decide again. */
  dropped(): void;
  /** The flush whose outcome was unknown is settled: deciding may go on. */
  resumed(): void;
}

export interface Submission<D> {
  readonly stream: string;
  readonly document: D;
  /** Estimated size, for the bound of a flush. */
  readonly bytes: number;
  readonly submitter: Submitter<D>;
}

export interface WriterOptions<D extends LogDocument> {
  readonly log: LogPort<D>;
  readonly clock: Clock;
  readonly random: Random;
  /** This life of this node; stamped on every document beside the number of its flush. */
  readonly incarnation: string;
  readonly maxDocuments: number;
  readonly maxBytes: number;
  /** Runs before each insert; rejects when this node may not write (any more). */
  readonly beforeInsert?: () => Promise<void> | undefined;
  /** Every document of this flush is stored or fenced; called once a flush, in order, also with none stored. */
  readonly onSettled: (flush: number, stored: readonly D[], tookMs: number) => void;
  /** Counters for the metrics. */
  readonly onFence?: () => void;
  readonly onStoreError?: (error: unknown) => void;
}

/** A flush that the store has been given. */
interface Flight<D> {
  readonly flush: number;
  readonly batch: Array<Submission<D>>;
  readonly startedAt: number;
  /** What of it is durable, in order. */
  readonly stored: D[];
  /** The failure of the insert, undefined when everything is stored; never rejects. */
  readonly inserted: Promise<unknown>;
}

/**
 * Group commit: at most one insert in flight for the whole node; what arrives meanwhile is the next flush. No timer.
 *
 * A flush is settled when each of its documents is stored or fenced. Until then its number stays, and an insert whose
 * outcome is unknown is repeated with the very same documents: "I looked and it is not there" is never an answer,
 * because the first insert may still land. (DeWitt et al., "Implementation techniques for main memory database
 * systems", 1984, for group commit.)
 */
export class Writer<D extends LogDocument> {
  private queue: Array<Submission<D>> = [];
  private running = false;
  private abandoned = false;
  private flush = 0;
  private settledFlush = 0;
  private readonly stalled = new Map<string, Submitter<D>>();
  private readonly idle: Array<() => void> = [];

  constructor(private readonly options: WriterOptions<D>) {}

  /** The number of the last settled flush. */
  get settled(): number {
    return this.settledFlush;
  }

  get queued(): number {
    return this.queue.length;
  }

  /** While an insert with this stream's documents has an unknown outcome, nothing newer is decided there. */
  isStalled(stream: string): boolean {
    return this.stalled.has(stream);
  }

  append(submission: Submission<D>): void {
    this.queue.push(submission);
    if (this.running) return;
    this.running = true;
    void Promise.resolve().then(() => this.run());
  }

  /** Resolves when nothing is queued or in flight. */
  async drained(): Promise<void> {
    if (!this.running) return;
    await new Promise<void>((resolve) => this.idle.push(resolve));
  }

  /** Gives up what is queued or in flight: it may be stored or not, and nobody is told. */
  abandon(): void {
    this.abandoned = true;
    this.queue = [];
  }

  private async run(): Promise<void> {
    let flight = this.take();
    while (flight) flight = await this.settle(flight);
    this.running = false;
    for (const resolve of this.idle.splice(0)) resolve();
  }

  /** Hands the next flush to the store; undefined when nothing is queued. */
  private take(): Flight<D> | undefined {
    if (this.queue.length === 0 || this.abandoned) return undefined;
    this.flush++;
    const batch = this.nextFlush();
    const startedAt = this.options.clock.now();
    return { flush: this.flush, batch, startedAt, stored: [], inserted: this.insert(batch) };
  }

  /** Takes the longest head of the queue within the bounds; documents with equal keys never share a flush. */
  private nextFlush(): Array<Submission<D>> {
    const keys = new Set<string>();
    let bytes = 0;
    let count = 0;
    for (const { document, bytes: size } of this.queue) {
      if (count === this.options.maxDocuments || (count > 0 && bytes + size > this.options.maxBytes)) break;
      if (document.key !== undefined) {
        if (keys.has(document.key)) break;
        keys.add(document.key);
      }
      bytes += size;
      count++;
    }
    const batch = count === this.queue.length ? this.queue : this.queue.slice(0, count);
    this.queue = count === this.queue.length ? [] : this.queue.slice(count);
    for (const { document } of batch) {
      document.incarnation = this.options.incarnation;
      document.flush = this.flush;
    }
    return batch;
  }

  /** Sees a flush through, and answers the next one, which may be at the store by then. */
  private async settle(flight: Flight<D>): Promise<Flight<D> | undefined> {
    const { flush, batch, startedAt, stored } = flight;
    const failure = await flight.inserted;
    // The store works on the next flush while the callers of this one are answered.
    const next = failure === undefined ? this.take() : undefined;
    if (failure === undefined) this.markStored(batch, flight);
    else await this.recover(flight, failure);
    if (this.abandoned) return undefined;
    this.settledFlush = flush;
    this.options.onSettled(flush, stored, this.options.clock.now() - startedAt);
    return next ?? this.take();
  }

  /** Brings each document of a flush that met a failure to its end: stored, refused or dropped. */
  private async recover(flight: Flight<D>, first: unknown): Promise<void> {
    const { clock, random } = this.options;
    const backoff = new Backoff(clock, random, { firstMs: 5, maxMs: 1_000 });
    let left = flight.batch;
    let failure = first;
    for (;;) {
      if (failure instanceof DuplicateKeyError && failure.index in left) {
        this.markStored(left.slice(0, failure.index), flight);
        left = await this.judge(left.slice(failure.index), flight, backoff);
      } else if (failure instanceof RejectedError && failure.index in left) {
        this.markStored(left.slice(0, failure.index), flight);
        left = this.reject(left.slice(failure.index), failure);
      } else if (failure === undefined) {
        this.markStored(left, flight);
        left = [];
      } else {
        for (const { stream, submitter } of left) this.stalled.set(stream, submitter);
        this.options.onStoreError?.(failure);
        await backoff.wait();
      }
      if (this.abandoned) return;
      this.resume(left);
      if (left.length === 0) return;
      failure = await this.insert(left);
    }
  }

  /** Lets the streams decide again of which nothing is left to be settled. */
  private resume(left: ReadonlyArray<Submission<D>>): void {
    if (this.stalled.size === 0) return;
    const unsettled = new Set(left.map(({ stream }) => stream));
    for (const [stream, submitter] of [...this.stalled]) {
      if (unsettled.has(stream)) continue;
      this.stalled.delete(stream);
      submitter.resumed();
    }
  }

  private async insert(left: ReadonlyArray<Submission<D>>): Promise<unknown> {
    try {
      const permit = this.options.beforeInsert?.();
      if (permit) await permit;
    } catch (cause) {
      return new Error("this node may not write", { cause });
    }
    try {
      await this.options.log.insert(left.map(({ document }) => document));
      return undefined;
    } catch (error) {
      return error ?? new Error("the store failed without a reason");
    }
  }

  private markStored(done: ReadonlyArray<Submission<D>>, { stored, startedAt }: Flight<D>): void {
    for (const { document, submitter } of done) {
      stored.push(document);
      submitter.stored(document, startedAt);
    }
  }

  /**
   * After a duplicate: asks the store what is there, and returns what must be inserted again. A stream is judged in
   * order: behind a document that may still land nothing is final, so that answers keep their order and nothing that
   * may land is dropped.
   */
  private async judge(left: Array<Submission<D>>, flight: Flight<D>, backoff: Backoff): Promise<Array<Submission<D>>> {
    const verdicts = await this.verify(left, backoff);
    const again: Array<Submission<D>> = [];
    const open = new Set<string>();
    const fenced = new Map<string, Submitter<D>>();
    left.forEach((submission, at) => {
      const { stream, submitter } = submission;
      if (fenced.has(stream)) return;
      if (open.has(stream) || verdicts[at] === "absent") {
        open.add(stream);
        again.push(submission);
      } else if (verdicts[at] === "stored") this.markStored([submission], flight);
      else fenced.set(stream, submitter);
    });
    if (again.length === left.length) await backoff.wait();
    this.drop(fenced);
    return again;
  }

  private async verify(left: ReadonlyArray<Submission<D>>, backoff: Backoff) {
    for (;;) {
      try {
        return await this.options.log.verify(left.map(({ document }) => document));
      } catch (error) {
        this.options.onStoreError?.(error);
        if (this.abandoned) return left.map(() => "absent" as const);
        await backoff.wait();
      }
    }
  }

  private reject(left: Array<Submission<D>>, failure: RejectedError): Array<Submission<D>> {
    const [refused, ...rest] = left;
    if (!refused) return [];
    refused.submitter.rejected(refused.document, failure);
    this.drop(new Map([[refused.stream, refused.submitter]]));
    return rest.filter(({ stream }) => stream !== refused.stream);
  }

  /** Drops the streams' documents from the queue too: they were decided on what has not happened. */
  private drop(streams: ReadonlyMap<string, Submitter<D>>): void {
    this.queue = this.queue.filter(({ stream }) => !streams.has(stream));
    for (const submitter of streams.values()) {
      this.options.onFence?.();
      submitter.dropped();
    }
  }
}
