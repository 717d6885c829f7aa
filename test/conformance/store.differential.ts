/** Memory and another store must agree on random documents, filters, sorts and updates. */
import * as fc from "fast-check";
import type {
  Collection,
  CollectionDefinition,
  Document,
  Filter,
  Store,
  Update,
  WriteOperation,
} from "../../lib/store/collection";
import { matches } from "../../lib/store/filter";
import { MemoryStore } from "../../lib/store/memory";
import { comparator } from "../../lib/store/values";

type Entry = Document & Record<string, unknown>;

/** What the documents are made of. */
export interface Material {
  /** Lists and objects in fields; without them, nothing depends on how a store descends into values. */
  readonly nested: boolean;
  /** Strings whose order by code point and by UTF-16 unit differ, and such as are no Unicode. */
  readonly strange: boolean;
  readonly booleans: boolean;
  /** Give it writes too: it must tell the failures of updates one by one. */
  readonly writes: boolean;
  /** Give it `$inc` too: it must refuse to count from null. */
  readonly increments: boolean;
  /** The same cases each time; drawn anew when absent. */
  readonly seed?: number;
}

function arbitraries({ nested, strange, booleans, increments }: Material) {
  const scalar = fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: -2, max: 3 }) },
    { weight: 3, arbitrary: fc.constantFrom("", "a", "b", "1", ...(strange ? STRANGE : [])) },
    { weight: 2, arbitrary: fc.constantFrom(null, ...(booleans ? [true, false] : [])) },
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.string({ unit: strange ? "binary" : "grapheme-ascii", maxLength: 4 }),
  );
  const structure = fc.oneof(
    fc.array(scalar, { maxLength: 3 }),
    fc.record({ x: scalar, y: fc.array(scalar, { maxLength: 2 }) }, { requiredKeys: [] }),
  );
  const value = nested ? fc.oneof({ weight: 4, arbitrary: scalar }, { weight: 2, arbitrary: structure }) : scalar;
  const bound = scalar.filter((item) => item !== null);
  const id = fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "h");
  /** `i`, `j` and `k.x` are indexed, `s` and `u` sparsely; `p` and `q` are not. */
  const path = fc.constantFrom("i", "j", "k.x", "s", "u", "p", "q", "q.x", "q.y", "none", "_id");
  const writable = fc.constantFrom("i", "j", "k.x", "s", "p", "q", ...(nested ? ["q.x", "q.y"] : []));

  const document: fc.Arbitrary<Entry> = fc
    .record(
      { _id: id, i: scalar, j: scalar, k: fc.record({ x: scalar }), s: bound, u: bound, p: value, q: value },
      { requiredKeys: ["_id"] },
    )
    .map((fields) => ({ ...fields }));

  const condition = fc.oneof(
    scalar,
    fc.record({ $eq: scalar }),
    fc.record({ $in: fc.array(scalar, { maxLength: 5 }) }),
    fc.record({ $exists: fc.boolean() }),
    fc
      .record({ $gt: bound, $gte: bound, $lt: bound, $lte: bound, $exists: fc.boolean() }, { requiredKeys: [] })
      .filter((fields) => Object.keys(fields).length > 0),
  );
  const fields = fc.dictionary(path, condition, { maxKeys: 3, noNullPrototype: true });
  const { filter } = fc.letrec<{ filter: Filter }>((tie) => ({
    filter: fc.oneof(
      { maxDepth: 2, depthSize: "small" },
      fields as fc.Arbitrary<Filter>,
      fc
        .tuple(fields, fc.array(tie("filter"), { minLength: 1, maxLength: 3 }))
        .map(([rest, $or]) => ({ ...rest, $or }) as Filter),
    ),
  }));
  const sort = fc.dictionary(path, fc.constantFrom<1 | -1>(1, -1), { maxKeys: 3, noNullPrototype: true });

  const changes = (item: fc.Arbitrary<unknown>): fc.Arbitrary<Record<string, unknown>> =>
    fc.dictionary(writable, item, { minKeys: 1, maxKeys: 2, noNullPrototype: true });
  const small = fc.integer({ min: -2, max: 3 });
  const update = fc
    .record(
      {
        $set: changes(value),
        $unset: changes(fc.constant(true)),
        $setOnInsert: changes(value),
        ...(increments && { $inc: changes(small) }),
        $max: changes(fc.oneof(small, fc.constantFrom("a", "b"))),
        $min: changes(fc.oneof(small, fc.constantFrom("a", "b"))),
        ...(nested && { $addToSet: changes(scalar), $pull: changes(scalar) }),
      },
      { requiredKeys: [] },
    )
    .filter((operators) => Object.keys(operators).length > 0) as fc.Arbitrary<Update>;

  return { document, fields, filter, id, sort, update };
}

const STRANGE = ["a\0", "\u{1F600}", "\uffee", "\ud800"];
const RUNS = 100;

