import { type MongoStore, openMongoStore } from "../../lib/store/mongo/store";
import { migrateForTest } from "../support/migrate";
import { freshDatabase, mongoNames } from "../support/servers";
import { statisticsSuite } from "./statistics.suite";

describe.each(mongoNames())("%s", (name) => {
  let database: ReturnType<typeof freshDatabase>;
  let store: MongoStore | undefined;
  afterEach(async () => {
    if (!store) return;
    await store.close();
    store = undefined;
    await database.drop();
  });

  statisticsSuite(name, async () => {
    database = freshDatabase(name);
    await migrateForTest(database.url);
    return (store = await openMongoStore({ uri: database.url }));
  });
});
