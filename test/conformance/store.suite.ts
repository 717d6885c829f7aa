/** What every implementation of the store port must do. Run it with a function that opens an empty store. */
import {
  type Collection,
  type CollectionDefinition,
  type Document,
  DuplicateKeyError,
  type Filter,
  RejectedError,
  type Store,
  UnsupportedOperatorError,
  type Update,
} from "../../lib/store/collection";

export interface OpenStore {
  readonly store: Store;
  readonly close: () => Promise<void>;
}

interface Entry extends Document {
  stream?: string | null;
  seq?: number;
  by?: string;
  commandId?: string;
  key?: string;
  n?: unknown;
  tags?: unknown;
  at?: { day?: unknown };
}

const LOG: CollectionDefinition = {
  name: "log",
  indexes: [
    { fields: { stream: 1, seq: 1 }, unique: true },
    { fields: { by: 1, commandId: 1, stream: 1 }, unique: true },
    { fields: { key: 1 }, unique: true, sparse: true },
    { fields: { "at.day": 1 } },
  ],
};
/** No index but `_id`: every filter and sort has to be computed. */
const PLAIN: CollectionDefinition = { name: "plain", indexes: [] };

const ids = (documents: readonly Document[]): string[] => documents.map((document) => document._id);
const event = (stream: string, seq: number, more: Partial<Entry> = {}): Entry => ({
  _id: `${stream}-${seq}`,
  stream,
  seq,
  by: "u",
  commandId: `c${seq}`,
  ...more,
});

