import { pause } from "../../../lib/actor/time";
import { VirtualClock } from "../../support/virtual-clock";

describe("a pause", () => {
  it("ends after its time by the clock that was given, and not before", async () => {
    const clock = new VirtualClock();
    let over = false;
    void pause(clock, 100).then(() => (over = true));
    await clock.advance(99);
    expect(over).toBe(false);
    await clock.advance(1);
    expect(over).toBe(true);
  });
});
