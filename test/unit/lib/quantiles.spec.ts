import fc from "fast-check";
import { Quantiles } from "../../../lib/quantiles";

const values = fc.array(fc.oneof(fc.nat(100), fc.integer({ min: 0, max: 1e11 })), { minLength: 1, maxLength: 300 });

describe("quantiles", () => {
  it("are within one percent of the exact ones", () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (given, part) => {
        const quantiles = new Quantiles();
        for (const value of given) quantiles.add(value);
        const sorted = [...given].sort((a, b) => a - b);
        const exact = sorted[Math.max(1, Math.ceil(part * sorted.length)) - 1] ?? 0;
        const found = quantiles.at(part) ?? NaN;
        expect(Math.abs(found - exact)).toBeLessThanOrEqual(0.010001 * exact);
      }),
    );
  });

  it("of values that are all the same are that value", () => {
    const quantiles = new Quantiles();
    for (let n = 0; n < 10; n++) quantiles.add(61_234);
    expect([quantiles.at(0.5), quantiles.at(0.9), quantiles.total]).toEqual([61_234, 61_234, 612_340]);
  });

  it("of nothing are nothing", () => {
    expect(new Quantiles().at(0.5)).toBeUndefined();
  });
});