export function storeSuite(name: string, open: () => Promise<OpenStore>): void {
  describe(`${name}: store port`, () => {
    let opened: OpenStore;
    let log: Collection<Entry>;
    let plain: Collection<Entry>;

    beforeEach(async () => {
      opened = await open();
      log = opened.store.collection<Entry>(LOG);
      plain = opened.store.collection<Entry>(PLAIN);
    });
    afterEach(() => opened.close());

    const found = async (filter: Filter, collection = plain): Promise<string[]> =>
      ids(await collection.find(filter, { sort: { _id: 1 } }));
    const one = async (_id: string): Promise<Entry | undefined> => plain.findOne({ _id });
    /** The document `{ _id: "x", ...before }` after the update. */
    const after = async (before: Partial<Entry>, update: Update): Promise<Entry | undefined> => {
      await plain.insertMany([{ _id: "x", ...before }]);
      await plain.updateOne({ _id: "x" }, update);
      return one("x");
    };

    describe("insertMany", () => {
      it("stores nothing when given nothing", async () => {
        await log.insertMany([]);
        expect(await log.count({}, 10)).toBe(0);
      });

      it("gives back what was stored, without sharing it", async () => {
        const given = event("a", 1, { n: { deep: [1, "ü", null, true] } });
        await log.insertMany([given]);
        const [read] = await log.find({});
        expect(read).toEqual(given);
        (read as { n: { deep: unknown[] } }).n.deep.push("changed");
        given.seq = 99;
        expect(await log.findOne({ _id: "a-1" })).toEqual(event("a", 1, { n: { deep: [1, "ü", null, true] } }));
      });

      it("stops at the first failure: earlier documents are stored, later ones are not", async () => {
        await log.insertMany([event("a", 2)]);
        const insert = log.insertMany([event("b", 1), event("a", 1), event("a", 2, { _id: "z" }), event("b", 2)]);
        await expect(insert).rejects.toMatchObject({ name: "DuplicateKeyError", index: 2 });
        expect(await found({}, log)).toEqual(["a-1", "a-2", "b-1"]);
      });

      it.each<[string, Entry]>([
        ["_id", event("b", 1, { _id: "a-1" })],
        ["a pair of fields", event("a", 1, { _id: "z", commandId: "other" })],
        ["three fields", event("a", 2, { commandId: "c1" })],
        ["a sparse field", event("b", 1, { key: "k" })],
      ])("refuses a second document with the same %s", async (_what, second) => {
        await log.insertMany([event("a", 1, { key: "k" })]);
        const refusal: unknown = await log.insertMany([second]).catch((error: unknown) => error);
        expect(refusal).toBeInstanceOf(DuplicateKeyError);
        expect(await log.count({}, 10)).toBe(1);
      });

      it("lets any number of documents be without a sparse field", async () => {
        await log.insertMany([event("a", 1), event("a", 2), event("a", 3)]);
        expect(await log.count({ key: { $exists: false } }, 10)).toBe(3);
      });

      it("counts a missing field and null as equal in a unique index that is not sparse", async () => {
        await log.insertMany([{ _id: "1", seq: 1, by: "x", commandId: "1" }]);
        const second = log.insertMany([{ _id: "2", seq: 1, by: "y", commandId: "2", stream: null }]);
        await expect(second).rejects.toBeInstanceOf(DuplicateKeyError);
      });

      it("tells numbers, strings and booleans apart in a unique index", async () => {
        const keys = [1, "1", true, "true", 0, false, ""];
        await log.insertMany(keys.map((key, i) => ({ ...event("a", i), key: key as string })));
        for (const key of keys) expect(await log.count({ key }, 10)).toBe(1);
      });

      it.each<[string, object]>([
        ["a cycle", Object.assign({ _id: "x" } as Record<string, unknown>, { n: undefined })],
        ["no _id", {}],
        ["an _id that is no string", { _id: 5 }],
        ["a list in an indexed field", { _id: "x", stream: ["a"] }],
        ["an object in an indexed field", { _id: "x", key: { $gt: "" } }],
        ["null in a sparse index", { _id: "x", key: null }],
        ["17 MB", { _id: "x", n: "x".repeat(17 * 1024 * 1024) }],
      ])("rejects a document with %s and stores those before it", async (what, bad) => {
        if (what === "a cycle") (bad as { n: unknown }).n = bad;
        const insert = log.insertMany([event("a", 1), bad as Entry, event("a", 2)]);
        const error: unknown = await insert.catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(RejectedError);
        expect(error).toMatchObject({ index: 1 });
        expect(await found({}, log)).toEqual(["a-1"]);
      });

      it("lets one of a hundred concurrent inserts of the same key win", async () => {
        const inserts = Array.from({ length: 100 }, (_, i) => log.insertMany([event(`s${i}`, 1, { key: "k" })]));
        const settled = await Promise.allSettled(inserts);
        expect(settled.filter((result) => result.status === "fulfilled")).toHaveLength(1);
        expect(await log.count({}, 200)).toBe(1);
      });
    });

    describe("filters", () => {
      const VALUES: Record<string, unknown> = {
        a: 1,
        b: 5,
        c: 10,
        d: "1",
        e: "5",
        f: true,
        g: false,
        h: null,
        j: { x: 1 },
        k: [1, "5"],
        l: [],
      };
      beforeEach(() =>
        plain.insertMany([...Object.entries(VALUES).map(([_id, n]) => ({ _id, n })), { _id: "i" } satisfies Entry]),
      );

      it.each<[string, Filter, string]>([
        ["a number", { n: 1 }, "ak"],
        ["a string", { n: "5" }, "ek"],
        ["$eq", { n: { $eq: true } }, "f"],
        ["null matches missing", { n: null }, "hi"],
        ["$in", { n: { $in: [1, "1", false] } }, "adgk"],
        ["$in with null matches missing", { n: { $in: [null, 10] } }, "chi"],
        ["an empty $in matches nothing", { n: { $in: [] } }, ""],
        ["$gt compares numbers with numbers", { n: { $gt: 1 } }, "bc"],
        ["$gte", { n: { $gte: 5 } }, "bc"],
        ["$lt does not match null", { n: { $lt: 5 } }, "ak"],
        ["$lte", { n: { $lte: 5, $gt: 0 } }, "abk"],
        ["$gt compares strings with strings", { n: { $gt: "" } }, "dek"],
        ["$lt of a string does not match numbers", { n: { $lt: "2" } }, "d"],
        ["$gt of a boolean", { n: { $gt: false } }, "f"],
        ["$exists matches null", { n: { $exists: true } }, "abcdefghjkl"],
        ["$exists false", { n: { $exists: false } }, "i"],
        ["several fields by AND", { n: 1, _id: "a" }, "a"],
        ["$or", { $or: [{ n: 10 }, { n: "1" }, { _id: "c" }] }, "cd"],
        ["$or beside a field", { n: { $gt: 0 }, $or: [{ _id: "a" }, { _id: "d" }] }, "a"],
        ["$or within $or", { $or: [{ $or: [{ n: 5 }, { n: 10 }], _id: "b" }, { _id: "a" }] }, "ab"],
        ["a path into an object", { "n.x": 1 }, "j"],
        ["a path into a scalar", { "n.x": null }, "abcdefghikl"],
        ["a name that every object inherits", { constructor: null, toString: null, _id: "a" }, "a"],
        ["a number for an _id", { _id: 5 }, ""],
      ])("matches by %s", async (_what, filter, expected) => {
        expect(await found(filter)).toEqual([...expected]);
        expect(await plain.count(filter, 100)).toBe(expected.length);
      });

      it("means the same on an indexed field", async () => {
        const scalars = Object.entries(VALUES).filter(([, n]) => typeof n !== "object");
        await log.insertMany(scalars.map(([_id, day], seq) => event("s", seq, { _id, at: { day } })));
        await log.insertMany([event("s", 99, { _id: "z" })]);
        const day = (condition: Filter[string]): Promise<string[]> => found({ "at.day": condition }, log);
        expect(await day(1)).toEqual(["a"]);
        expect(await day({ $gt: 1 })).toEqual(["b", "c"]);
        expect(await day({ $lt: 5 })).toEqual(["a"]);
        expect(await day({ $gt: "1" })).toEqual(["e"]);
        expect(await day({ $lt: "5" })).toEqual(["d"]);
        expect(await day({ $lte: false })).toEqual(["g"]);
        expect(await day(null)).toEqual(["z"]);
        expect(await day({ $exists: true })).toEqual(["a", "b", "c", "d", "e", "f", "g"]);
        expect(await day({ $in: [1, "5", true, null] })).toEqual(["a", "e", "f", "z"]);
      });

      it("takes thousands of values in $in and hundreds of branches in $or", async () => {
        await log.insertMany(Array.from({ length: 300 }, (_, i) => event(`s${i % 3}`, i)));
        const streams = Array.from({ length: 5_000 }, (_, i) => `s${i}`);
        expect(await log.count({ stream: { $in: streams } }, 1_000)).toBe(300);
        const $or = Array.from({ length: 300 }, (_, i) => ({ stream: `s${i % 3}`, seq: { $gt: i - 2, $lte: i } }));
        expect(await log.count({ $or }, 1_000)).toBe(300);
        const top = await log.find({ $or }, { sort: { seq: -1 }, limit: 3 });
        expect(top.map((each) => each.seq)).toEqual([299, 298, 297]);
      });
    });

    describe("sort and limit", () => {
      it("puts null and missing first, then numbers, strings by code point, booleans", async () => {
        const values = [true, "b", "\u{1F600}", "\uffee", "B", 10, 9, -1.5, false];
        await plain.insertMany([...values.map((n, i) => ({ _id: `${i}`, n })), { _id: "none" }]);
        const sorted = await plain.find({}, { sort: { n: 1 } });
        expect(sorted.map((each) => each.n)).toEqual([
          undefined,
          -1.5,
          9,
          10,
          "B",
          "b",
          "\uffee",
          "\u{1F600}",
          false,
          true,
        ]);
        const reversed = await plain.find({}, { sort: { n: -1 } });
        expect(ids(reversed)).toEqual(ids(sorted).reverse());
      });

      it("breaks ties by the next field", async () => {
        await log.insertMany([event("b", 1), event("a", 2), event("a", 10), event("b", 3)]);
        const sorted = await log.find({}, { sort: { stream: 1, seq: -1 } });
        expect(ids(sorted)).toEqual(["a-10", "a-2", "b-3", "b-1"]);
        expect((await log.findOne({ stream: "a" }, { sort: { seq: -1 } }))?.seq).toBe(10);
      });

      it("limits what is found and what is counted", async () => {
        await plain.insertMany(Array.from({ length: 10 }, (_, i) => ({ _id: `${i}`, n: i % 2 })));
        expect(await plain.find({}, { limit: 3 })).toHaveLength(3);
        expect(ids(await plain.find({ n: 1 }, { sort: { _id: -1 }, limit: 2 }))).toEqual(["9", "7"]);
        expect(await plain.count({}, 4)).toBe(4);
        expect(await plain.count({ n: 1 }, 100)).toBe(5);
      });
    });

    describe("updates", () => {
      it.each<[string, Partial<Entry>, Update, Partial<Entry>]>([
        ["$set", { n: 1 }, { $set: { n: { a: [1] }, by: "b" } }, { n: { a: [1] }, by: "b" }],
        ["$set of a path, making the way", {}, { $set: { "at.day": 1 } }, { at: { day: 1 } }],
        ["$unset", { n: 1, at: { day: 2 } }, { $unset: { n: true, "at.day": true, "tags.x": true } }, { at: {} }],
        ["$inc", { n: 1 }, { $inc: { n: 2, seq: -1 } }, { n: 3, seq: -1 }],
        ["$max", { n: 5, seq: 5 }, { $max: { n: 4, seq: 6, "at.day": 1 } }, { n: 5, seq: 6, at: { day: 1 } }],
        ["$min", { n: 5, seq: 5 }, { $min: { n: 4, seq: 6 } }, { n: 4, seq: 5 }],
        ["$max of another type", { n: 5, by: "b" }, { $max: { n: "a", by: 9 } }, { n: "a", by: "b" }],
        ["$addToSet", { tags: ["a"] }, { $addToSet: { tags: "b", n: 1 } }, { tags: ["a", "b"], n: [1] }],
        ["$addToSet of what is there", { tags: ["a", 1] }, { $addToSet: { tags: 1 } }, { tags: ["a", 1] }],
        ["$pull", { tags: ["a", 1, "a", "1"] }, { $pull: { tags: "a", n: 1 } }, { tags: [1, "1"] }],
        [
          "$setOnInsert on a document that is there",
          { n: 1 },
          { $setOnInsert: { n: 2 }, $set: { seq: 1 } },
          { n: 1, seq: 1 },
        ],
      ])("%s", async (_what, before, update, expected) => {
        expect(await after(before, update)).toEqual({ _id: "x", ...expected });
      });

      it.each<[string, Partial<Entry>, Update]>([
        ["$inc of a string", { n: "1" }, { $inc: { n: 1 } }],
        ["$addToSet to a string", { tags: "a" }, { $addToSet: { tags: "b" } }],
        ["$set through a scalar", { n: 1 }, { $set: { "n.x": 1 } }],
      ])("rejects %s and changes nothing", async (_what, before, update) => {
        await expect(after(before, update)).rejects.toMatchObject({ name: "RejectedError", index: 0 });
        expect(await one("x")).toEqual({ _id: "x", ...before });
      });

      it("updates one matching document and says how many matched", async () => {
        await plain.insertMany([
          { _id: "1", n: 1 },
          { _id: "2", n: 1 },
        ]);
        expect(await plain.updateOne({ n: 1 }, { $set: { n: 2 } })).toEqual({ matched: 1, upserted: false });
        expect(await plain.count({ n: 2 }, 10)).toBe(1);
        expect(await plain.updateOne({ n: 7 }, { $set: { n: 2 } })).toEqual({ matched: 0, upserted: false });
      });

      it("upserts the filter's equality fields, then the update", async () => {
        const filter = { _id: "x", by: "u", seq: { $gt: 3 }, "at.day": { $eq: 1 } };
        const update = { $setOnInsert: { commandId: "c" }, $inc: { n: 2 }, $max: { seq: 4 } };
        expect(await plain.updateOne(filter, update, { upsert: true })).toEqual({ matched: 0, upserted: true });
        expect(await one("x")).toEqual({ _id: "x", by: "u", at: { day: 1 }, commandId: "c", n: 2, seq: 4 });
        expect(await plain.updateOne(filter, update, { upsert: true })).toEqual({ matched: 1, upserted: false });
        expect((await one("x"))?.n).toBe(4);
      });

      it("refuses an upsert that meets another document of the same _id", async () => {
        await plain.insertMany([{ _id: "x", n: 1 }]);
        const upsert = plain.updateOne({ _id: "x", n: 2 }, { $set: { by: "b" } }, { upsert: true });
        await expect(upsert).rejects.toBeInstanceOf(DuplicateKeyError);
      });

      it("refuses a change that would break a unique index, and finds a document by its new values", async () => {
        await log.insertMany([event("a", 1, { key: "k" }), event("a", 2)]);
        const change = log.updateOne({ _id: "a-2" }, { $set: { key: "k" } });
        await expect(change).rejects.toMatchObject({ name: "DuplicateKeyError", index: 0 });
        await log.updateOne({ _id: "a-1" }, { $unset: { key: true } });
        await log.updateOne({ _id: "a-2" }, { $set: { key: "k" } });
        expect(await found({ key: "k" }, log)).toEqual(["a-2"]);
      });

      it("findOneAndUpdate gives the document as it is afterwards", async () => {
        expect(await plain.findOneAndUpdate({ _id: "x" }, { $inc: { n: 1 } })).toBeUndefined();
        const upserted = await plain.findOneAndUpdate({ _id: "x" }, { $inc: { n: 1 } }, { upsert: true });
        expect(upserted).toEqual({ _id: "x", n: 1 });
        expect(await plain.findOneAndUpdate({ n: 1 }, { $inc: { n: 1 } })).toEqual({ _id: "x", n: 2 });
      });

      it("loses none of 200 concurrent $inc", async () => {
        await plain.insertMany([{ _id: "x", n: 0 }]);
        await Promise.all(Array.from({ length: 200 }, () => plain.updateOne({ _id: "x" }, { $inc: { n: 1 } })));
        expect((await one("x"))?.n).toBe(200);
      });

      it("lets one of fifty concurrent conditional updates win", async () => {
        await plain.insertMany([{ _id: "x", n: "free" }]);
        const take = (_: unknown, i: number): Promise<Entry | undefined> =>
          plain.findOneAndUpdate({ _id: "x", n: "free" }, { $set: { n: "taken", seq: i } });
        const winners = (await Promise.all(Array.from({ length: 50 }, take))).filter((each) => each !== undefined);
        expect(winners).toHaveLength(1);
        expect(await one("x")).toEqual(winners[0]);
      });
    });

    describe("bulk writes", () => {
      it("bulkWrite goes on after a failing operation and tells of the first", async () => {
        await log.insertMany([event("a", 1, { key: "k" }), event("a", 2), event("a", 3)]);
        const bulk = log.bulkWrite([
          { filter: { _id: "a-1" }, update: { $set: { n: 1 } } },
          { filter: { _id: "a-2" }, update: { $set: { key: "k" } } },
          { filter: { _id: "a-3" }, update: { $inc: { stream: 1 } } },
          { filter: { _id: "a-9" }, update: { $set: { n: 1 } } },
          { filter: { _id: "b-1" }, update: { $max: { seq: 7 } }, upsert: true },
        ]);
        await expect(bulk).rejects.toMatchObject({ name: "DuplicateKeyError", index: 1 });
        expect((await log.findOne({ _id: "a-1" }))?.n).toBe(1);
        expect((await log.findOne({ _id: "b-1" }))?.seq).toBe(7);
        expect(await log.count({}, 10)).toBe(4);
      });

      it("bulkWrite does nothing at all when one operation is outside the subset", async () => {
        const bulk = plain.bulkWrite([
          { filter: { _id: "x" }, update: { $set: { n: 1 } }, upsert: true },
          { filter: { _id: "y" }, update: { $rename: { n: "m" } } as Update },
        ]);
        await expect(bulk).rejects.toBeInstanceOf(UnsupportedOperatorError);
        expect(await plain.count({}, 10)).toBe(0);
      });

      it("putNewer overwrites only by a greater number", async () => {
        await plain.insertMany([
          { _id: "a", seq: 5, n: "old" },
          { _id: "b", seq: 5, n: "old" },
          { _id: "c", n: "old" },
        ]);
        const put = [
          { _id: "a", seq: 6, n: "new" },
          { _id: "b", seq: 5, n: "new" },
          { _id: "c", seq: 1, n: "new" },
          { _id: "d", seq: 1, n: "new" },
        ];
        await plain.putNewer(put, "seq");
        await plain.putNewer([{ _id: "d", seq: 0, n: "older" }], "seq");
        const stored = await plain.find({}, { sort: { _id: 1 } });
        expect(stored).toEqual([put[0], { _id: "b", seq: 5, n: "old" }, put[2], put[3]]);
      });

      it("putNewer compares an indexed field, keeps indexes right and goes on after a failure", async () => {
        await log.insertMany([event("a", 1, { key: "k" }), event("a", 2)]);
        const put = [
          event("a", 3, { _id: "a-2", key: "k" }),
          event("a", 4, { _id: "a-1", commandId: "c1", key: "l" }),
          { ...event("b", 1), seq: "x" as unknown as number },
          event("b", 2),
        ];
        await expect(log.putNewer(put, "seq")).rejects.toMatchObject({ name: "DuplicateKeyError", index: 0 });
        expect(await found({ key: "l" }, log)).toEqual(["a-1"]);
        expect(await found({ stream: "a", seq: { $gte: 2 } }, log)).toEqual(["a-1", "a-2"]);
        expect(await found({ stream: "b" }, log)).toEqual(["b-2"]);
      });

      it("deleteMany deletes what matches, by any field, and frees its keys", async () => {
        await log.insertMany(Array.from({ length: 50 }, (_, i) => event("a", i, { n: i % 2, key: `k${i}` })));
        expect(await log.deleteMany({ stream: "a", n: 1 })).toBe(25);
        expect(await log.deleteMany({ seq: { $lt: 4 }, stream: "a" })).toBe(2);
        expect(await log.deleteMany({ stream: "none" })).toBe(0);
        expect(await log.count({}, 100)).toBe(23);
        await log.insertMany([event("a", 1, { key: "k1" })]);
      });
    });

    describe("what is outside the subset", () => {
      const injected = (json: string): Filter => ({ n: JSON.parse(json) as Filter[string] });
      it.each<[string, Filter]>([
        ["an unknown operator", injected('{"$regex":".*"}')],
        ["$where", { $where: "1" } as Filter],
        ["$not", injected('{"$not":{"$eq":1}}')],
        ["$ne", injected('{"$ne":null}')],
        ["an object for a value", injected('{"x":1}')],
        ["an empty object", injected("{}")],
        ["an operator inside a value", injected('{"$eq":{"$gt":""}}')],
        ["an operator inside $in", injected('{"$in":[{"$gt":""}]}')],
        ["an operator inside a range", injected('{"$gt":{"$gt":""}}')],
        ["a list for a value", injected("[1]")],
        ["$in without a list", injected('{"$in":{"0":1,"length":1}}')],
        ["$exists with a string", injected('{"$exists":"false"}')],
        ["undefined", { n: undefined }],
        ["undefined in a condition", { n: { $eq: undefined } } as unknown as Filter],
        ["NaN", { n: NaN }],
        ["a date", { n: new Date(0) as unknown as string }],
        ["an empty $or", { $or: [] }],
        ["a $or of strings", { $or: ["n"] as unknown as Filter[] }],
        ["a path with quotes", { 'n" OR 1=1 --': 1 }],
        ["a path with an apostrophe", { "n' OR '1'='1": 1 }],
        ["a path with __proto__", JSON.parse('{"__proto__":1}') as Filter],
        ["a path through __proto__", { "n.__proto__.x": 1 }],
        ["an empty segment", { "n..x": 1 }],
      ])("refuses a filter with %s", async (_what, filter) => {
        await plain.insertMany([{ _id: "x", n: 1 }]);
        await expect(plain.find(filter)).rejects.toBeInstanceOf(UnsupportedOperatorError);
        await expect(plain.count(filter, 1)).rejects.toBeInstanceOf(UnsupportedOperatorError);
        await expect(plain.updateOne(filter, { $set: { n: 2 } })).rejects.toBeInstanceOf(UnsupportedOperatorError);
        await expect(plain.deleteMany(filter)).rejects.toBeInstanceOf(UnsupportedOperatorError);
        expect(await one("x")).toEqual({ _id: "x", n: 1 });
      });

      it.each<[string, unknown]>([
        ["no operator", { n: 2 }],
        ["nothing", {}],
        ["$rename", { $rename: { n: "m" } }],
        ["_id", { $set: { _id: "y" } }],
        ["one field twice", { $set: { n: 1 }, $inc: { n: 1 } }],
        ["a field and its part", { $set: { n: 1, "n.x": 1 } }],
        ["$inc by a string", { $inc: { n: "1" } }],
        ["$addToSet of an object", { $addToSet: { tags: { $each: [1] } } }],
        ["$pull of an operator", { $pull: { tags: { $gt: 0 } } }],
        ["a path with __proto__", { $set: JSON.parse('{"__proto__":{"polluted":true}}') as unknown }],
        ["a path through __proto__", { $set: { "__proto__.polluted": true } }],
        ["an operator for fields", { $set: "n" }],
      ])("refuses an update of %s", async (_what, update) => {
        await plain.insertMany([{ _id: "x", n: 1 }]);
        const change = plain.updateOne({ _id: "x" }, update as Update);
        await expect(change).rejects.toBeInstanceOf(UnsupportedOperatorError);
        expect(await one("x")).toEqual({ _id: "x", n: 1 });
      });

      it("refuses other sorts, limits and upserts", async () => {
        const refused = { name: "UnsupportedOperatorError" };
        await expect(plain.find({}, { sort: { n: 2 as 1 } })).rejects.toMatchObject(refused);
        await expect(plain.find({}, { sort: { "n; --": 1 } })).rejects.toMatchObject(refused);
        await expect(plain.find({}, { limit: 0 })).rejects.toMatchObject(refused);
        await expect(plain.count({}, -1)).rejects.toMatchObject(refused);
        await expect(plain.updateOne({ n: 1 }, { $set: { n: 2 } }, { upsert: true })).rejects.toMatchObject(refused);
      });

      it("keeps names that every object inherits as plain data", async () => {
        const hostile = JSON.parse('{"_id":"x","__proto__":{"polluted":true},"constructor":{"a":1}}') as Entry;
        await plain.insertMany([hostile]);
        const update = JSON.parse(
          '{"$set":{"n":{"__proto__":{"polluted":true}},"constructor.prototype.b":1}}',
        ) as Update;
        await plain.updateOne({ _id: "x" }, update);
        expect(JSON.parse(JSON.stringify(await one("x")))).toEqual(
          JSON.parse(
            '{"_id":"x","__proto__":{"polluted":true},"constructor":{"a":1,"prototype":{"b":1}},"n":{"__proto__":{"polluted":true}}}',
          ),
        );
        expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
      });
    });

    it("keeps text as valid Unicode, with zero characters", async () => {
      await log.insertMany([event("a\0b", 1), event("c\ud800", 2)]);
      expect(await log.count({ stream: "a\0b" }, 10)).toBe(1);
      expect(await log.count({ stream: { $in: ["a\0b", "a"] } }, 10)).toBe(1);
      expect((await log.findOne({ stream: "c\ud801" }))?.stream).toBe("c\ufffd");
    });

    it("answers a ping, and refuses calls after it was closed", async () => {
      await opened.store.ping();
      await opened.store.close();
      await expect(opened.store.ping()).rejects.toThrow("closed");
    });
  });
}
