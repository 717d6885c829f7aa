import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";

/** The peer's store: one durable insert per message, `synchronous=FULL` on a write-ahead log, as Parley's own file has. */
export interface InsertRequest {
  readonly id: number;
  readonly document: string;
}

const port = parentPort;
if (!port) throw new Error("insert-worker runs in a worker thread");

const database = new DatabaseSync((workerData as { file: string }).file);
database.exec(`
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY, document TEXT NOT NULL);
  CREATE UNIQUE INDEX IF NOT EXISTS by_seq
    ON messages (json_extract(document, '$.conversationId'), json_extract(document, '$.seq'));
  CREATE UNIQUE INDEX IF NOT EXISTS by_command
    ON messages (json_extract(document, '$.by'), json_extract(document, '$.commandId'));
`);
const insert = database.prepare("INSERT INTO messages (document) VALUES (?)");

port.on("message", (request: InsertRequest) => {
  insert.run(request.document);
  port.postMessage(request.id);
});
