import { type ErrorType, ParleyError } from "../errors";
import type { Command, Outcome } from "./behaviour";
import type { LogDocument } from "./ports";

type Phase = "waiting" | "in flight" | "unsure";

/** One caller waiting for one command. */
export class Call<C extends Command, D extends LogDocument, N> {
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

  /** Answers with the event that this command has made before. */
  answerRepeat(event: D): void {
    if (event.request === this.command.request) this.answer({ event, repeated: true });
    else this.fail("COMMAND_REUSED");
  }

  /** Once the caller's deadline has passed: says what is known. */
  expire(now: number): void {
    if (now >= this.command.deadline) this.fail(this.phase === "waiting" ? "UNAVAILABLE" : "UNKNOWN_OUTCOME");
  }
}
