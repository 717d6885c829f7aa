import { DatabaseSync } from "node:sqlite";
import { messageOf } from "../../message-of";
import type { CollectionDefinition, Filter, FindOptions } from "../collection";
import { parseFilter } from "../filter";
import type { Answer, Outcome, Request, WorkerData } from "./protocol";
import { count, select } from "./query";
import { Statements, Table } from "./table";

/** How many requests share one snapshot: a long one keeps the log from being reused. */
const MAX_BATCH = 64;

/** Answers reads from a connection of its own, which never waits for the writer. */
export class Reader {
  private readonly database: DatabaseSync;
  private readonly statements: Statements;
  private readonly tables = new Map<string, Table>();

  constructor(
    { file, definitions }: WorkerData,
    private readonly post: (answers: Answer[]) => void,
  ) {
    this.database = new DatabaseSync(file, { timeout: 5_000 });
    this.database.exec(
      "PRAGMA query_only = ON; PRAGMA synchronous = FULL; PRAGMA cache_size = -16000; PRAGMA mmap_size = 268435456",
    );
    this.statements = new Statements(this.database);
    for (const definition of definitions) this.tables.set(definition.name, new Table(definition));
  }

  /** The requests have arrived before the snapshot is taken, so each sees all that was durable when it was made. */
  handle(requests: readonly Request[]): void {
    const reads = requests.filter((request) => request.operation !== "checkpoint" || this.checkpoint(request));
    for (let i = 0; i < reads.length; i += MAX_BATCH) {
      this.database.exec("BEGIN");
      const answers = reads.slice(i, i + MAX_BATCH).map((request) => ({ id: request.id, outcome: this.run(request) }));
      this.database.exec("COMMIT");
      this.post(answers);
    }
  }

  /** Copies what the log holds into the database file, while the writer goes on: the less is left for it to copy. */
  private checkpoint({ id }: Request): false {
    this.statements.get("PRAGMA wal_checkpoint(PASSIVE)").get();
    this.post([{ id, outcome: { value: "" } }]);
    return false;
  }

  close(): void {
    this.database.close();
  }

  private run({ operation, collection, text }: Request): Outcome {
    try {
      if (operation === "define") {
        this.tables.set(collection, new Table(JSON.parse(text) as CollectionDefinition));
        return { value: "" };
      }
      const table = this.tables.get(collection);
      if (!table) throw new Error(`no collection ${collection}`);
      return { value: operation === "count" ? this.count(table, text) : this.find(table, text) };
    } catch (error) {
      return { error: messageOf(error) };
    }
  }

  private find(table: Table, text: string): string {
    const [filter, options] = JSON.parse(text) as [Filter, FindOptions];
    const found = select(this.statements, table, parseFilter(filter), options);
    return `[${found.map((row) => row.doc).join()}]`;
  }

  private count(table: Table, text: string): string {
    const [filter, limit] = JSON.parse(text) as [Filter, number];
    return String(count(this.statements, table, parseFilter(filter), limit));
  }
}
