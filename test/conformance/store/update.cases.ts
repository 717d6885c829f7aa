import { DuplicateKeyError, type Update } from "../../../lib/store/collection";
import { type Entry, event, type Fixture } from "./fixture";

/** The cases of updates. */
export function updateCases(at: Fixture): void {
  /** The document `{ _id: "x", ...before }` after the update. */
  const after = async (before: Partial<Entry>, update: Update): Promise<Entry | undefined> => {
    await at.plain.insertMany([{ _id: "x", ...before }]);
    await at.plain.updateOne({ _id: "x" }, update);
    return at.one("x");
  };

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
      expect(await at.one("x")).toEqual({ _id: "x", ...before });
    });

    it("updates one matching document and says how many matched", async () => {
      await at.plain.insertMany([
        { _id: "1", n: 1 },
        { _id: "2", n: 1 },
      ]);
      expect(await at.plain.updateOne({ n: 1 }, { $set: { n: 2 } })).toEqual({ matched: 1, upserted: false });
      expect(await at.plain.count({ n: 2 }, 10)).toBe(1);
      expect(await at.plain.updateOne({ n: 7 }, { $set: { n: 2 } })).toEqual({ matched: 0, upserted: false });
    });

    it("upserts the filter's equality fields, then the update", async () => {
      const filter = { _id: "x", by: "u", seq: { $gt: 3 }, "at.day": { $eq: 1 } };
      const update = { $setOnInsert: { commandId: "c" }, $inc: { n: 2 }, $max: { seq: 4 } };
      expect(await at.plain.updateOne(filter, update, { upsert: true })).toEqual({ matched: 0, upserted: true });
      expect(await at.one("x")).toEqual({ _id: "x", by: "u", at: { day: 1 }, commandId: "c", n: 2, seq: 4 });
      expect(await at.plain.updateOne(filter, update, { upsert: true })).toEqual({ matched: 1, upserted: false });
      expect((await at.one("x"))?.n).toBe(4);
    });

    it("refuses an upsert that meets another document of the same _id", async () => {
      await at.plain.insertMany([{ _id: "x", n: 1 }]);
      const upsert = at.plain.updateOne({ _id: "x", n: 2 }, { $set: { by: "b" } }, { upsert: true });
      await expect(upsert).rejects.toBeInstanceOf(DuplicateKeyError);
    });

    if (at.can("updates fail one by one"))
      it("refuses a change that would break a unique index, and finds a document by its new values", async () => {
        await at.log.insertMany([event("a", 1, { key: "k" }), event("a", 2)]);
        const change = at.log.updateOne({ _id: "a-2" }, { $set: { key: "k" } });
        await expect(change).rejects.toMatchObject({ name: "DuplicateKeyError", index: 0 });
        await at.log.updateOne({ _id: "a-1" }, { $unset: { key: true } });
        await at.log.updateOne({ _id: "a-2" }, { $set: { key: "k" } });
        expect(await at.found({ key: "k" }, at.log)).toEqual(["a-2"]);
      });

    it("findOneAndUpdate gives the document as it is afterwards", async () => {
      expect(await at.plain.findOneAndUpdate({ _id: "x" }, { $inc: { n: 1 } })).toBeUndefined();
      const upserted = await at.plain.findOneAndUpdate({ _id: "x" }, { $inc: { n: 1 } }, { upsert: true });
      expect(upserted).toEqual({ _id: "x", n: 1 });
      expect(await at.plain.findOneAndUpdate({ n: 1 }, { $inc: { n: 1 } })).toEqual({ _id: "x", n: 2 });
    });

    if (at.can("atomic updates"))
      it("loses none of 200 concurrent $inc", async () => {
        await at.plain.insertMany([{ _id: "x", n: 0 }]);
        await Promise.all(Array.from({ length: 200 }, () => at.plain.updateOne({ _id: "x" }, { $inc: { n: 1 } })));
        expect((await at.one("x"))?.n).toBe(200);
      });

    if (at.can("atomic updates"))
      it("lets one of fifty concurrent conditional updates win", async () => {
        await at.plain.insertMany([{ _id: "x", n: "free" }]);
        const take = (_: unknown, i: number): Promise<Entry | undefined> =>
          at.plain.findOneAndUpdate({ _id: "x", n: "free" }, { $set: { n: "taken", seq: i } });
        const winners = (await Promise.all(Array.from({ length: 50 }, take))).filter((each) => each !== undefined);
        expect(winners).toHaveLength(1);
        expect(await at.one("x")).toEqual(winners[0]);
      });
  });
}
