import {
  type CollectionDefinition,
  DuplicateKeyError,
  type Document,
  type Filter,
  type Update,
  type UpdateOptions,
  type WriteOperation,
} from "../collection";
import { faultIs, newness } from "../fault";
import { type ParsedFilter, parseFilter } from "../filter";
import { applyParsed, type ParsedWrite, parseWrite, upserted } from "../update";
import { encode, valueAt } from "../values";
import { type Outcome, outcomeOf, type Request, sqliteCode } from "./protocol";
import { type Found, select } from "./query";
import { type Statements, Table } from "./table";

/**
 * A write in steps. Each step leaves the data whole, and the transaction may end between two of them. A step that
 * throws leaves it to the writer to end the transaction.
 */
export type Job = Generator<void, Outcome, void>;

const NOTHING: Outcome = { value: "" };
const DELETED_AT_ONCE = 200;
const SQLITE_CONSTRAINT_PRIMARYKEY = 1555;
const SQLITE_CONSTRAINT_UNIQUE = 2067;

/** The writes of the store port, on the writer's own connection. */
export class Jobs {
  constructor(
    private readonly statements: Statements,
    private readonly tables: Map<string, Table>,
  ) {}

  /** The job that a request asks for. */
  start({ operation, collection, text }: Request): Job {
    if (operation === "define") return this.define(JSON.parse(text) as CollectionDefinition);
    if (operation === "ping") return this.ping();
    const table = this.tables.get(collection);
    if (!table) throw new Error(`no collection ${collection}`);
    switch (operation) {
      case "insert":
        return this.insert(table, text.split("\n"));
      case "update":
      case "findAndUpdate":
        return this.update(table, JSON.parse(text) as [Filter, Update, UpdateOptions], operation === "update");
      case "bulk":
        return this.independently(JSON.parse(text) as WriteOperation[], (each, index) =>
          this.write(table, parseWrite(each), index),
        );
      case "putNewer": {
        const [field = "", ...lines] = text.split("\n");
        return this.independently(lines, (line, index) => line && this.putNewer(table, line, field, index));
      }
      case "delete":
        return this.delete(table, parseFilter(JSON.parse(text) as Filter));
      default:
        throw new Error(`the writer does not ${operation}`);
    }
  }

  private *define(definition: CollectionDefinition): Job {
    const table = new Table(definition);
    const { database } = this.statements;
    database.exec("SAVEPOINT define");
    try {
      table.create(database);
    } catch (error) {
      database.exec("ROLLBACK TO define; RELEASE define");
      return { error: `collection ${definition.name}: ${String(error)}` };
    }
    database.exec("RELEASE define");
    this.tables.set(definition.name, table);
    return NOTHING;
  }

  /** Writes, so that its answer means what an insert's answer would mean. */
  private *ping(): Job {
    this.statements.get("INSERT INTO parley_ping VALUES (1, 1) ON CONFLICT DO UPDATE SET n = n + 1").run();
    return NOTHING;
  }

  private *insert(table: Table, lines: readonly string[]): Job {
    try {
      lines.forEach((line, index) => this.insertOne(table, line, JSON.parse(line) as Document, index));
      return NOTHING;
    } catch (error) {
      return told(error);
    }
  }

  private *update(table: Table, [filter, update, options]: [Filter, Update, UpdateOptions], brief: boolean): Job {
    try {
      const { before, after } = this.write(table, parseWrite({ ...options, filter, update }), 0);
      if (!brief) return { value: after ?? "" };
      return { value: JSON.stringify({ matched: before ? 1 : 0, upserted: !before && after !== undefined }) };
    } catch (error) {
      return told(error);
    }
  }

  private *delete(table: Table, filter: ParsedFilter): Job {
    let deleted = 0;
    for (;;) {
      const found = select(this.statements, table, filter, { limit: DELETED_AT_ONCE });
      for (const { _id } of found) this.statements.get(`DELETE FROM ${table.name} WHERE _id=?`).run(_id);
      deleted += found.length;
      if (found.length < DELETED_AT_ONCE) return { value: String(deleted) };
      yield;
    }
  }

  private *independently<T>(items: readonly T[], step: (item: T, index: number) => unknown): Job {
    let failure: Outcome | undefined;
    for (const [index, item] of items.entries()) {
      if (index > 0) yield;
      try {
        step(item, index);
      } catch (error) {
        const outcome = told(error);
        failure ??= outcome;
      }
    }
    return failure ?? NOTHING;
  }

  private putNewer(table: Table, line: string, field: string, index: number): void {
    const document = JSON.parse(line) as Document;
    const seq = newness(document, field, index);
    const [before] = this.statements.get(`SELECT _id, doc FROM ${table.name} WHERE _id=?`).all(document._id);
    if (!before) return this.insertOne(table, line, document, index);
    const stored = JSON.parse((before as unknown as [string, string])[1]) as Document;
    const seqBefore = valueAt(stored, field);
    if (typeof seqBefore === "number" && seqBefore >= seq) return;
    this.replace(table, stored, document, line, index);
  }

  private write(
    table: Table,
    { filter, update, upsert }: ParsedWrite,
    index: number,
  ): { before?: Found; after?: string } {
    const [before] = select(this.statements, table, filter, { limit: 1 });
    if (!before && !upsert) return {};
    if (!before) {
      const document = faultIs(index, () => upserted(filter, update));
      const after = encode(document);
      this.insertOne(table, after, document, index);
      return { after };
    }
    const stored = JSON.parse(before.doc) as Document;
    const document = JSON.parse(before.doc) as Document;
    faultIs(index, () => applyParsed(document, update, false));
    const after = encode(document);
    if (after !== before.doc) this.replace(table, stored, document, after, index);
    return { before, after };
  }

  private insertOne(table: Table, text: string, document: Document, index: number): void {
    const keys = faultIs(index, () => table.keys(document));
    uniquely(index, () => this.statements.get(table.insertSql).run(document._id, text, ...keys));
  }

  /** Leaves the indexes alone when no indexed field has changed. */
  private replace(table: Table, before: Document, after: Document, text: string, index: number): void {
    const keys = faultIs(index, () => table.keys(after));
    const keysBefore = table.keys(before);
    if (keys.every((key, i) => key === keysBefore[i])) this.statements.get(table.replaceTextSql).run(text, after._id);
    else uniquely(index, () => this.statements.get(table.replaceSql).run(text, ...keys, after._id));
  }
}

/** The outcome of a document's failure; any other failure is thrown on. */
function told(error: unknown): Outcome {
  const outcome = outcomeOf(error);
  if (!outcome) throw error;
  return outcome;
}

function uniquely(index: number, step: () => unknown): void {
  try {
    step();
  } catch (error) {
    const code = sqliteCode(error);
    if (code === SQLITE_CONSTRAINT_UNIQUE || code === SQLITE_CONSTRAINT_PRIMARYKEY) throw new DuplicateKeyError(index);
    throw error;
  }
}
