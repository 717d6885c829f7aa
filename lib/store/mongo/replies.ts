/** What a server's answer to a write says, told in the port's errors. */
import { DuplicateKeyError, RejectedError } from "../collection";

/** The part of a write command's reply that is looked at. */
export interface WriteReply {
  n?: number;
  upserted?: ReadonlyArray<{ index: number; _id: unknown }>;
  writeErrors?: ReadonlyArray<{ index: number; code: number }>;
  writeConcernError?: { code?: number; codeName?: string };
}

/**
 * The write may or may not have happened, or the read did not. The message names the kind of failure only: what a
 * driver says may quote values and addresses.
 */
export class MongoFailure extends Error {
  override readonly name = "MongoFailure";
}

const DUPLICATE_KEY = new Set([11_000, 11_001, 12_582]);

/** Answers after which nothing was written, and never would be: the document or update does not fit. */
const REJECTIONS = new Map([
  [2, "bad value"],
  [9, "failed to parse"],
  [14, "type mismatch"],
  [22, "invalid BSON"],
  [28, "the path is not viable"],
  [40, "conflicting changes"],
  [52, "a name with a dollar"],
  [54, "not a single value"],
  [55, "invalid reference"],
  [56, "an empty name"],
  [57, "a name with a dot"],
  [66, "an immutable field"],
  [171, "an array in an index"],
  [10_141, "no array"],
  [10_334, "too large"],
  [16_837, "bad operand"],
  [17_280, "too large for an index"],
  [17_419, "too large"],
  [17_420, "too large"],
]);

export type DocumentError = DuplicateKeyError | RejectedError;

/** The port's error of a server's code for the operation at `index`; undefined when it tells of no definite outcome. */
export function errorOfCode(code: unknown, index: number): DocumentError | undefined {
  if (typeof code !== "number") return undefined;
  if (DUPLICATE_KEY.has(code)) return new DuplicateKeyError(index);
  const reason = REJECTIONS.get(code);
  return reason === undefined ? undefined : new RejectedError(index, reason);
}

/**
 * The failures of single operations that a reply tells of.
 * @param places for each operation of the command its index in the caller's list
 * @throws MongoFailure when any outcome is not known: a write concern was not fulfilled, or an error is not definite
 */
export function failuresOf(reply: WriteReply, places: readonly number[]): DocumentError[] {
  const { writeConcernError, writeErrors = [] } = reply;
  if (writeConcernError) throw new MongoFailure(`write concern not fulfilled (${writeConcernError.code ?? "?"})`);
  return writeErrors.map(({ code, index }) => {
    const failure = errorOfCode(code, places[index] ?? -1);
    if (!failure) throw new MongoFailure(`the server failed to write (${code})`);
    return failure;
  });
}

/** Throws the failure of the earliest operation, if there is any. */
export function throwFirst(failures: readonly DocumentError[]): void {
  const [first] = [...failures].sort((a, b) => a.index - b.index);
  if (first) throw first;
}

/** A driver's error without what it may quote: its name, code and the system's code. */
export function failureOf(error: unknown): Error {
  if (error instanceof MongoFailure) return error;
  const {
    name = "Error",
    code,
    codeName,
    cause,
  } = error as {
    name?: string;
    code?: number | string;
    codeName?: string;
    cause?: { code?: string };
  };
  const facts = [name, code, codeName, cause?.code].filter((fact) => fact !== undefined && fact !== "");
  return new MongoFailure(`the document store failed: ${facts.join(" ")}`);
}
