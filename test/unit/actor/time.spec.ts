import { inTime, pause } from "../../../lib/actor/time";
import { VirtualClock } from "../../support/virtual-clock";

let clock: VirtualClock;
beforeEach(() => (clock = new VirtualClock()));

describe("a pause", () => {
  it("ends after its time by the clock that was given, and not before", async () => {
    let over = false;
    void pause(clock, 100).then(() => (over = true));
    await clock.advance(99);
    expect(over).toBe(false);
    await clock.advance(1);
    expect(over).toBe(true);
  });
});

describe("what has to settle in time", () => {
  const late = jest.fn(() => "late");
  const after = <T>(ms: number, value: T): Promise<T> => pause(clock, ms).then(() => value);
  const failing = (ms: number): Promise<string> => pause(clock, ms).then(() => Promise.reject(new Error("refused")));

  const fail = (reason: string): never => {
    throw new Error(reason);
  };

  beforeEach(() => late.mockClear());

  it("is passed on when it does, and no timer stays behind", async () => {
    const outcome = inTime(clock, 100, () => after(99, "done"), late);
    await clock.advance(99);
    await expect(outcome).resolves.toBe("done");
    expect(clock.pending).toBe(0);
    expect(late).not.toHaveBeenCalled();
  });

  it("is passed on when it fails, and no timer stays behind", async () => {
    const outcome = inTime(clock, 100, () => failing(99), late);
    const refused = expect(outcome).rejects.toThrow("refused");
    await clock.advance(99);
    await refused;
    expect(clock.pending).toBe(0);
    expect(late).not.toHaveBeenCalled();
  });

  it("is passed on when it cannot even be begun, and no timer stays behind", async () => {
    const outcome = inTime(clock, 100, () => fail("no such work"), late);
    await expect(outcome).rejects.toThrow("no such work");
    expect(clock.pending).toBe(0);
  });

  it("is given up at its time, whatever becomes of it", async () => {
    const works = [() => after(200, "done"), () => failing(200)];
    const outcomes = works.map((work) => inTime(clock, 100, work, late));
    await clock.advance(99);
    expect(late).not.toHaveBeenCalled();
    await clock.advance(1);
    await expect(Promise.all(outcomes)).resolves.toEqual(["late", "late"]);
    await clock.advance(100);
    expect(late).toHaveBeenCalledTimes(2);
  });

  it("is nothing when nobody says what else", async () => {
    const outcome = inTime(clock, 100, () => after(200, "done"));
    await clock.advance(100);
    await expect(outcome).resolves.toBeUndefined();
  });

  it("fails as whoever waited says", async () => {
    const outcome = inTime(
      clock,
      100,
      () => after(200, "done"),
      () => fail("took too long"),
    );
    const failed = expect(outcome).rejects.toThrow("took too long");
    await clock.advance(100);
    await failed;
  });
});
