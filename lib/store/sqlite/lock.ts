import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { sqliteCode } from "./protocol";

/** Another process, or another store of this one, has the data folder open. */
export class DataFolderLockedError extends Error {
  override readonly name = "DataFolderLockedError";
  constructor(readonly folder: string) {
    super(`The data folder ${folder} is in use by another process: stop it first, or set another DATA_DIR.`);
  }
}

/**
 * Locks a folder until the returned function is called or the process ends, however it ends. The lock is SQLite's own
 * file lock, which the operating system releases with the process, on an empty database that has no other use.
 * @throws DataFolderLockedError
 */
export function lockFolder(folder: string): () => void {
  const database = new DatabaseSync(join(folder, "lock.db"), { timeout: 0 });
  try {
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (sqliteCode(error) === SQLITE_BUSY) throw new DataFolderLockedError(folder);
    throw error;
  }
  return () => database.close();
}

const SQLITE_BUSY = 5;
