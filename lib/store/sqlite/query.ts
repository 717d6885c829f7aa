import type { SQLInputValue } from "node:sqlite";
import type { FindOptions, Scalar } from "../collection";
import { matchesParsed, type ParsedFilter, type RangeTerm, type Term } from "../filter";
import { comparator, typeRank } from "../values";
import { type Column, encodeKey, type Statements, type Table } from "./table";

/** A condition on columns that every matching document fulfils; when `exact`, only those do. */
interface Plan {
  readonly where: string;
  readonly values: readonly SQLInputValue[];
  readonly exact: boolean;
}

export interface Found {
  readonly _id: string;
  /** JSON text. */
  readonly doc: string;
}

const ID: Column = { path: "_id", sparse: false, name: "_id" };

/**
 * The documents that match. Conditions on indexed fields run in SQLite; what is left is tested on the documents they
 * leave over, by the same function as in any other implementation. Each branch of an `$or` is a statement of its own,
 * which keeps the number of different statements small: several branches need a transaction around the call.
 */
export function select(statements: Statements, table: Table, filter: ParsedFilter, options: FindOptions): Found[] {
  const [only, ...others] = branchesOf(filter);
  if (only && others.length === 0) return selectBranch(statements, table, only, options);
  const found = new Map<string, Found>();
  for (const branch of branchesOf(filter)) {
    for (const row of selectBranch(statements, table, branch, options)) found.set(row._id, row);
    if (!options.sort && found.size >= (options.limit ?? Infinity)) break;
  }
  return ordered([...found.values()], options);
}

/** Number of documents that match, counting no further than `limit`. */
export function count(statements: Statements, table: Table, filter: ParsedFilter, limit: number): number {
  const plan = planOf(table, filter);
  if (!plan.exact) return select(statements, table, filter, { limit }).length;
  const sql = `SELECT count(*) FROM (SELECT 1 FROM ${table.name}${plan.where} LIMIT ?)`;
  const row = statements.get(sql).get(...plan.values, limit) as unknown as [number];
  return row[0];
}

function branchesOf(filter: ParsedFilter): ParsedFilter[] {
  if (!filter.or) return [filter];
  return filter.or.map(({ terms, or }) => ({ terms: [...filter.terms, ...terms], ...(or && { or }) }));
}

function selectBranch(statements: Statements, table: Table, filter: ParsedFilter, options: FindOptions): Found[] {
  const plan = planOf(table, filter);
  const order = orderOf(table, options.sort);
  const sql = `SELECT _id, doc FROM ${table.name}${plan.where}${order ?? ""}`;
  const limit = order === undefined ? Infinity : (options.limit ?? Infinity);
  const found: Found[] = [];
  if (plan.exact && limit < Infinity) {
    const rows = statements.get(`${sql} LIMIT ?`).all(...plan.values, limit);
    for (const row of rows) found.push(rowOf(row));
  } else {
    for (const each of statements.get(sql).iterate(...plan.values)) {
      const row = rowOf(each);
      if (!plan.exact && !matchesParsed(filter, JSON.parse(row.doc) as object)) continue;
      if (found.push(row) >= limit) break;
    }
  }
  return order === undefined ? ordered(found, options) : found;
}

function rowOf(row: unknown): Found {
  const [_id, doc] = row as [string, string];
  return { _id, doc };
}

function ordered(found: Found[], { sort, limit }: FindOptions): Found[] {
  if (!sort) return found.slice(0, limit);
  const compare = comparator(sort);
  const parsed = found.map((row) => ({ row, document: JSON.parse(row.doc) as object }));
  parsed.sort((a, b) => compare(a.document, b.document));
  return parsed.slice(0, limit).map(({ row }) => row);
}

/** ORDER BY clause; undefined when a field of the sort has no column. */
function orderOf(table: Table, sort: FindOptions["sort"]): string | undefined {
  const fields = Object.entries(sort ?? {});
  if (fields.length === 0) return "";
  const parts: string[] = [];
  for (const [path, direction] of fields) {
    const column = path === "_id" ? ID : table.column(path);
    if (!column) return undefined;
    parts.push(direction === -1 ? `${column.name} DESC` : column.name);
  }
  return ` ORDER BY ${parts.join()}`;
}

function planOf(table: Table, filter: ParsedFilter): Plan {
  const conditions: string[] = [];
  const values: SQLInputValue[] = [];
  let exact = !filter.or;
  for (const term of filter.terms) {
    const column = term.path === "_id" ? ID : table.column(term.path);
    const condition = column && conditionOf(column, term, filter.terms, values);
    if (condition) conditions.push(condition);
    else exact = false;
  }
  return { where: conditions.length > 0 ? ` WHERE ${conditions.join(" AND ")}` : "", values, exact };
}

/** SQL of one term; undefined when the column cannot tell. Adds the values of its parameters to `values`. */
function conditionOf(column: Column, term: Term, terms: readonly Term[], values: SQLInputValue[]): string | undefined {
  switch (term.op) {
    case "exists":
      return column.sparse ? `${column.name} IS ${term.value ? "NOT " : ""}NULL` : undefined;
    case "eq":
      return equals(column, term.value, values);
    case "in":
      return isOneOf(column, term.values, values);
    default:
      values.push(encodeKey(term.value, false));
      return `${column.name} ${OPERATORS[term.op]} ?${guard(column, term, terms)}`;
  }
}

const OPERATORS = { gt: ">", gte: ">=", lt: "<", lte: "<=" } as const;

function equals(column: Column, value: Scalar, values: SQLInputValue[]): string {
  if (value === null && column.sparse) return `${column.name} IS NULL`;
  values.push(encodeKey(value, column.sparse));
  return `${column.name} = ?`;
}

/** Strings and integers travel as one JSON list, so that the statement is the same for any number of them. */
function isOneOf(column: Column, list: readonly Scalar[], values: SQLInputValue[]): string {
  const plain = list.filter((value) => (typeof value === "string" ? !value.includes("\0") : Number.isInteger(value)));
  const parts = [`${column.name} IN (SELECT value FROM json_each(?))`];
  values.push(JSON.stringify(plain));
  if (plain.length < list.length) {
    const rest = new Set(
      list.filter((value) => (typeof value === "string" ? value.includes("\0") : !Number.isInteger(value))),
    );
    for (const value of rest) parts.push(equals(column, value, values));
  }
  return parts.length === 1 ? (parts[0] ?? "") : `(${parts.join(" OR ")})`;
}

/** Keeps a range within the type of its bound, unless another bound of that type does so on the open side. */
function guard(column: Column, term: RangeTerm, terms: readonly Term[]): string {
  const opensUp = term.op === "gt" || term.op === "gte";
  const rank = typeRank(term.value);
  const closed = terms.some(
    (other) =>
      other.path === term.path &&
      (opensUp ? other.op === "lt" || other.op === "lte" : other.op === "gt" || other.op === "gte") &&
      "value" in other &&
      typeRank(other.value) === rank,
  );
  if (closed) return "";
  const [least, beyond] = BOUNDS[rank] ?? ["", ""];
  const bound = opensUp ? beyond : least;
  return bound && ` AND ${column.name} ${bound}`;
}

/** By type rank: what is not below the type, and what is not above it, in the order of `encodeKey`. */
const BOUNDS: Readonly<Record<number, readonly [string, string]>> = {
  1: ["> -9e999", "< ''"],
  2: [">= ''", "< x''"],
  5: [">= x''", ""],
};
