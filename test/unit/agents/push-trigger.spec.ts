import { PushTrigger } from "../../../services/agents/push-trigger";
import { settle, VirtualClock } from "../../support/virtual-clock";

describe("what sets a pass off", () => {
  let clock: VirtualClock;
  let passes: number;
  let finish: () => void;
  let trigger: PushTrigger;

  beforeEach(() => {
    clock = new VirtualClock();
    passes = 0;
    trigger = new PushTrigger(clock, () => {
      passes++;
      return new Promise<void>((resolve) => (finish = resolve));
    });
  });

  it("runs at once, one pass at a time, and one more for all that came meanwhile", async () => {
    for (let i = 0; i < 10; i++) trigger.nudge();
    expect(passes).toBe(1);
    finish();
    await clock.advance(1_000);
    expect(passes).toBe(1 + 1);
    finish();
    await clock.advance(1_000);
    expect(passes).toBe(2);
    trigger.nudge();
    expect(passes).toBe(3);
  });

  it("does nothing more once it is stopped", async () => {
    trigger.nudge();
    trigger.nudge();
    trigger.stop();
    finish();
    await settle();
    await clock.advance(1_000);
    trigger.nudge();
    expect([passes, clock.pending]).toEqual([1, 0]);
  });
});
