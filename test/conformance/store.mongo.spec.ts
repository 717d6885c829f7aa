import type { CollectionDefinition, Store } from "../../lib/store/collection";
import { type MongoStore, openMongoStore } from "../../lib/store/mongo/store";
import { freshDatabase, type MongoName, mongoNames } from "../support/servers";
import { type Ability, LOG, PLAIN } from "./store/fixture";
import { storeSuite } from "./store.suite";

const LACKING: Readonly<Record<MongoName, readonly Ability[]>> = {
  real: [],
  ferret: ["atomic updates", "updates fail one by one", "missing is null"],
  java: ["order by code point"],
};

/** One database for many cases: each case gets collections of its own, with the indexes of the suite's. */
class Shared {
  private readonly database;
  private store: MongoStore | undefined;
  private opened = 0;

  constructor(name: MongoName) {
    this.database = freshDatabase(name);
  }

  async open(): Promise<{ store: Store; close: () => Promise<void> }> {
    const base = (this.store ??= await openMongoStore({ uri: this.database.url }));
    const suffix = `_${this.opened++}`;
    const named = (definition: CollectionDefinition): CollectionDefinition => ({
      ...definition,
      name: definition.name + suffix,
    });
    await base.migrate([named(LOG), named(PLAIN)]);
    const store: Store = {
      collection: (definition) => base.collection(named(definition)),
      ping: () => base.ping(),
      close: () => {
        this.store = undefined;
        return base.close();
      },
    };
    return { store, close: () => Promise.resolve() };
  }

  async drop(): Promise<void> {
    await this.store?.close();
    await this.database.drop();
  }
}

describe.each(mongoNames())("MongoDB protocol", (name) => {
  let shared: Shared;
  beforeAll(() => {
    shared = new Shared(name);
  });
  afterAll(() => shared.drop());

  storeSuite(name, () => shared.open(), LACKING[name]);
});
