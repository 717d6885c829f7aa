import type { Command, Outcome } from "./behaviour";
import { Call } from "./call";
import type { LogDocument } from "./ports";

/** The commands of one actor that wait for their decision, in the order of their arrival. */
export class Mailbox<C extends Command, D extends LogDocument, N> {
  private calls: Array<Call<C, D, N>> = [];
  private arrivals = 0;

  get size(): number {
    return this.calls.length;
  }

  /** A call that has arrived now. */
  call(command: C, resolve: (outcome: Outcome<D, N>) => void, reject: (error: Error) => void): Call<C, D, N> {
    return new Call(command, this.arrivals++, resolve, reject);
  }

  add(call: Call<C, D, N>): void {
    this.calls.push(call);
  }

  /** Takes the oldest out. */
  next(): Call<C, D, N> | undefined {
    return this.calls.shift();
  }

  /** Puts calls back to where they were: what is decided again is decided in the order of arrival. */
  requeue(calls: ReadonlyArray<Call<C, D, N>>): void {
    this.calls = [...this.calls, ...calls].sort((a, b) => a.order - b.order);
  }

  /** Those of which the log must tell whether they are stored. */
  unsure(): Array<Call<C, D, N>> {
    return this.calls.filter(({ phase }) => phase === "unsure");
  }

  /** Answers those whose deadline has passed. */
  expire(now: number): void {
    for (const call of this.calls) call.expire(now);
    this.dropSettled();
  }

  /** Removes those that are answered. */
  dropSettled(): void {
    this.calls = this.calls.filter(({ settled }) => !settled);
  }
}
