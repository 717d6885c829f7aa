/** Races on updates, where updates are atomic. */
import type { Collection, CollectionDefinition, Document } from "../../lib/store/collection";
import { type MongoStore, openMongoStore } from "../../lib/store/mongo/store";
import { migrateForTest } from "../support/migrate";
import { freshDatabase, mongoNames } from "../support/servers";

interface Entry extends Document {
  n: number;
  m?: number;
  key?: string;
}

const PLAIN: CollectionDefinition = { name: "plain", indexes: [] };
const KEYED: CollectionDefinition = { name: "keyed", indexes: [{ fields: { key: 1 }, unique: true, sparse: true }] };
const atomic = mongoNames().filter((name) => name !== "ferret");

describe.each(atomic)("%s: races", (name) => {
  let database: ReturnType<typeof freshDatabase>;
  let stores: MongoStore[];
  beforeAll(async () => {
    database = freshDatabase(name);
    await migrateForTest(database.url, [PLAIN, KEYED]);
    stores = await Promise.all([1, 2, 3].map(() => openMongoStore({ uri: database.url })));
  });
  afterAll(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await database.drop();
  });
  /** The same collection as several nodes have it, each in its turn. */
  const collections = (definition = PLAIN): ((turn: number) => Collection<Entry>) => {
    const nodes = stores.map((store) => store.collection<Entry>(definition));
    return (turn) => nodes[turn % nodes.length] as Collection<Entry>;
  };

  it("putNewer leaves the newest, whoever came first", async () => {
    const nodes = collections();
    const put = Array.from({ length: 60 }, (_, i) =>
      nodes(i).putNewer(
        ["a", "b", "c"].map((_id, k) => ({ _id, n: (i * 7 + k) % 60 })),
        "n",
      ),
    );
    await Promise.all(put);
    expect((await nodes(0).find({}, { sort: { _id: 1 } })).map(({ n }) => n)).toEqual([59, 59, 59]);
  });

  it("an upsert that meets another's document updates it", async () => {
    const nodes = collections();
    const raise = (n: number) => ({ filter: { _id: "w" }, update: { $max: { n }, $inc: { m: 1 } }, upsert: true });
    await Promise.all(
      Array.from({ length: 30 }, (_, n) => {
        const node = nodes(n);
        const { filter, update, upsert } = raise(n);
        if (n % 2 === 0) return node.bulkWrite([raise(n)]);
        return n % 3 === 0
          ? node.findOneAndUpdate(filter, update, { upsert })
          : node.updateOne(filter, update, { upsert });
      }),
    );
    expect(await nodes(0).findOne({ _id: "w" })).toEqual({ _id: "w", n: 29, m: 30 });
  });

  it("of many that take one key one does, by insert, by update and in bulk", async () => {
    const nodes = collections(KEYED);
    await nodes(0).insertMany(Array.from({ length: 20 }, (_, i) => ({ _id: `d${i}`, n: i })));
    const takes = Array.from({ length: 20 }, (_, i) => [
      nodes(i).updateOne({ _id: `d${i}` }, { $set: { key: "k" } }),
      nodes(i).insertMany([{ _id: `e${i}`, n: i, key: "k" }]),
      nodes(i).putNewer([{ _id: `d${i}`, n: 100, key: "k" }], "n"),
    ]);
    const settled = await Promise.allSettled(takes.flat());
    const failures = settled.filter((each) => each.status === "rejected").map(({ reason }) => (reason as Error).name);
    expect(await nodes(0).count({ key: "k" }, 100)).toBe(1);
    expect(new Set(failures)).toEqual(new Set(["DuplicateKeyError"]));
  });
});
