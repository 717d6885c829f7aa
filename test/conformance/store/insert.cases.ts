import { DuplicateKeyError, RejectedError } from "../../../lib/store/collection";
import { type Entry, event, type Fixture } from "./fixture";

/** The cases of insertMany. */
export function insertCases(at: Fixture): void {
  describe("insertMany", () => {
    it("stores nothing when given nothing", async () => {
      await at.log.insertMany([]);
      expect(await at.log.count({}, 10)).toBe(0);
    });

    it("gives back what was stored, without sharing it", async () => {
      const given = event("a", 1, { n: { deep: [1, "ü", null, true] } });
      await at.log.insertMany([given]);
      const [read] = await at.log.find({});
      expect(read).toEqual(given);
      (read as { n: { deep: unknown[] } }).n.deep.push("changed");
      given.seq = 99;
      expect(await at.log.findOne({ _id: "a-1" })).toEqual(event("a", 1, { n: { deep: [1, "ü", null, true] } }));
    });

    it("stops at the first failure: earlier documents are stored, later ones are not", async () => {
      await at.log.insertMany([event("a", 2)]);
      const insert = at.log.insertMany([event("b", 1), event("a", 1), event("a", 2, { _id: "z" }), event("b", 2)]);
      await expect(insert).rejects.toMatchObject({ name: "DuplicateKeyError", index: 2 });
      expect(await at.found({}, at.log)).toEqual(["a-1", "a-2", "b-1"]);
    });

    it.each<[string, Entry]>([
      ["_id", event("b", 1, { _id: "a-1" })],
      ["a pair of fields", event("a", 1, { _id: "z", commandId: "other" })],
      ["three fields", event("a", 2, { commandId: "c1" })],
      ["a sparse field", event("b", 1, { key: "k" })],
    ])("refuses a second document with the same %s", async (_what, second) => {
      await at.log.insertMany([event("a", 1, { key: "k" })]);
      const refusal: unknown = await at.log.insertMany([second]).catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(DuplicateKeyError);
      expect(await at.log.count({}, 10)).toBe(1);
    });

    it("lets any number of documents be without a sparse field", async () => {
      await at.log.insertMany([event("a", 1), event("a", 2), event("a", 3)]);
      expect(await at.log.count({ key: { $exists: false } }, 10)).toBe(3);
    });

    if (at.can("missing is null"))
      it("counts a missing field and null as equal in a unique index that is not sparse", async () => {
        await at.log.insertMany([{ _id: "1", seq: 1, by: "x", commandId: "1" }]);
        const second = at.log.insertMany([{ _id: "2", seq: 1, by: "y", commandId: "2", stream: null }]);
        await expect(second).rejects.toBeInstanceOf(DuplicateKeyError);
      });

    it("tells numbers, strings and booleans apart in a unique index", async () => {
      const keys = [1, "1", true, "true", 0, false, ""];
      await at.log.insertMany(keys.map((key, i) => ({ ...event("a", i), key: key as string })));
      for (const key of keys) expect(await at.log.count({ key }, 10)).toBe(1);
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
      const insert = at.log.insertMany([event("a", 1), bad as Entry, event("a", 2)]);
      const error: unknown = await insert.catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(RejectedError);
      expect(error).toMatchObject({ index: 1 });
      expect(await at.found({}, at.log)).toEqual(["a-1"]);
    });

    it("lets one of a hundred concurrent inserts of the same key win", async () => {
      const inserts = Array.from({ length: 100 }, (_, i) => at.log.insertMany([event(`s${i}`, 1, { key: "k" })]));
      const settled = await Promise.allSettled(inserts);
      expect(settled.filter((result) => result.status === "fulfilled")).toHaveLength(1);
      expect(await at.log.count({}, 200)).toBe(1);
    });
  });
}
