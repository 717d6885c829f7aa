import fc from "fast-check";
import { planDepartures } from "../../../services/io/drain";

const random = { float: () => 0.5, id: () => "" };

describe("departure plan", () => {
  it("sends everybody away once, evenly, within the window and at most 62 a second when there is time", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3_000 }), fc.integer({ min: 0, max: 60_000 }), (count, windowMs) => {
        const clients = Array.from({ length: count }, (_, n) => n);
        const plan = planDepartures(clients, windowMs, random);
        expect(new Set(plan.map(({ client }) => client)).size).toBe(count);
        const last = plan.at(-1)?.inMs ?? 0;
        expect(last).toBeLessThanOrEqual(windowMs);
        if ((count / 62) * 1_000 <= windowMs) expect(last).toBeGreaterThanOrEqual(((count - 1) / 62) * 1_000 - 1);
      }),
    );
  });

  it("draws the order, so that nobody is always the first", () => {
    const floats = [0.1, 0.9, 0.3, 0.7];
    const plan = planDepartures(["a", "b", "c", "d"], 1_000, { float: () => floats.shift() ?? 0, id: () => "" });
    expect(plan.map(({ client }) => client)).not.toEqual(["a", "b", "c", "d"]);
  });
});
