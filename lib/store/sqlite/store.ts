import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Collection, CollectionDefinition, Document, Store } from "../collection";
import { validateDefinition } from "../indexes";
import { WorkerChannel } from "./channel";
import { SqliteCollection, type Threads } from "./collection";
import { lockFolder } from "./lock";
import type { ReadOperation, Role, WriteName } from "./protocol";

export { DataFolderLockedError } from "./lock";

export interface SqliteOptions {
  /** Made when it is missing. The file in it is `parley.db`. */
  folder: string;
  /** Threads that read, started when needed; more than one, so that a scan does not hold up the others. */
  readers?: number;
}

/**
 * Opens the store of a data folder: SQLite through `node:sqlite`, WAL, `synchronous=FULL`. One thread writes, others
 * read, so that the event loop waits for neither a sync nor a scan, and a commit for no scan.
 * @throws DataFolderLockedError when the folder is in use
 */
export async function openSqliteStore({ folder, readers = 2 }: SqliteOptions): Promise<Store> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const unlock = lockFolder(folder);
  const store = new SqliteStore(join(folder, "parley.db"), readers, unlock);
  try {
    await store.ping();
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}

/** Written text, in characters, after which a checkpoint is started: about 20 MB of log. */
const CHECKPOINT_AFTER = 1_000_000;

class SqliteStore implements Store, Threads {
  private readonly definitions: CollectionDefinition[] = [];
  private readonly collections = new Map<string, SqliteCollection<Document>>();
  private readonly writer: WorkerChannel;
  private readonly readers: readonly WorkerChannel[];
  private readonly copier: WorkerChannel;
  private closing: Promise<void> | undefined;
  private written = 0;
  private checkpointing = false;

  constructor(
    file: string,
    readers: number,
    private readonly unlock: () => void,
  ) {
    const channel = (role: Role): WorkerChannel =>
      new WorkerChannel(() => ({ role, file, definitions: [...this.definitions] }));
    this.writer = channel("write");
    this.readers = Array.from({ length: readers }, () => channel("read"));
    this.copier = channel("copy");
  }

  collection<T extends Document>(definition: CollectionDefinition): Collection<T> {
    let found = this.collections.get(definition.name);
    if (!found) {
      found = new SqliteCollection(definition, this, this.define(definition));
      this.collections.set(definition.name, found);
    }
    return found as unknown as Collection<T>;
  }

  async ping(): Promise<void> {
    await this.writer.call("ping");
  }

  close(): Promise<void> {
    this.closing ??= this.stop();
    return this.closing;
  }

  write(operation: WriteName, collection: string, text: string): Promise<string> {
    this.written += text.length;
    if (this.written > CHECKPOINT_AFTER && !this.checkpointing) void this.checkpoint();
    return this.writer.call(operation, collection, text);
  }

  /** By the reader that has least to do. */
  read(operation: ReadOperation, collection: string, text: string): Promise<string> {
    const free = this.readers.reduce((best, each) => (each.waiting < best.waiting ? each : best));
    return free.call(operation, collection, text);
  }

  /** A failure costs time only: the writer copies what is left. */
  private async checkpoint(): Promise<void> {
    this.checkpointing = true;
    this.written = 0;
    await this.copier.call("checkpoint").catch(() => undefined);
    this.checkpointing = false;
  }

  private async define(definition: CollectionDefinition): Promise<void> {
    validateDefinition(definition);
    const text = JSON.stringify(definition);
    await this.writer.call("define", definition.name, text);
    this.definitions.push(definition);
    const running = this.readers.filter((reader) => reader.running);
    await Promise.all(running.map((reader) => reader.call("define", definition.name, text)));
  }

  /** The writer last: the last connection to close brings the log back into the database file. */
  private async stop(): Promise<void> {
    await Promise.all([...this.readers, this.copier].map((reader) => reader.close()));
    await this.writer.close();
    this.unlock();
  }
}
