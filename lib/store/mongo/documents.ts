/** Documents on their way to a MongoDB server: what it would keep differently from JSON is made JSON first. */
import mongoose from "mongoose";
import type { Document, IndexDefinition } from "../collection";
import { indexedValue } from "../indexes";
import { faultIs } from "../fault";
import { DocumentFault, encodeDocument, isObject } from "../values";
import type { Placed } from "./batches";

/** A document as it is sent. */
export interface Prepared extends Placed {
  readonly document: Document;
}

/** MongoDB's limit for one document, in bytes of BSON. */
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_DEPTH = 100;
/** Bytes of a value beside its text: type, length and name. */
const OVERHEAD = 16;
/** UTF-8 takes at most three bytes for a UTF-16 unit. */
const BYTES_PER_UNIT = 3;

/**
 * Checks a document as every store of the port does, and makes it plain JSON data.
 * @throws RejectedError when no store would take it, or MongoDB would not
 */
export function prepare(document: Document, indexes: readonly IndexDefinition[], place: number): Prepared {
  return faultIs(place, () => ({ place, ...prepared(document, indexes) }));
}

function prepared(document: Document, indexes: readonly IndexDefinition[]): Omit<Prepared, "place"> {
  let plain = document;
  let size = typeof document._id === "string" && document._id !== "" ? sizeOf(document, 0) : -1;
  if (size < 0) {
    plain = JSON.parse(encodeDocument(document)) as Document;
    size = sizeOf(plain, 0);
  }
  if (size < 0) throw new DocumentFault("a name that MongoDB does not take, or nested too deep");
  for (const { fields, sparse } of indexes)
    for (const path of Object.keys(fields)) indexedValue(plain, path, sparse === true);
  if (size > MAX_BYTES && mongoose.mongo.BSON.calculateObjectSize(plain) > MAX_BYTES)
    throw new DocumentFault("too large");
  return { document: plain, size };
}

/** At most so many bytes of BSON; negative when the value is not what its JSON text would be read as again. */
function sizeOf(value: unknown, depth: number): number {
  switch (typeof value) {
    case "string":
      return value.isWellFormed() ? OVERHEAD + value.length * BYTES_PER_UNIT : -1;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0) ? OVERHEAD : -1;
    case "boolean":
    case "undefined":
      return OVERHEAD;
    case "object":
      if (value === null) return OVERHEAD;
      if (depth >= MAX_DEPTH) return -1;
      return Array.isArray(value) ? sizeOfList(value, depth) : sizeOfObject(value, depth);
    default:
      return -1;
  }
}

function sizeOfList(list: readonly unknown[], depth: number): number {
  let total = OVERHEAD;
  for (const item of list) {
    const size = item === undefined ? -1 : sizeOf(item, depth + 1);
    if (size < 0) return -1;
    total += size + OVERHEAD;
  }
  return total;
}

function sizeOfObject(object: object, depth: number): number {
  const prototype: unknown = Object.getPrototypeOf(object);
  if ((prototype !== null && Object.getPrototypeOf(prototype) !== null) || !isObject(object)) return -1;
  if (typeof object["toJSON"] === "function") return -1;
  let total = OVERHEAD;
  for (const name of Object.keys(object)) {
    const size = name.includes("\0") || !name.isWellFormed() ? -1 : sizeOf(object[name], depth + 1);
    if (size < 0) return -1;
    total += size + name.length * BYTES_PER_UNIT;
  }
  return total;
}
