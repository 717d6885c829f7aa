import { type Filter, UnsupportedOperatorError, type Update } from "../../../lib/store/collection";
import type { Entry, Fixture } from "./fixture";

/** The cases of what is outside the subset. */
export function refusedCases(at: Fixture): void {
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
      await at.plain.insertMany([{ _id: "x", n: 1 }]);
      await expect(at.plain.find(filter)).rejects.toBeInstanceOf(UnsupportedOperatorError);
      await expect(at.plain.count(filter, 1)).rejects.toBeInstanceOf(UnsupportedOperatorError);
      await expect(at.plain.updateOne(filter, { $set: { n: 2 } })).rejects.toBeInstanceOf(UnsupportedOperatorError);
      await expect(at.plain.deleteMany(filter)).rejects.toBeInstanceOf(UnsupportedOperatorError);
      expect(await at.one("x")).toEqual({ _id: "x", n: 1 });
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
      await at.plain.insertMany([{ _id: "x", n: 1 }]);
      const change = at.plain.updateOne({ _id: "x" }, update as Update);
      await expect(change).rejects.toBeInstanceOf(UnsupportedOperatorError);
      expect(await at.one("x")).toEqual({ _id: "x", n: 1 });
    });

    it("refuses other sorts, limits and upserts", async () => {
      const refused = { name: "UnsupportedOperatorError" };
      await expect(at.plain.find({}, { sort: { n: 2 as 1 } })).rejects.toMatchObject(refused);
      await expect(at.plain.find({}, { sort: { "n; --": 1 } })).rejects.toMatchObject(refused);
      await expect(at.plain.find({}, { limit: 0 })).rejects.toMatchObject(refused);
      await expect(at.plain.count({}, -1)).rejects.toMatchObject(refused);
      await expect(at.plain.updateOne({ n: 1 }, { $set: { n: 2 } }, { upsert: true })).rejects.toMatchObject(refused);
    });

    it("keeps names that every object inherits as plain data", async () => {
      const hostile = JSON.parse('{"_id":"x","__proto__":{"polluted":true},"constructor":{"a":1}}') as Entry;
      await at.plain.insertMany([hostile]);
      const update = JSON.parse('{"$set":{"n":{"__proto__":{"polluted":true}},"constructor.prototype.b":1}}') as Update;
      await at.plain.updateOne({ _id: "x" }, update);
      expect(JSON.parse(JSON.stringify(await at.one("x")))).toEqual(
        JSON.parse(
          '{"_id":"x","__proto__":{"polluted":true},"constructor":{"a":1,"prototype":{"b":1}},"n":{"__proto__":{"polluted":true}}}',
        ),
      );
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    });
  });
}
