import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteStore } from "../../lib/store/sqlite/store";
import { differentialSuite } from "./store.differential";

async function open() {
  const folder = await mkdtemp(join(tmpdir(), "parley-differential-"));
  const store = await openSqliteStore({ folder, readers: 1 });
  const close = async (): Promise<void> => {
    await store.close();
    await rm(folder, { recursive: true });
  };
  return { store, close };
}

differentialSuite("SQLite", open, { nested: true, strange: true, booleans: true, writes: true, increments: true });
