import fc from "fast-check";
import { bandOf, positionOf } from "../../../services/session/estimate";

const position = fc.integer({ min: 1, max: 1_000_000 });
const flow = fc.record({
  taken: fc.integer({ min: 3, max: 10_000 }),
  overMs: fc.integer({ min: 1_000, max: 720_000 }),
});
const wait = (at: number, of: { taken: number; overMs: number }): number => positionOf(at, of).waitSeconds ?? NaN;

describe("what a customer is told of the queue", () => {
  it("is the very position up to 10, then a band", () => {
    expect([1, 10, 11, 20, 21, 50, 51, 150, 201, 999, 1_001].map(bandOf)).toEqual([
      { from: 1, to: 1 },
      { from: 10, to: 10 },
      { from: 11, to: 20 },
      { from: 11, to: 20 },
      { from: 21, to: 50 },
      { from: 21, to: 50 },
      { from: 51, to: 100 },
      { from: 101, to: 200 },
      { from: 201, to: 500 },
      { from: 501, to: 1_000 },
      { from: 1_001, to: 2_000 },
    ]);
  });

  it("is one band for each position, and the bands leave no gap", () => {
    fc.assert(
      fc.property(position, (at) => {
        const { from, to } = bandOf(at);
        expect(from <= at && at <= to).toBe(true);
        expect(bandOf(from)).toEqual(bandOf(to));
        expect(bandOf(to + 1).from).toBe(to + 1);
      }),
    );
  });

  it("says unknown when too few sessions were taken", () => {
    expect(positionOf(3, undefined)).toEqual({ from: 3, to: 3, waitSeconds: null });
    expect(positionOf(3, { taken: 2, overMs: 60_000 }).waitSeconds).toBeNull();
  });

  it("goes by how fast sessions are taken now", () => {
    expect(wait(1, { taken: 10, overMs: 600_000 })).toBe(60);
    expect(wait(7, { taken: 10, overMs: 600_000 })).toBe(420);
    expect(wait(15, { taken: 10, overMs: 600_000 })).toBe(1_200);
  });

  it("never promises less than the present speed gives", () => {
    fc.assert(
      fc.property(position, flow, (at, { taken, overMs }) => {
        expect(wait(at, { taken, overMs }) * 1_000).toBeGreaterThanOrEqual((at * overMs) / taken - 1e-3);
      }),
    );
  });

  it("grows with the position and shrinks with the speed", () => {
    fc.assert(
      fc.property(position, position, flow, fc.integer({ min: 0, max: 1_000 }), (a, b, of, more) => {
        expect(wait(Math.min(a, b), of)).toBeLessThanOrEqual(wait(Math.max(a, b), of));
        expect(wait(a, { ...of, taken: of.taken + more })).toBeLessThanOrEqual(wait(a, of));
      }),
    );
  });
});
