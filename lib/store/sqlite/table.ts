import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type { CollectionDefinition, Scalar } from "../collection";
import { indexedValue, validateDefinition } from "../indexes";

/** An indexed field, kept in a column of its own. A field that is in both kinds of index has two columns. */
export interface Column {
  readonly path: string;
  readonly sparse: boolean;
  /** Quoted. */
  readonly name: string;
}

const FALSE = Uint8Array.of(0);
const TRUE = Uint8Array.of(1);

/**
 * A value in an indexed column, so that SQLite's own order (NULL, numbers, text, blobs) is the port's. Null and missing
 * are -Infinity, which JSON does not have: they are equal in a unique index, as NULLs are not. In a column of sparse
 * indexes they are NULL.
 */
export function encodeKey(value: Scalar, sparse: boolean): SQLInputValue {
  if (value === null) return sparse ? null : -Infinity;
  if (typeof value === "boolean") return value ? TRUE : FALSE;
  return value;
}

/** Prepared statements by their text. Shapes are few, as values are never part of the text. */
export class Statements {
  private readonly prepared = new Map<string, StatementSync>();
  constructor(readonly database: DatabaseSync) {}

  get(sql: string): StatementSync {
    let statement = this.prepared.get(sql);
    if (statement) return statement;
    statement = this.database.prepare(sql);
    statement.setReturnArrays(true);
    const [oldest] = this.prepared.keys();
    if (this.prepared.size >= MAX_STATEMENTS && oldest !== undefined) this.prepared.delete(oldest);
    this.prepared.set(sql, statement);
    return statement;
  }
}

const MAX_STATEMENTS = 500;

/** A collection's table: the document as JSON text, and a column for each indexed field. */
export class Table {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly insertSql: string;
  readonly replaceSql: string;
  readonly replaceTextSql: string;

  constructor(readonly definition: CollectionDefinition) {
    validateDefinition(definition);
    this.name = `"c_${definition.name}"`;
    this.columns = columnsOf(definition);
    const names = this.columns.map((column) => column.name);
    const all = ["_id", "doc", ...names];
    this.insertSql = `INSERT INTO ${this.name}(${all.join()}) VALUES (${all.map(() => "?").join()})`;
    this.replaceSql = `UPDATE ${this.name} SET ${["doc", ...names].map((name) => `${name}=?`).join()} WHERE _id=?`;
    this.replaceTextSql = `UPDATE ${this.name} SET doc=? WHERE _id=?`;
  }

  /** The column that tells most about a field, undefined when it has none. */
  column(path: string): Column | undefined {
    return this.columns.find((column) => column.path === path);
  }

  /** Values of all columns. @throws DocumentFault when a field cannot be indexed */
  keys(document: object): SQLInputValue[] {
    return this.columns.map(({ path, sparse }) => encodeKey(indexedValue(document, path, sparse), sparse));
  }

  /** Creates what is missing of the table, its columns and indexes; new columns are filled from the documents. */
  create(database: DatabaseSync): void {
    database.exec(`CREATE TABLE IF NOT EXISTS ${this.name} (_id NOT NULL PRIMARY KEY, doc TEXT NOT NULL)`);
    const present = database.prepare(`SELECT name FROM pragma_table_info('c_${this.definition.name}')`).all();
    const names = new Set(present.map((row) => `"${String(row["name"])}"`));
    const missing = this.columns.filter((column) => !names.has(column.name));
    for (const column of missing) database.exec(`ALTER TABLE ${this.name} ADD COLUMN ${column.name}`);
    if (missing.length > 0) this.fill(database, missing);
    for (const index of this.definition.indexes) {
      const prefix = index.sparse ? "s:" : "i:";
      const fields = Object.entries(index.fields);
      const label = `${this.definition.name} ${index.unique ? "unique " : ""}${prefix}${JSON.stringify(index.fields)}`;
      const nameOf = (path: string): string => (path === "_id" ? path : `"${prefix}${path}"`);
      const columns = fields.map(([path, direction]) => `${nameOf(path)}${direction === -1 ? " DESC" : ""}`);
      const where = index.sparse ? `WHERE ${columns[0]?.replace(" DESC", "") ?? ""} IS NOT NULL` : "";
      const kind = index.unique ? "UNIQUE INDEX" : "INDEX";
      database.exec(
        `CREATE ${kind} IF NOT EXISTS "${label.replaceAll('"', "'")}" ON ${this.name} (${columns.join()}) ${where}`,
      );
    }
  }

  private fill(database: DatabaseSync, columns: readonly Column[]): void {
    for (const { name, path, sparse } of columns) {
      database.function("parley_key", (doc) =>
        encodeKey(indexedValue(JSON.parse(String(doc)) as object, path, sparse), sparse),
      );
      database.exec(`UPDATE ${this.name} SET ${name} = parley_key(doc)`);
    }
  }
}

/** Plain columns first: what they hold is true of every document. */
function columnsOf(definition: CollectionDefinition): Column[] {
  const columns = new Map<string, Column>();
  for (const sparse of [false, true]) {
    for (const index of definition.indexes.filter((each) => (each.sparse === true) === sparse)) {
      for (const path of Object.keys(index.fields)) {
        const name = `"${sparse ? "s" : "i"}:${path}"`;
        if (path !== "_id") columns.set(name, { path, sparse, name });
      }
    }
  }
  return [...columns.values()];
}
