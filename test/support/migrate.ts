import type { CollectionDefinition } from "../../lib/store/collection";
import { openMongoStore } from "../../lib/store/mongo/store";
import { COLLECTIONS } from "../../services/collections";

/** Builds the indexes that a node looks for, as `npm run migrate` does, on an empty or older database. */
export async function migrateForTest(
  uri: string,
  definitions: readonly CollectionDefinition[] = COLLECTIONS,
): Promise<void> {
  const store = await openMongoStore({ uri, socketMs: 0 });
  try {
    await store.migrate(definitions);
  } finally {
    await store.close();
  }
}
