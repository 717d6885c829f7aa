import { DatabaseSync } from "node:sqlite";
import { messageOf } from "../../message-of";
import { type Job, Jobs } from "./jobs";
import { type Answer, type Outcome, type Request, sqliteCode, type WorkerData } from "./protocol";
import { Statements, Table } from "./table";

/** Longest share of one transaction, in milliseconds, for work in bulk: inserts wait no longer for it. */
const BULK_MS = 4;
const BULK: ReadonlySet<string> = new Set(["bulk", "putNewer", "delete"]);

interface Started {
  readonly id: number;
  readonly job: Job;
}

/**
 * Commits everything that has arrived in one transaction, and answers when it is durable. Work in bulk goes on over as
 * many transactions as it takes, so that it never holds up an insert.
 */
export class Writer {
  private readonly database: DatabaseSync;
  private readonly jobs: Jobs;
  private bulk: Started[] = [];

  /** @param more takes what has arrived meanwhile */
  constructor(
    { file, definitions }: WorkerData,
    private readonly post: (answers: Answer[]) => void,
    private readonly more: () => Request[],
  ) {
    this.database = new DatabaseSync(file, { timeout: 5_000 });
    this.database.exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -64000;
       PRAGMA wal_autocheckpoint = 16000; PRAGMA journal_size_limit = 134217728; PRAGMA temp_store = MEMORY;
       CREATE TABLE IF NOT EXISTS parley_ping (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)`,
    );
    const tables = new Map(definitions.map((definition) => [definition.name, new Table(definition)]));
    for (const table of tables.values()) table.create(this.database);
    this.jobs = new Jobs(new Statements(this.database), tables);
  }

  /** Works until nothing is left, taking in what arrives on the way. */
  handle(requests: readonly Request[]): void {
    this.commit(requests);
    while (this.bulk.length > 0) this.commit(this.more());
  }

  close(): void {
    this.database.close();
  }

  private commit(requests: readonly Request[]): void {
    const answers: Answer[] = [];
    const touched: number[] = [];
    try {
      this.database.exec("BEGIN IMMEDIATE");
      for (const request of requests) this.begin(request, answers, touched);
      this.advanceBulk(answers, touched);
      this.database.exec("COMMIT");
    } catch (error) {
      this.fail(messageOf(error), requests, touched);
      return;
    }
    if (answers.length > 0) this.post(answers);
  }

  private begin(request: Request, answers: Answer[], touched: number[]): void {
    const { id } = request;
    const job = alone(() => this.jobs.start(request));
    if ("error" in job) answers.push({ id, outcome: job });
    else if (BULK.has(request.operation)) this.bulk.push({ id, job });
    else {
      touched.push(id);
      let outcome = advance(job);
      while (!outcome) outcome = advance(job);
      answers.push({ id, outcome });
    }
  }

  private advanceBulk(answers: Answer[], touched: number[]): void {
    const until = performance.now() + BULK_MS;
    for (let first = this.bulk[0]; first && performance.now() < until; first = this.bulk[0]) {
      touched.push(first.id);
      let outcome = advance(first.job);
      for (let n = 1; !outcome && (n % 16 !== 0 || performance.now() < until); n++) outcome = advance(first.job);
      if (!outcome) return;
      answers.push({ id: first.id, outcome });
      this.bulk.shift();
    }
  }

  /** The transaction is gone: whatever it had touched has an unknown outcome. */
  private fail(reason: string, requests: readonly Request[], touched: readonly number[]): void {
    if (this.database.isTransaction) this.database.exec("ROLLBACK");
    const outcome: Outcome = { error: `the store could not commit: ${reason}` };
    const ids = new Set([...requests.map((request) => request.id), ...touched]);
    this.bulk = this.bulk.filter((each) => !ids.has(each.id));
    this.post([...ids].map((id) => ({ id, outcome })));
  }
}

function advance(job: Job): Outcome | undefined {
  const step = alone(() => job.next());
  if ("error" in step) return step;
  return step.done ? step.value : undefined;
}

/** An error of SQLite ends the transaction for all; any other is the request's own. */
function alone<T extends object>(step: () => T): T | { readonly error: string } {
  try {
    return step();
  } catch (error) {
    if (sqliteCode(error) !== undefined) throw error;
    return { error: messageOf(error) };
  }
}
