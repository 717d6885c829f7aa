import { Backoff } from "../../../lib/actor/backoff";
import { VirtualClock } from "../../support/virtual-clock";

const BOUNDS = { firstMs: 50, maxMs: 300 };

/** How long the first pauses are. */
async function pauses(float: number | undefined): Promise<number[]> {
  const clock = new VirtualClock();
  const backoff = new Backoff(clock, float === undefined ? undefined : { float: () => float }, BOUNDS);
  const ends: number[] = [clock.now()];
  const over = (async () => {
    for (let turn = 0; turn < 5; turn++) {
      await backoff.wait();
      ends.push(clock.now());
    }
  })();
  await clock.advance(2_000);
  await over;
  return ends.slice(1).map((end, turn) => end - (ends[turn] ?? 0));
}

describe("a back-off", () => {
  it("doubles from the first pause to the longest where there is no randomness", async () => {
    expect(await pauses(undefined)).toEqual([50, 100, 200, 300, 300]);
  });

  it("pauses for some part of that where there is", async () => {
    expect(await pauses(0)).toEqual([1, 1, 1, 1, 1]);
    expect(await pauses(0.5)).toEqual([26, 51, 101, 151, 151]);
  });
});
