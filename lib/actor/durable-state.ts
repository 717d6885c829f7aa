import { Waiters } from "./waiters";

/**
 * An actor's state after every event that is durable, how new it is, and who waits for it. All times are wall-clock
 * milliseconds.
 */
export class DurableState<S> {
  private state: S | undefined;
  /** When it was last known to be the log's. */
  private confirmedAt = 0;
  /** Who waits until something is durable, and who until the state is loaded. */
  private readonly awaiting = new Waiters();
  private readonly readers = new Waiters();

  constructor(private readonly behaviour: { seqOf(state: S): number }) {}

  /** Undefined while it is not loaded. */
  get current(): S | undefined {
    return this.state;
  }

  /** Does anybody wait for it to be loaded? */
  get wanted(): boolean {
    return this.readers.size > 0;
  }

  /** Was it compared with the log within the last so many milliseconds? */
  isFresh(now: number, withinMs: number): boolean {
    const age = now - this.confirmedAt;
    return age >= 0 && age <= withinMs;
  }

  /** Does it hold the event of this seq? */
  covers(seq: number): boolean {
    return this.state !== undefined && this.behaviour.seqOf(this.state) >= seq;
  }

  /** Resolves when it may be loaded: whoever resumes looks again. @throws ParleyError UNAVAILABLE at the deadline */
  loaded(deadline: number): Promise<void> {
    return this.readers.wait(0, deadline);
  }

  /** Resolves when everything through `seq` is durable, or the state is thrown away; rejects at the deadline. */
  reached(seq: number, deadline = Number.POSITIVE_INFINITY): Promise<void> | undefined {
    return this.covers(seq) ? undefined : this.awaiting.wait(seq, deadline);
  }

  /** One more event is durable, of which the insert began at `since`; see `tell`. */
  advance(state: S, since: number): void {
    this.state = state;
    this.confirmedAt = Math.max(this.confirmedAt, since);
  }

  /** It was loaded, by a read that began at `begun`; see `tellReaders`. */
  load(state: S, begun: number): void {
    this.state = state;
    this.confirmedAt = begun;
  }

  /** A read of the log that began at `begun` found nothing beyond it. */
  confirm(begun: number): void {
    this.confirmedAt = begun;
  }

  /** Resumes those who wait for what is durable now. */
  tell(seq: number): void {
    this.awaiting.reach(seq);
  }

  /** Resumes those who wait for it to be loaded. */
  tellReaders(): void {
    this.readers.resumeAll();
  }

  /** Throws it away, until it is loaded again. */
  forget(): void {
    this.state = undefined;
    this.awaiting.resumeAll();
  }

  expire(now: number): void {
    this.readers.expire(now);
    this.awaiting.expire(now);
  }
}
