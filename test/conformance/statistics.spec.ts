import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryStore } from "../../lib/store/memory";
import type { Store } from "../../lib/store/collection";
import { openSqliteStore } from "../../lib/store/sqlite/store";
import { statisticsSuite } from "./statistics.suite";

const opened: Array<{ folder: string; store: Store }> = [];

statisticsSuite("memory", () => Promise.resolve(new MemoryStore()));

statisticsSuite("sqlite", async () => {
  const folder = await mkdtemp(join(tmpdir(), "parley-statistics-"));
  const store = await openSqliteStore({ folder });
  opened.push({ folder, store });
  return store;
});

afterAll(async () => {
  for (const { folder, store } of opened) {
    await store.close();
    await rm(folder, { recursive: true });
  }
});
