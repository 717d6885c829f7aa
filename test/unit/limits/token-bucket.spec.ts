import fc from "fast-check";
import { TokenBucket } from "../../../lib/limits/token-bucket";

describe("token bucket", () => {
  it("grants a burst, then says how long the next token takes", () => {
    const limit = new TokenBucket(10, 3);
    const bucket = limit.fill(0);
    expect([limit.take(bucket, 0), limit.take(bucket, 0), limit.take(bucket, 0)]).toEqual([0, 0, 0]);
    expect(limit.take(bucket, 0)).toBe(100);
    expect(limit.take(bucket, 60)).toBe(40);
    expect(limit.take(bucket, 100)).toBe(0);
  });

  it("never holds more than its burst", () => {
    const limit = new TokenBucket(10, 2);
    const bucket = limit.fill(0);
    limit.take(bucket, 3_600_000);
    expect(bucket.tokens).toBe(1);
  });

  it("gives nothing for a clock that goes backwards", () => {
    const limit = new TokenBucket(10, 1);
    const bucket = limit.fill(1_000);
    expect(limit.take(bucket, 1_000)).toBe(0);
    expect(limit.take(bucket, 0)).toBe(100);
    expect(limit.take(bucket, 100)).toBe(0);
  });

  it("never grants more than burst + rate * time, and what it promises holds", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000 }),
        fc.integer({ min: 1, max: 100 }),
        fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 200 }),
        (perSecond, burst, pauses) => {
          const limit = new TokenBucket(perSecond, burst);
          const bucket = limit.fill(0);
          let now = 0;
          let granted = 0;
          for (const pause of pauses) {
            now += pause;
            const wait = limit.take(bucket, now);
            if (wait === 0) granted++;
            else {
              now += wait;
              expect(limit.take(bucket, now)).toBe(0);
              granted++;
            }
          }
          expect(granted).toBeLessThanOrEqual(burst + (now * perSecond) / 1_000 + 1e-6);
        },
      ),
    );
  });
});
