import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Store } from "../../lib/store/collection";
import { openSqliteStore } from "../../lib/store/sqlite/store";

const opened: Array<() => Promise<void>> = [];
afterAll(async () => {
  for (const close of opened.splice(0)) await close();
});

/** An empty SQLite store in a folder of its own; both go when the spec is over. */
export async function freshSqliteStore(): Promise<Store> {
  const folder = await mkdtemp(join(tmpdir(), "parley-sqlite-"));
  const store = await openSqliteStore({ folder });
  opened.push(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });
  return store;
}
