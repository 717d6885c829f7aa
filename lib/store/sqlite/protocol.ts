/** What the store and its worker threads say to each other. Text is JSON: a string crosses threads by one copy. */
import { DuplicateKeyError, RejectedError, type CollectionDefinition } from "../collection";

export type ReadOperation = "find" | "count" | "checkpoint";
export type WriteName = "insert" | "update" | "findAndUpdate" | "bulk" | "putNewer" | "delete" | "ping";
export type Operation = ReadOperation | WriteName | "define" | "close";

/**
 * `text` of `insert` is one document a line; of `putNewer` the field, then one document a line; of `define` a definition; of all others the JSON of their
 * arguments.
 */
export interface Request {
  readonly id: number;
  readonly operation: Operation;
  readonly collection: string;
  readonly text: string;
}

/** `value` is JSON of the result, "" when there is none. An error without `index` means an unknown outcome. */
export type Outcome =
  | { readonly value: string }
  | { readonly duplicate: number }
  | { readonly rejected: number; readonly reason: string }
  | { readonly error: string };

export interface Answer {
  readonly id: number;
  readonly outcome: Outcome;
}

/** One thread writes, some read, and one copies the log into the database file and gives way to all others. */
export type Role = "write" | "read" | "copy";

export interface WorkerData {
  readonly role: Role;
  readonly file: string;
  readonly definitions: readonly CollectionDefinition[];
}

/** The error that an outcome stands for, if it is one. */
export function errorOf(outcome: Outcome): Error | undefined {
  if ("value" in outcome) return undefined;
  if ("duplicate" in outcome) return new DuplicateKeyError(outcome.duplicate);
  if ("rejected" in outcome) return new RejectedError(outcome.rejected, outcome.reason);
  return new Error(outcome.error);
}

/** How the outcome of a step that failed is told; undefined when the failure is not the document's. */
export function outcomeOf(error: unknown): Outcome | undefined {
  if (error instanceof DuplicateKeyError) return { duplicate: error.index };
  if (error instanceof RejectedError) return { rejected: error.index, reason: error.message };
  return undefined;
}

/** SQLite's extended result code, when the error is SQLite's. */
export function sqliteCode(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("errcode" in error)) return undefined;
  return typeof error.errcode === "number" ? error.errcode : undefined;
}
