import { type ErrorType, ParleyError } from "../errors";
import type { Command, Outcome } from "./behaviour";

type Phase = "waiting" | "in flight" | "unsure";

/** One caller waiting for one command. */
export class Call<C extends Command, D, N> {
  /** `waiting`: surely not stored. `in flight`: handed to the writer. `unsure`: dropped, to be looked up. */
  phase: Phase = "waiting";
  settled = false;

  constructor(
    readonly command: C,
    readonly order: number,
    private readonly resolve: (outcome: Outcome<D, N>) => void,
    private readonly reject: (error: Error) => void,
  ) {}

  answer(outcome: Outcome<D, N>): void {
    if (this.settled) return;
    this.settled = true;
    this.resolve(outcome);
  }

  fail(type: ErrorType, data?: Record<string, unknown>): void {
    if (this.settled) return;
    this.settled = true;
    this.reject(new ParleyError(type, data));
  }

  /** The caller's deadline has passed: say what is known. */
  expire(): void {
    this.fail(this.phase === "waiting" ? "UNAVAILABLE" : "UNKNOWN_OUTCOME");
  }
}
