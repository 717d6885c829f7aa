/**
 * From what the port's validators have read to what is sent. Nothing of a caller's own object is passed on: a filter or
 * an update that reaches the server was built here.
 */
import type { CollectionDefinition } from "../collection";
import type { ParsedFilter } from "../filter";
import { indexedValue } from "../indexes";
import type { ParsedUpdate } from "../update";
import { copy, define, DocumentFault, encode, isObject, type JsonObject } from "../values";

/** The filter of a parsed one. */
export function toMongoFilter({ terms, or }: ParsedFilter): JsonObject {
  const conditions = new Map<string, JsonObject>();
  for (const term of terms) {
    const condition = conditions.get(term.path) ?? {};
    conditions.set(term.path, condition);
    condition[`$${term.op}`] = term.op === "in" ? term.values : term.value;
  }
  const filter: JsonObject = {};
  for (const [path, condition] of conditions) define(filter, path, plainEquality(condition));
  if (or) filter["$or"] = or.map(toMongoFilter);
  return filter;
}

/** A value by itself is what the simplest servers look up by `_id`. */
function plainEquality(condition: JsonObject): unknown {
  return Object.keys(condition).length === 1 && "$eq" in condition ? condition["$eq"] : condition;
}

/** Removes a field that no document has: an update must not be empty. */
const NOTHING: JsonObject = { $unset: { _none: "" } };

/**
 * The update of a parsed one.
 * @throws DocumentFault when it would bring a value into an index that the port keeps out
 */
export function toMongoUpdate(changes: ParsedUpdate, { indexes }: CollectionDefinition): JsonObject {
  if (changes.length === 0) return NOTHING;
  const update: JsonObject = {};
  for (const { operator, path, value } of changes) {
    const fields = (update[operator] ??= {}) as JsonObject;
    const sent = operator === "$unset" ? "" : normal(value);
    define(fields, path, sent);
    for (const { fields: indexed, sparse } of indexes)
      for (const field of Object.keys(indexed)) checkIndexed(operator, path, sent, field, sparse === true);
  }
  return update;
}

function checkIndexed(operator: string, path: string, value: unknown, field: string, sparse: boolean): void {
  if (operator === "$unset" || operator === "$pull") return;
  if (field.startsWith(`${path}.`)) {
    const inner = field.slice(path.length + 1);
    if (isObject(value)) indexedValue(value, inner, sparse);
  } else if (path.startsWith(`${field}.`) || (path === field && operator === "$addToSet")) {
    throw new DocumentFault(`indexed field ${field} is no scalar`);
  } else if (path === field) {
    indexedValue({ value }, "value", sparse);
  }
}

/** The value as any store of the port would read it again. */
function normal(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return Object.is(value, -0) ? 0 : value;
  return JSON.parse(encode(value)) as unknown;
}

/** The document that replaces another one of the same `_id`. */
export function withoutId(document: { _id: string }): JsonObject {
  const rest: JsonObject = {};
  for (const [name, value] of Object.entries(copy(document))) if (name !== "_id") define(rest, name, value);
  return rest;
}
