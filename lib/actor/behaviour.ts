import type { ErrorType } from "../errors";
import type { LogDocument } from "./ports";

/** A request to change an actor. `commandId` is chosen by the caller; repeating a command is always safe. */
export interface Command {
  readonly by: string;
  readonly commandId: string;
  /** Hash of action and params without the commandId: tells a repeat from a reuse. */
  readonly request: string;
  /** Wall-clock milliseconds after which the caller no longer waits. */
  readonly deadline: number;
}

/**
 * What `decide` answers. An `event` is a draft the writer makes durable; a `refusal` and a `noop` change nothing.
 */
export type Decision<D, N> =
  | { readonly event: D }
  | { readonly refusal: ErrorType; readonly data?: Record<string, unknown> }
  | { readonly noop: N };

/** The state was found to be older than the log: load it again before deciding. */
export const STALE = Symbol("stale");

/**
 * What an actor does, apart from running it: pure rules, and the reads they need.
 * @typeParam S immutable state, @typeParam C command, @typeParam D log document, @typeParam F facts, @typeParam N no-op answer
 */
export interface Behaviour<S, C extends Command, D extends LogDocument, F, N> {
  /** Reads snapshot and later events. `found` are the events beyond the snapshot. */
  load(id: string): Promise<{ state: S; found: readonly D[] }>;
  seqOf(state: S): number;
  /**
   * Reads what the decision needs beyond the state; undefined when it needs nothing. `undurable` lists the events in
   * the state that a read may not show yet.
   */
  prepare(state: S, command: C, undurable: () => readonly D[]): Promise<F | typeof STALE> | undefined;
  /** Pure. */
  decide(state: S, command: C, facts: F | undefined, now: number): Decision<D, N>;
  /** Pure. */
  evolve(state: S, event: D): S;
  /** The state carries more than it should; it is loaded afresh from its snapshot when nothing is in flight. */
  overgrown(state: S): boolean;
  /** Estimated size of a document in bytes. */
  sizeOf(document: D): number;
}

/** How a command ended: the event it made (now, or when it was first sent), or a no-op. */
export type Outcome<D, N> = { readonly event: D; readonly repeated: boolean } | { readonly noop: N };
