/** Many commands at once, as the processes of a cluster send them. */
import type { Collection, CollectionDefinition, Document } from "../../lib/store/collection";
import { type MongoStore, openMongoStore } from "../../lib/store/mongo/store";
import { migrateForTest } from "../support/migrate";
import { freshDatabase, mongoNames } from "../support/servers";

interface Entry extends Document {
  n: number;
}

const ENTRIES: CollectionDefinition = { name: "entries", indexes: [] };
/** More than the connections that a stand-in has to its file. */
const CROWD = 200;
const ROUNDS = 3;

describe.each(mongoNames())("%s: a crowd", (name) => {
  let database: ReturnType<typeof freshDatabase>;
  let store: MongoStore;
  let entries: Collection<Entry>;
  const ids = Array.from({ length: CROWD }, (_, n) => `entry-${n}`);
  beforeAll(async () => {
    database = freshDatabase(name);
    await migrateForTest(database.url, [ENTRIES]);
    store = await openMongoStore({ uri: database.url, maxPoolSize: CROWD, serverSelectionMs: 10_000 });
    entries = store.collection<Entry>(ENTRIES);
    await entries.insertMany(ids.map((_id) => ({ _id, n: 0 })));
  });
  afterAll(async () => {
    await store.close();
    await database.drop();
  });

  it.each(["updateOne", "findOneAndUpdate"] as const)("is served, all of it by %s", async (update) => {
    const before = await entries.findOne({ _id: "entry-0" });
    for (let round = 0; round < ROUNDS; round++)
      await Promise.all(ids.map((_id) => entries[update]({ _id }, { $inc: { n: 1 } })));
    const counts = (await entries.find({})).map(({ n }) => n - (before?.n ?? 0));
    expect(counts).toEqual(Array.from({ length: CROWD }, () => ROUNDS));
  });
});
