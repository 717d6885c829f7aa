import type { Filter } from "../../../lib/store/collection";
import { type Entry, event, type Fixture, ids } from "./fixture";

/** The cases of filters, sorts and limits. */
export function queryCases(at: Fixture): void {
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
      at.plain.insertMany([...Object.entries(VALUES).map(([_id, n]) => ({ _id, n })), { _id: "i" } satisfies Entry]),
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
      ["a path into a scalar", { "n.x": null, _id: { $lt: "k" } }, "abcdefghi"],
      ["a name that every object inherits", { constructor: null, toString: null, _id: "a" }, "a"],
      ["a number for an _id", { _id: 5 }, ""],
    ])("matches by %s", async (_what, filter, expected) => {
      expect(await at.found(filter)).toEqual([...expected]);
      expect(await at.plain.count(filter, 100)).toBe(expected.length);
    });

    it("means the same on an indexed field", async () => {
      const scalars = Object.entries(VALUES).filter(([, n]) => typeof n !== "object");
      await at.log.insertMany(scalars.map(([_id, day], seq) => event("s", seq, { _id, at: { day } })));
      await at.log.insertMany([event("s", 99, { _id: "z" })]);
      const day = (condition: Filter[string]): Promise<string[]> => at.found({ "at.day": condition }, at.log);
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
      await at.log.insertMany(Array.from({ length: 300 }, (_, i) => event(`s${i % 3}`, i)));
      const streams = Array.from({ length: 5_000 }, (_, i) => `s${i}`);
      expect(await at.log.count({ stream: { $in: streams } }, 1_000)).toBe(300);
      const $or = Array.from({ length: 300 }, (_, i) => ({ stream: `s${i % 3}`, seq: { $gt: i - 2, $lte: i } }));
      expect(await at.log.count({ $or }, 1_000)).toBe(300);
      const top = await at.log.find({ $or }, { sort: { seq: -1 }, limit: 3 });
      expect(top.map((each) => each.seq)).toEqual([299, 298, 297]);
    });
  });

  it("shows a fresh read all that was stored, to as many at once as there are", async () => {
    for (const n of [1, 2, 3]) {
      await at.plain.insertMany([{ _id: `${n}`, n }]);
      const [last, ...all] = await Promise.all([
        at.plain.findOne({}, { sort: { n: -1 }, fresh: true }),
        ...Array.from({ length: 5 }, () => at.plain.find({ n: { $gt: 0 } }, { fresh: true })),
      ]);
      expect(last).toEqual({ _id: `${n}`, n });
      expect(all.map((found) => found.length)).toEqual(all.map(() => n));
    }
  });

  describe("sort and limit", () => {
    it("reads on from any document of an index that ends with the id", async () => {
      await at.log.insertMany(["c", "a", "d", "b"].map((_id, i) => event("s", i, { _id, at: { day: i % 2 } })));
      const sort = { "at.day": 1, _id: 1 } as const;
      const first = await at.log.find({ "at.day": { $lte: 1 } }, { sort, limit: 3 });
      expect(ids(first)).toEqual(["c", "d", "a"]);
      const $or = [{ "at.day": { $gt: 0 } }, { "at.day": 0, _id: { $gt: "c" } }];
      const rest = await at.log.find({ "at.day": { $gte: 0, $lte: 1 }, $or }, { sort, limit: 3 });
      expect(ids(rest)).toEqual(["d", "a", "b"]);
    });

    it("puts null and missing first, then numbers, strings by code point, booleans", async () => {
      const high = at.can("order by code point") ? ["\uffee", "\u{1F600}"] : ["\uffee"];
      const values = [true, "b", ...[...high].reverse(), "B", 10, 9, -1.5, false];
      await at.plain.insertMany([...values.map((n, i) => ({ _id: `${i}`, n })), { _id: "none" }]);
      const sorted = await at.plain.find({}, { sort: { n: 1 } });
      const expected = [undefined, -1.5, 9, 10, "B", "b", ...high, false, true];
      expect(sorted.map((each) => each.n)).toEqual(expected);
      const reversed = await at.plain.find({}, { sort: { n: -1 } });
      expect(ids(reversed)).toEqual(ids(sorted).reverse());
    });

    it("breaks ties by the next field", async () => {
      await at.log.insertMany([event("b", 1), event("a", 2), event("a", 10), event("b", 3)]);
      const sorted = await at.log.find({}, { sort: { stream: 1, seq: -1 } });
      expect(ids(sorted)).toEqual(["a-10", "a-2", "b-3", "b-1"]);
      expect((await at.log.findOne({ stream: "a" }, { sort: { seq: -1 } }))?.seq).toBe(10);
    });

    it("limits what is found and what is counted", async () => {
      await at.plain.insertMany(Array.from({ length: 10 }, (_, i) => ({ _id: `${i}`, n: i % 2 })));
      expect(await at.plain.find({}, { limit: 3 })).toHaveLength(3);
      expect(ids(await at.plain.find({ n: 1 }, { sort: { _id: -1 }, limit: 2 }))).toEqual(["9", "7"]);
      expect(await at.plain.count({}, 4)).toBe(4);
      expect(await at.plain.count({ n: 1 }, 100)).toBe(5);
    });
  });
}
