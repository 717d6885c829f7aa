import fc from "fast-check";
import { jsonBytesAtMost } from "../../../lib/json-size";

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

describe("the bytes of a value as JSON", () => {
  it("are never more than estimated", () => {
    const value = fc.jsonValue({ maxDepth: 4, stringUnit: "binary" });
    fc.assert(fc.property(value, (any) => jsonBytesAtMost(any) >= bytesOf(any)));
    for (const longest of [-Number.MIN_VALUE, -1.2345678901234567e-100, "\u0001", "\ud800", "\u20ac", [], {}, null]) {
      expect(jsonBytesAtMost(longest)).toBeGreaterThanOrEqual(bytesOf(longest));
    }
  });

  it("are not estimated at more than six times as many in a text", () => {
    const text = "a".repeat(1_000);
    expect(jsonBytesAtMost({ text })).toBeLessThan(6 * bytesOf({ text }));
  });
});
