/** Updates: one validator and one meaning for every implementation that has no update language of its own. */
import { type Scalar, UnsupportedOperatorError, type Update, type WriteOperation } from "./collection";
import { equalityFields, type ParsedFilter, parseFilter } from "./filter";
import {
  compareValues,
  copy,
  define,
  DocumentFault,
  encode,
  isObject,
  isScalar,
  type JsonObject,
  segmentsOf,
  wellFormed,
} from "./values";

const OPERATORS = ["$set", "$unset", "$setOnInsert", "$inc", "$max", "$min", "$addToSet", "$pull"] as const;
type Operator = (typeof OPERATORS)[number];

interface Change {
  readonly operator: Operator;
  readonly path: string;
  readonly value: unknown;
}

export type ParsedUpdate = readonly Change[];

/**
 * An update as a list of changes.
 * @throws UnsupportedOperatorError for anything outside the port's subset, for a change of `_id`, and when two changes
 * meet in one field
 */
export function parseUpdate(update: Update): ParsedUpdate {
  const changes: Change[] = [];
  if (!isObject(update) || Object.keys(update).length === 0) throw new UnsupportedOperatorError("an empty update");
  for (const operator of Object.keys(update)) {
    if (!isOperator(operator)) throw new UnsupportedOperatorError(operator.slice(0, 64));
    const fields: unknown = update[operator];
    if (!isObject(fields)) throw new UnsupportedOperatorError(`${operator} without fields`);
    for (const path of Object.keys(fields)) {
      if (segmentsOf(path)[0] === "_id") throw new UnsupportedOperatorError(`${operator} of _id`);
      const value = fields[path];
      if (value !== undefined) changes.push({ operator, path, value: operand(operator, value) });
    }
  }
  refuseConflicts(changes);
  return changes;
}

const isOperator = (name: string): name is Operator => (OPERATORS as readonly string[]).includes(name);

function operand(operator: Operator, value: unknown): unknown {
  if (operator === "$unset") return true;
  if (typeof value === "string") {
    if (operator !== "$inc") return wellFormed(value);
  } else if (operator === "$set" || operator === "$setOnInsert") {
    if (isScalar(value) || typeof value === "object") return value;
  } else if (operator === "$addToSet" || operator === "$pull" || typeof value === "number") {
    if (isScalar(value)) return value;
  }
  throw new UnsupportedOperatorError(`${operator} with a value of another type`);
}

function refuseConflicts(changes: ParsedUpdate): void {
  if (changes.length < 2) return;
  const sorted = changes.map((change) => `${change.path}.`).sort();
  for (let i = 1; i < sorted.length; i++)
    if (sorted[i]?.startsWith(sorted[i - 1] ?? "")) throw new UnsupportedOperatorError("two changes of one field");
}

/**
 * The document as it is after the update; the given one stays as it is.
 * @throws DocumentFault when the update does not fit the document's types; UnsupportedOperatorError as `parseUpdate`
 */
export function applyUpdate<T extends object>(document: T, update: Update): T {
  const result = copy(document);
  applyParsed(result, parseUpdate(update), false);
  return result;
}

/** `applyUpdate` in place, for an update that is already parsed. `$setOnInsert` counts only when `inserting`. */
export function applyParsed(document: object, update: ParsedUpdate, inserting: boolean): void {
  for (const change of update) {
    if (change.operator === "$setOnInsert" && !inserting) continue;
    const place = placeOf(document as JsonObject, change);
    if (place) applyChange(place.parent, place.key, change);
  }
}

export interface ParsedWrite {
  readonly filter: ParsedFilter;
  readonly update: ParsedUpdate;
  readonly upsert: boolean;
}

/**
 * A write operation, checked as a whole.
 * @throws UnsupportedOperatorError as `parseFilter` and `parseUpdate`, and for an upsert whose filter fixes no `_id`
 */
export function parseWrite(operation: WriteOperation): ParsedWrite {
  const filter = parseFilter(operation.filter);
  const update = parseUpdate(operation.update);
  const upsert = operation.upsert === true;
  if (upsert && typeof equalityFields(filter).get("_id") !== "string")
    throw new UnsupportedOperatorError("an upsert whose filter fixes no _id");
  return { filter, update, upsert };
}

/**
 * The document that an upsert inserts: the filter's equality fields, then the update.
 * @throws DocumentFault when they do not fit together
 */
export function upserted(filter: ParsedFilter, update: ParsedUpdate): JsonObject & { _id: string } {
  const document = { _id: "" };
  for (const [path, value] of equalityFields(filter)) applyParsed(document, [{ operator: "$set", path, value }], true);
  applyParsed(document, update, true);
  return document;
}

/** Parent object and last segment of the path, made on the way where missing; nothing when there is nothing to do. */
function placeOf(document: JsonObject, change: Change): { parent: JsonObject; key: string } | undefined {
  const segments = segmentsOf(change.path);
  let parent = document;
  for (const segment of segments.slice(0, -1)) {
    let next: unknown = Object.hasOwn(parent, segment) ? parent[segment] : undefined;
    if (!isObject(next)) {
      if (change.operator === "$unset" || (change.operator === "$pull" && next === undefined)) return undefined;
      if (next !== undefined) throw new DocumentFault(`${change.path} leads through a value`);
      next = {};
      define(parent, segment, next);
    }
    parent = next as JsonObject;
  }
  return { parent, key: segments[segments.length - 1] ?? "" };
}

function applyChange(parent: JsonObject, key: string, change: Change): void {
  const present = Object.hasOwn(parent, key);
  const before = present ? parent[key] : undefined;
  switch (change.operator) {
    case "$set":
    case "$setOnInsert":
      return define(parent, key, normal(change.value));
    case "$unset":
      delete parent[key];
      return;
    case "$inc":
      return define(parent, key, sum(before, change));
    case "$max":
      if (!present || compareValues(change.value, before) > 0) define(parent, key, change.value);
      return;
    case "$min":
      if (!present || compareValues(change.value, before) < 0) define(parent, key, change.value);
      return;
    case "$addToSet":
    case "$pull":
      if (!present && change.operator === "$pull") return;
      return define(parent, key, changedSet(before ?? (present ? before : []), change));
  }
}

/** The value as it will be read again. */
const normal = (value: unknown): unknown =>
  typeof value === "object" && value !== null ? (JSON.parse(encode(value)) as unknown) : value;

function sum(before: unknown, change: Change): number {
  const result = before === undefined ? change.value : typeof before === "number" && before + (change.value as number);
  if (typeof result !== "number" || !Number.isFinite(result)) throw new DocumentFault(`${change.path} is no number`);
  return result;
}

function changedSet(before: unknown, change: Change): unknown[] {
  if (!Array.isArray(before)) throw new DocumentFault(`${change.path} is no array`);
  const value = change.value as Scalar;
  if (change.operator === "$pull") return before.filter((item) => item !== value);
  return before.includes(value) ? before : [...(before as unknown[]), value];
}
