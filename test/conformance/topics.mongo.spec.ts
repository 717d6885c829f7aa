import { type MongoStore, openMongoStore } from "../../lib/store/mongo/store";
import { TOPICS } from "../../services/topics/topics.store";
import { migrateForTest } from "../support/migrate";
import { freshDatabase, mongoNames } from "../support/servers";
import { topicsSuite } from "./topics.suite";

describe.each(mongoNames())("%s", (name) => {
  let database: ReturnType<typeof freshDatabase>;
  let stores: readonly MongoStore[] = [];
  afterEach(async () => {
    if (stores.length === 0) return;
    await Promise.all(stores.map((store) => store.close()));
    stores = [];
    await database.drop();
  });

  topicsSuite(name, async () => {
    database = freshDatabase(name);
    await migrateForTest(database.url, [TOPICS]);
    stores = await Promise.all([1, 2, 3].map(() => openMongoStore({ uri: database.url })));
    return stores;
  });
});
