/** Filters: one validator and one meaning for every implementation that has no query language of its own. */
import { UnsupportedOperatorError, type Filter, type Scalar } from "./collection";
import { compareValues, isObject, isScalar, segmentsOf, typeRank, valueAt, wellFormed } from "./values";

/** One comparison of the value at a path. All terms of a filter must hold. */
export type Term =
  | { readonly path: string; readonly op: "eq"; readonly value: Scalar }
  | RangeTerm
  | { readonly path: string; readonly op: "in"; readonly values: readonly Scalar[] }
  | { readonly path: string; readonly op: "exists"; readonly value: boolean };

export interface RangeTerm {
  readonly path: string;
  readonly op: "gt" | "gte" | "lt" | "lte";
  readonly value: Scalar;
}

export interface ParsedFilter {
  readonly terms: readonly Term[];
  /** At least one branch must hold too, when there are any. */
  readonly or?: readonly ParsedFilter[];
}

const MAX_DEPTH = 8;

/**
 * A filter as a list of terms.
 * @throws UnsupportedOperatorError for anything outside the port's subset, and for a value that is no scalar
 */
export function parseFilter(filter: Filter, depth = 0): ParsedFilter {
  if (!isPlain(filter) || depth > MAX_DEPTH) throw new UnsupportedOperatorError("a filter that is no plain object");
  const terms: Term[] = [];
  let or: readonly ParsedFilter[] | undefined;
  for (const path of Object.keys(filter)) {
    const value: unknown = filter[path];
    if (path === "$or") {
      if (!Array.isArray(value) || value.length === 0) throw new UnsupportedOperatorError("an empty $or");
      or = value.map((branch: Filter) => parseFilter(branch, depth + 1));
    } else {
      segmentsOf(path);
      if (isScalar(value)) terms.push({ path, op: "eq", value: scalar(value, path) });
      else parseCondition(path, value, terms);
    }
  }
  return or ? { terms, or } : { terms };
}

function parseCondition(path: string, condition: unknown, terms: Term[]): void {
  if (!isPlain(condition)) throw new UnsupportedOperatorError(`a value of ${path} that is no scalar`);
  const operators = Object.keys(condition);
  if (operators.length === 0) throw new UnsupportedOperatorError(`an empty condition on ${path}`);
  for (const operator of operators) terms.push(termOf(path, operator, condition[operator]));
}

function termOf(path: string, operator: string, value: unknown): Term {
  switch (operator) {
    case "$eq":
      return { path, op: "eq", value: scalar(value, path) };
    case "$in":
      if (!Array.isArray(value)) throw new UnsupportedOperatorError(`$in on ${path} without a list`);
      return { path, op: "in", values: value.map((item) => scalar(item, path)) };
    case "$gt":
    case "$gte":
    case "$lt":
    case "$lte":
      if (value === null) throw new UnsupportedOperatorError(`${operator} null`);
      return { path, op: operator.slice(1) as RangeTerm["op"], value: scalar(value, path) };
    case "$exists":
      if (typeof value !== "boolean") throw new UnsupportedOperatorError("$exists that is no boolean");
      return { path, op: "exists", value };
    default:
      throw new UnsupportedOperatorError(operator.slice(0, 64));
  }
}

function scalar(value: unknown, path: string): Scalar {
  if (typeof value === "string") return wellFormed(value);
  if (!isScalar(value)) throw new UnsupportedOperatorError(`a value of ${path} that is no scalar`);
  return value;
}

/** Object literals only: a class instance, and an object that brings its own prototype, is somebody's mistake. */
function isPlain(value: unknown): value is Record<string, unknown> {
  if (!isObject(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/**
 * Does the document match? Pure. As in MongoDB: `null` matches a missing field, ranges compare within one type, and an
 * array matches when one of its elements does.
 * @throws UnsupportedOperatorError as `parseFilter`
 */
export function matches(filter: Filter, document: object): boolean {
  return matchesParsed(parseFilter(filter), document);
}

/** `matches` for a filter that is already parsed. */
export function matchesParsed(filter: ParsedFilter, document: object): boolean {
  for (const term of filter.terms) if (!holds(term, valueAt(document, term.path))) return false;
  return !filter.or || filter.or.some((branch) => matchesParsed(branch, document));
}

function holds(term: Term, value: unknown): boolean {
  if (term.op === "exists") return (value !== undefined) === term.value;
  if (Array.isArray(value)) return value.some((item) => test(term, item));
  return test(term, value);
}

function test(term: Exclude<Term, { op: "exists" }>, value: unknown): boolean {
  if (term.op === "in") return term.values.includes((value ?? null) as Scalar);
  if (term.op === "eq") return (value ?? null) === term.value;
  if (typeRank(value) !== typeRank(term.value)) return false;
  const difference = compareValues(value, term.value);
  switch (term.op) {
    case "gt":
      return difference > 0;
    case "gte":
      return difference >= 0;
    case "lt":
      return difference < 0;
    case "lte":
      return difference <= 0;
  }
}

/** The fields that a filter fixes to one value: what an upsert starts from. */
export function equalityFields(filter: ParsedFilter): ReadonlyMap<string, Scalar> {
  const fields = new Map<string, Scalar>();
  for (const term of filter.terms) if (term.op === "eq") fields.set(term.path, term.value);
  return fields;
}
