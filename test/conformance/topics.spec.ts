import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryStore } from "../../lib/store/memory";
import type { Store } from "../../lib/store/collection";
import { openSqliteStore } from "../../lib/store/sqlite/store";
import { topicsSuite } from "./topics.suite";

const twice = (store: Store): Store[] => [store, store];
const opened: Array<{ folder: string; store: Store }> = [];

topicsSuite("memory", () => Promise.resolve(twice(new MemoryStore())));

topicsSuite("sqlite", async () => {
  const folder = await mkdtemp(join(tmpdir(), "parley-topics-"));
  const store = await openSqliteStore({ folder });
  opened.push({ folder, store });
  return twice(store);
});

afterAll(async () => {
  for (const { folder, store } of opened) {
    await store.close();
    await rm(folder, { recursive: true });
  }
});
