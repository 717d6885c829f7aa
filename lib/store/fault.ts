import { RejectedError } from "./collection";
import { DocumentFault, valueAt } from "./values";

/** Runs a step of the document at `index`; a fault of the document is thrown as its `RejectedError`. */
export function faultIs<T>(index: number, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (error instanceof DocumentFault) throw new RejectedError(index, error.message);
    throw error;
  }
}

/**
 * The number by which `putNewer` compares the document at `index`.
 * @throws RejectedError when the field is no number
 */
export function newness(document: object, field: string, index: number): number {
  const value = valueAt(document, field);
  if (typeof value !== "number") throw new RejectedError(index, `${field} is no number`);
  return value;
}
