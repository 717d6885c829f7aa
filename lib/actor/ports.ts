/**
 * What the actor runtime takes from outside. Nothing under `lib/actor` reads a clock, sets a timer or draws a random
 * number by itself, so that a whole cluster can be run from one seed (`test/simulation`).
 */

/** Time. `now` is wall-clock milliseconds; timers are cleared with the function they return. */
export interface Clock {
  now(): number;
  setTimeout(callback: () => void, ms: number): () => void;
}

/**
 * Milliseconds that never go back, whatever is done to the wall clock; only differences mean anything. They may stand
 * still while the machine sleeps.
 */
export type Monotonic = () => number;

export interface Random {
  /** A number in [0, 1). */
  float(): number;
  /** A fresh identifier that nobody else draws, at most 32 characters. */
  id(): string;
}

/** What the runtime needs to know of a log document; the rest of it belongs to the domain. */
export interface LogDocument {
  readonly _id: string;
  readonly seq: number;
  readonly by: string;
  readonly commandId: string;
  /** Hash of the command's action and params: tells a repeat from a reuse. */
  readonly request: string;
  /** The unique name this event takes, if it takes one. */
  readonly key?: string;
  /** Written by the writer when the document joins a flush. */
  incarnation: string;
  flush: number;
}

/** What became of a document whose insert met a duplicate. `absent`: nothing visible yet, insert it again. */
export type Verdict = "stored" | "fenced" | "absent";

/**
 * The durable log of all actors of one kind.
 * Any error other than DuplicateKeyError and RejectedError (lib/store) is an unknown outcome.
 */
export interface LogPort<D extends LogDocument> {
  /** Ordered insert: stops at the first failure. */
  insert(documents: readonly D[]): Promise<void>;
  /** Majority read: for each document, is that very `_id` there, or another one at its seq, command or key? */
  verify(documents: readonly D[]): Promise<Verdict[]>;
  /** The last seq of each stream, 0 when it has none: nothing acknowledged before is missing, whoever wrote it. */
  heads(streams: readonly string[]): Promise<number[]>;
  /** The documents that these commands made, undefined where there is none; as complete as `heads`. */
  commands(commands: readonly CommandRef[]): Promise<Array<D | undefined>>;
}

export interface CommandRef {
  readonly stream: string;
  readonly by: string;
  readonly commandId: string;
}

/** The system's clocks and randomness, for production. */
export { systemClock, systemMonotonic, systemRandom } from "./system";
