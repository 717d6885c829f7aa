import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Store } from "../../lib/store/collection";
import { openSqliteStore } from "../../lib/store/sqlite/store";
import { storeSuite } from "./store.suite";

let folder: string | undefined;
let shared: Store | undefined;
let opened = 0;

/** One store for many cases, as starting its threads takes long: each case gets collections of its own. */
async function open() {
  folder ??= await mkdtemp(join(tmpdir(), "parley-store-"));
  shared ??= await openSqliteStore({ folder });
  const base = shared;
  const suffix = `_${opened++}`;
  const store: Store = {
    collection: (definition) => base.collection({ ...definition, name: definition.name + suffix }),
    ping: () => base.ping(),
    close: () => {
      shared = undefined;
      return base.close();
    },
  };
  return { store, close: () => Promise.resolve() };
}

storeSuite("sqlite", open);

afterAll(async () => {
  await shared?.close();
  if (folder) await rm(folder, { recursive: true });
});
