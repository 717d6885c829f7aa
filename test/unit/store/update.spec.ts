import * as fc from "fast-check";
import { matches } from "../../../lib/store/filter";
import { applyUpdate } from "../../../lib/store/update";
import { compareValues, copy, encode, wellFormed } from "../../../lib/store/values";

const json = fc.jsonValue({ maxDepth: 3 });

describe("applyUpdate", () => {
  it("leaves the given document and the update's values as they are", () => {
    const property = fc.property(fc.dictionary(fc.constantFrom("a", "b"), json), json, (document, value) => {
      const before = encode(document);
      const update = { $set: { c: value } };
      const after = applyUpdate(document, update);
      expect(encode(document)).toBe(before);
      if (typeof value === "object" && value !== null) expect((after as { c?: unknown }).c).not.toBe(value);
    });
    fc.assert(property);
  });

  it("makes a watermark grow only, whatever the order", () => {
    const property = fc.property(fc.array(fc.integer(), { minLength: 1 }), (seqs) => {
      const result = seqs.reduce((document, seq) => applyUpdate(document, { $max: { seq } }), {});
      expect(result).toEqual({ seq: Math.max(...seqs) });
    });
    fc.assert(property);
  });

  it("adds to a set once, and pulls all of it", () => {
    const property = fc.property(fc.array(fc.constantFrom("a", "b", 1)), (values) => {
      const added = values.reduce((document, tags) => applyUpdate(document, { $addToSet: { tags } }), { tags: [] });
      expect(added.tags).toEqual([...new Set(values)]);
      expect(values.reduce((document, tags) => applyUpdate(document, { $pull: { tags } }), added).tags).toEqual([]);
    });
    fc.assert(property);
  });
});

describe("values", () => {
  const scalar = fc.oneof(fc.double({ noNaN: true }), fc.string({ unit: "binary" }), fc.boolean(), fc.constant(null));

  it("are in a total order, strings in the order of their UTF-8 bytes", () => {
    const property = fc.property(scalar, scalar, scalar, (a, b, c) => {
      expect(Math.sign(compareValues(a, b))).toBe(-Math.sign(compareValues(b, a)) + 0);
      if (compareValues(a, b) <= 0 && compareValues(b, c) <= 0) expect(compareValues(a, c)).toBeLessThanOrEqual(0);
      if (typeof a === "string" && typeof b === "string" && wellFormed(a) + wellFormed(b) === a + b)
        expect(Math.sign(compareValues(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    });
    fc.assert(property);
  });

  it("are found by a range exactly when they compare so, and never across types", () => {
    const property = fc.property(scalar, scalar, (value, bound) => {
      fc.pre(bound !== null && Number.isFinite(bound) === (typeof bound === "number"));
      const expected = typeof value === typeof bound && compareValues(value, bound) > 0;
      expect(matches({ n: { $gt: bound } }, { n: value })).toBe(expected);
    });
    fc.assert(property);
  });

  it("are copied whole", () => {
    fc.assert(fc.property(json, (value) => expect(copy(value)).toEqual(value)));
  });
});