export const DEFINITION: CollectionDefinition = {
  name: "entries",
  indexes: [
    { fields: { i: 1, j: -1 } },
    { fields: { "k.x": 1 } },
    { fields: { s: 1 }, sparse: true },
    { fields: { u: 1 }, sparse: true, unique: true },
  ],
};

interface Pair {
  readonly memory: Collection<Entry>;
  readonly other: Collection<Entry>;
}

export interface OpenOther {
  readonly store: Store;
  readonly close: () => Promise<unknown>;
}

/** Gives memory and another store, which has the collection of DEFINITION, the same calls. */
export function differentialSuite(name: string, openOther: () => Promise<OpenOther>, material: Material): void {
  describe(`memory and ${name} agree`, () => {
    const { document, fields, filter, id, sort, update } = arbitraries(material);
    const runs = { numRuns: RUNS, ...(material.seed !== undefined && { seed: material.seed }) };
    let opened: OpenOther;
    beforeAll(async () => {
      opened = await openOther();
    });
    afterAll(() => opened.close());

    /** The same empty collection in both. */
    const open = async (): Promise<Pair> => {
      const emptied = opened.store.collection<Entry>(DEFINITION);
      await emptied.deleteMany({});
      return { memory: new MemoryStore().collection(DEFINITION), other: emptied };
    };
    /** What came of the same call on both: the result, or the error's name and index. */
    const both = async <T>({ memory, other }: Pair, call: (on: Collection<Entry>) => Promise<T>): Promise<T[]> => {
      const outcome = (on: Collection<Entry>): Promise<T> =>
        call(on).catch((error: Error & { index?: number }) => ({ error: error.name, index: error.index }) as T);
      const results = [await outcome(memory), await outcome(other)];
      expect(results[1]).toEqual(results[0]);
      return results;
    };
    const all = (on: Collection<Entry>): Promise<Entry[]> => on.find({}, { sort: { _id: 1 } });
    const fill = async (pair: Pair, documents: Entry[]): Promise<void> => {
      for (const each of documents) await both(pair, (on) => on.insertMany([each]));
    };

    it("on what a filter, a sort and a limit find", async () => {
      const query = fc.record({ filter, sort, limit: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }) });
      const property = fc.asyncProperty(
        fc.array(document, { maxLength: 10 }),
        fc.array(query, { minLength: 6, maxLength: 6 }),
        async (documents, queries) => {
          const pair = await open();
          await fill(pair, documents);
          const stored = await all(pair.memory);
          for (const each of queries) {
            const matching = stored.filter((item) => matches(each.filter, item));
            const options = { sort: each.sort, ...(each.limit && { limit: each.limit }) };
            for (const collection of [pair.memory, pair.other]) {
              const found = await collection.find(each.filter, options);
              expect(found).toHaveLength(Math.min(matching.length, each.limit ?? Infinity));
              for (const item of found) expect(matching).toContainEqual(item);
              expect(new Set(found.map((item) => item._id)).size).toBe(found.length);
              const compare = comparator(each.sort);
              const best = matching.sort(compare).slice(0, found.length);
              found.forEach((item, index) => expect(compare(item, best[index] ?? {})).toBe(0));
            }
            await both(pair, (on) => on.count(each.filter, each.limit ?? 100));
          }
          await both(pair, (on) => on.deleteMany(queries[0]?.filter ?? {}));
          await both(pair, all);
        },
      );
      await fc.assert(property, runs);
    }, 120_000);

    if (material.writes)
      it("on what writes do, and which of them fail", async () => {
        const write = fc
          .record({ _id: id, rest: fields, update, upsert: fc.boolean() })
          .map(({ _id, rest, ...others }) => ({ ...others, filter: { ...rest, _id } as Filter }) as WriteOperation);
        const step = fc.oneof(
          write.map(
            (operation) => (on: Collection<Entry>) => on.updateOne(operation.filter, operation.update, operation),
          ),
          write.map(
            (operation) => (on: Collection<Entry>) =>
              on.findOneAndUpdate(operation.filter, operation.update, operation),
          ),
          fc.array(write, { maxLength: 4 }).map((operations) => (on: Collection<Entry>) => on.bulkWrite(operations)),
          fc.array(document, { maxLength: 4 }).map((documents) => (on: Collection<Entry>) => on.insertMany(documents)),
          fc
            .array(document, { maxLength: 4 })
            .map((documents) => (on: Collection<Entry>) => on.putNewer(documents, "i")),
          filter.map((each) => (on: Collection<Entry>) => on.deleteMany(each)),
        );
        const property = fc.asyncProperty(
          fc.array(document, { maxLength: 6 }),
          fc.array(step, { minLength: 1, maxLength: 6 }),
          async (documents, steps) => {
            const pair = await open();
            await fill(pair, documents);
            for (const each of steps) await both<unknown>(pair, each);
            await both(pair, all);
          },
        );
        await fc.assert(property, runs);
      }, 120_000);
  });
}
