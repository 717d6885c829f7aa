/**
 * Values as every implementation of the store port sees them: JSON, compared in MongoDB's order (null and missing,
 * numbers, strings, objects, arrays, booleans), strings by code point.
 */
import { UnsupportedOperatorError, type Scalar } from "./collection";

export type JsonObject = Record<string, unknown>;

/** The store can never take this document or apply this update; collections answer it as a `RejectedError`. */
export class DocumentFault extends Error {
  override readonly name = "DocumentFault";
}

/** Largest JSON text of one document, in UTF-16 units: MongoDB's limit of 16 MB holds for the bytes. */
export const MAX_DOCUMENT_SIZE = 16 * 1024 * 1024;

const LONE_SURROGATE = /\p{Surrogate}/gu;
const ESCAPED = /\\(?:u(d[89a-f][0-9a-f]{2})|.)/g;

/**
 * JSON text in valid Unicode: a lone surrogate becomes U+FFFD, as in any store that keeps UTF-8.
 * @throws DocumentFault when the value is no JSON
 */
export function encode(value: object): string {
  let json: string;
  try {
    json = JSON.stringify(value);
  } catch (error) {
    throw new DocumentFault(error instanceof Error ? error.message : "not serialisable");
  }
  if (!json.includes("\\ud")) return json;
  return json.replace(ESCAPED, (escape, surrogate?: string) => (surrogate ? "\ufffd" : escape));
}

/**
 * JSON text of a document.
 * @throws DocumentFault when it has no string `_id`, is no JSON, or is too large
 */
export function encodeDocument(document: { _id: string }): string {
  if (typeof document._id !== "string" || document._id === "") throw new DocumentFault("_id must be a string");
  const json = encode(document);
  if (json.length > MAX_DOCUMENT_SIZE) throw new DocumentFault("too large");
  return json;
}

/** A deep copy of plain JSON data. */
export function copy<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copy) as T;
  const result: JsonObject = {};
  for (const key of Object.keys(value)) define(result, key, copy((value as JsonObject)[key]));
  return result as T;
}

/** Sets an own property, whatever its name: assigning to `__proto__` would change the prototype instead. */
export function define(target: JsonObject, key: string, value: unknown): void {
  if (key !== "__proto__") target[key] = value;
  else Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

export const wellFormed = (text: string): string => text.replace(LONE_SURROGATE, "\ufffd");

/** Is this a finite number, a string, a boolean or null? */
export function isScalar(value: unknown): value is Scalar {
  if (typeof value === "number") return Number.isFinite(value);
  return typeof value === "string" || typeof value === "boolean" || value === null;
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Place of a value's type in the order; missing counts as null. */
export function typeRank(value: unknown): number {
  if (value === undefined || value === null) return 0;
  if (typeof value === "number") return 1;
  if (typeof value === "string") return 2;
  if (typeof value === "boolean") return 5;
  return Array.isArray(value) ? 4 : 3;
}

/** Negative, zero or positive. Two objects, and two arrays, count as equal. */
export function compareValues(a: unknown, b: unknown): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "string" && typeof b === "string") return compareText(a, b);
  if (typeof a === "boolean" && typeof b === "boolean") return Number(a) - Number(b);
  return typeRank(a) - typeRank(b);
}

/** Orders by code point, which is the order of UTF-8 bytes; `<` orders by UTF-16 units. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = unitOrder(a.charCodeAt(i)) - unitOrder(b.charCodeAt(i));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above all others. */
const unitOrder = (unit: number): number => (unit < 0xd800 || unit > 0xdfff ? unit : unit + 0x10000);

const PATH = /^[A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*$/;
const MAX_PATHS = 4_096;
const paths = new Map<string, readonly string[]>();

/**
 * The segments of a dotted field path.
 * @throws UnsupportedOperatorError when it is no path of the port
 */
export function segmentsOf(path: string): readonly string[] {
  const known = paths.get(path);
  if (known) return known;
  const segments = path.split(".");
  if (path.length > 256 || !PATH.test(path) || segments.includes("__proto__"))
    throw new UnsupportedOperatorError(`field path ${JSON.stringify(path.slice(0, 64))}`);
  if (paths.size >= MAX_PATHS) paths.clear();
  paths.set(path, segments);
  return segments;
}

/** The value at a path; undefined when there is none. Paths do not descend into arrays. */
export function valueAt(document: object, path: string): unknown {
  let value: unknown = document;
  for (const segment of segmentsOf(path)) {
    if (!isObject(value) || !Object.hasOwn(value, segment)) return undefined;
    value = value[segment];
  }
  return value;
}

type Sort = Readonly<Record<string, 1 | -1>>;

/** Compares two documents by the paths of a sort, in order of significance. */
export function comparator(sort: Sort): (a: object, b: object) => number {
  const fields = Object.entries(sort);
  return (a, b) => {
    for (const [path, direction] of fields) {
      const difference = compareValues(valueAt(a, path), valueAt(b, path));
      if (difference !== 0) return difference * direction;
    }
    return 0;
  };
}

/** @throws UnsupportedOperatorError unless the options are a sort by paths and a positive integer limit */
export function validateFindOptions(options: { sort?: Sort; limit?: number } | undefined): void {
  for (const [path, direction] of Object.entries(options?.sort ?? {})) {
    segmentsOf(path);
    if (direction !== 1 && direction !== -1) throw new UnsupportedOperatorError(`sort direction ${String(direction)}`);
  }
  if (options?.limit !== undefined) validateLimit(options.limit);
}

/** @throws UnsupportedOperatorError unless it is a positive integer */
export function validateLimit(limit: number): void {
  if (!Number.isSafeInteger(limit) || limit < 1) throw new UnsupportedOperatorError(`limit ${String(limit)}`);
}
