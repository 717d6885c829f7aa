import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteStore } from "../../lib/store/sqlite/store";
import { storeSuite } from "./store.suite";

storeSuite("sqlite", async () => {
  const folder = await mkdtemp(join(tmpdir(), "parley-store-"));
  const store = await openSqliteStore({ folder });
  const close = async (): Promise<void> => {
    await store.close();
    await rm(folder, { recursive: true });
  };
  return { store, close };
});
