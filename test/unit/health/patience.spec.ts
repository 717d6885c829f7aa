import { Type } from "@sinclair/typebox";
import { contract } from "../../../lib/contract";
import { Patience } from "../../../lib/patience";
import type { Part, PartState } from "../../../lib/vitals";
import { settle, VirtualClock } from "../../support/virtual-clock";

const shape = { params: Type.Object({}), result: Type.Object({}), access: "user" } as const;
const READ = contract({ ...shape, name: "test.read", summary: "Read", errors: [] });
const WRITE = contract({ ...shape, name: "test.write", summary: "Write", errors: ["UNKNOWN_OUTCOME"] });

describe("patience of callers from outside", () => {
  let clock: VirtualClock;
  let down: Set<Part>;
  let tell: (part: Part, state: PartState) => void;
  let patience: Patience;
  const vitals = {
    isDown: (part: Part) => down.has(part),
    onChange: (listener: typeof tell) => {
      tell = listener;
      return () => undefined;
    },
  };
  const goDown = (part: Part): void => {
    down.add(part);
    tell(part, "down");
  };
  const never = (): Promise<string> => new Promise(() => undefined);
  const outcomeOf = (call: Promise<string>): { value?: string } => {
    const outcome: { value?: string } = {};
    call.then(
      (value) => (outcome.value = value),
      (error: { type: string }) => (outcome.value = error.type),
    );
    return outcome;
  };

  beforeEach(() => {
    clock = new VirtualClock();
    down = new Set();
    patience = new Patience({ clock, vitals });
  });
  afterEach(() => patience.stop());

  it("waits as long as it takes while everything is up, and while only the key-value store is down", async () => {
    const outcome = outcomeOf(patience.wait(never(), WRITE));
    await clock.advance(60_000);
    goDown("kv");
    await clock.advance(60_000);
    expect(outcome.value).toBeUndefined();
    expect(clock.pending).toBe(0);
  });

  it.each(["store", "broker"] as const)("ends within two seconds once the %s is down", async (part) => {
    const before = outcomeOf(patience.wait(never(), WRITE));
    await clock.advance(1_700);
    goDown(part);
    await settle();
    expect(before.value).toBe("UNKNOWN_OUTCOME");
    const [write, read] = [outcomeOf(patience.wait(never(), WRITE)), outcomeOf(patience.wait(never(), READ))];
    await clock.advance(1_300);
    expect([write.value, read.value]).toEqual([undefined, undefined]);
    await clock.advance(500);
    expect([write.value, read.value]).toEqual(["UNKNOWN_OUTCOME", "UNAVAILABLE"]);
  });

  it("lasts when the part is back in time", async () => {
    goDown("store");
    const outcome = outcomeOf(
      patience.wait(new Promise((resolve) => clock.setTimeout(() => resolve("done"), 5_000)), WRITE),
    );
    await clock.advance(1_000);
    down.clear();
    await clock.advance(5_000);
    expect(outcome.value).toBe("done");
  });

  it("hands on what the call answers, and its errors", async () => {
    await expect(patience.wait(Promise.resolve("done"), READ)).resolves.toBe("done");
    const error = new Error("its own");
    await expect(patience.wait(Promise.reject(error), READ)).rejects.toBe(error);
  });

  it("is endless where nothing can go away alone", async () => {
    const alone = new Patience({ clock, vitals, endless: true });
    goDown("store");
    const outcome = outcomeOf(alone.wait(never(), WRITE));
    await clock.advance(60_000);
    expect(outcome.value).toBeUndefined();
    alone.stop();
  });
});
