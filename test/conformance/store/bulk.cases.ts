import { UnsupportedOperatorError, type Update } from "../../../lib/store/collection";
import { event, type Fixture } from "./fixture";

/** The cases of bulk writes. */
export function bulkCases(at: Fixture): void {
  describe("bulk writes", () => {
    if (at.can("updates fail one by one"))
      it("bulkWrite goes on after a failing operation and tells of the first", async () => {
        await at.log.insertMany([event("a", 1, { key: "k" }), event("a", 2), event("a", 3)]);
        const bulk = at.log.bulkWrite([
          { filter: { _id: "a-1" }, update: { $set: { n: 1 } } },
          { filter: { _id: "a-2" }, update: { $set: { key: "k" } } },
          { filter: { _id: "a-3" }, update: { $inc: { stream: 1 } } },
          { filter: { _id: "a-9" }, update: { $set: { n: 1 } } },
          { filter: { _id: "b-1" }, update: { $max: { seq: 7 } }, upsert: true },
        ]);
        await expect(bulk).rejects.toMatchObject({ name: "DuplicateKeyError", index: 1 });
        expect((await at.log.findOne({ _id: "a-1" }))?.n).toBe(1);
        expect((await at.log.findOne({ _id: "b-1" }))?.seq).toBe(7);
        expect(await at.log.count({}, 10)).toBe(4);
      });

    it("bulkWrite does nothing at all when one operation is outside the subset", async () => {
      const bulk = at.plain.bulkWrite([
        { filter: { _id: "x" }, update: { $set: { n: 1 } }, upsert: true },
        { filter: { _id: "y" }, update: { $rename: { n: "m" } } as Update },
      ]);
      await expect(bulk).rejects.toBeInstanceOf(UnsupportedOperatorError);
      expect(await at.plain.count({}, 10)).toBe(0);
    });

    it("putNewer overwrites only by a greater number", async () => {
      await at.plain.insertMany([
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
      await at.plain.putNewer(put, "seq");
      await at.plain.putNewer([{ _id: "d", seq: 0, n: "older" }], "seq");
      const stored = await at.plain.find({}, { sort: { _id: 1 } });
      expect(stored).toEqual([put[0], { _id: "b", seq: 5, n: "old" }, put[2], put[3]]);
    });

    if (at.can("updates fail one by one"))
      it("putNewer compares an indexed field, keeps indexes right and goes on after a failure", async () => {
        await at.log.insertMany([event("a", 1, { key: "k" }), event("a", 2)]);
        const put = [
          event("a", 3, { _id: "a-2", key: "k" }),
          event("a", 4, { _id: "a-1", commandId: "c1", key: "l" }),
          { ...event("b", 1), seq: "x" as unknown as number },
          event("b", 2),
        ];
        await expect(at.log.putNewer(put, "seq")).rejects.toMatchObject({ name: "DuplicateKeyError", index: 0 });
        expect(await at.found({ key: "l" }, at.log)).toEqual(["a-1"]);
        expect(await at.found({ stream: "a", seq: { $gte: 2 } }, at.log)).toEqual(["a-1", "a-2"]);
        expect(await at.found({ stream: "b" }, at.log)).toEqual(["b-2"]);
      });

    it("deleteMany deletes what matches, by any field, and frees its keys", async () => {
      await at.log.insertMany(Array.from({ length: 50 }, (_, i) => event("a", i, { n: i % 2, key: `k${i}` })));
      expect(await at.log.deleteMany({ stream: "a", n: 1 })).toBe(25);
      expect(await at.log.deleteMany({ seq: { $lt: 4 }, stream: "a" })).toBe(2);
      expect(await at.log.deleteMany({ stream: "none" })).toBe(0);
      expect(await at.log.count({}, 100)).toBe(23);
      await at.log.insertMany([event("a", 1, { key: "k1" })]);
    });
  });
}
