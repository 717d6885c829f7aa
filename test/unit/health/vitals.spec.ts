import type { PARTS } from "../../../lib/vitals";
import { Vitals } from "../../../lib/vitals";
import { Health } from "../../../lib/health";
import { settle, VirtualClock } from "../../support/virtual-clock";

type Part = (typeof PARTS)[number];
type Answer = "at once" | "never" | "error";

describe("vitals of a node", () => {
  let clock: VirtualClock;
  let answers: Record<Part, Answer>;
  let held: Array<() => void>;
  let changes: string[];
  let vitals: Vitals;

  beforeEach(() => {
    clock = new VirtualClock();
    answers = { broker: "at once", store: "at once", kv: "at once" };
    held = [];
    changes = [];
    const ping = (part: Part) => (): Promise<void> => {
      if (answers[part] === "error") return Promise.reject(new Error("refused"));
      return answers[part] === "never" ? new Promise((resolve) => held.push(resolve)) : Promise.resolve();
    };
    vitals = new Vitals({ clock, pings: { broker: ping("broker"), store: ping("store"), kv: ping("kv") } });
    vitals.onChange((part, state) => changes.push(`${part} ${state}`));
  });
  afterEach(() => vitals.stop());

  it.each(["never", "error"] as const)("notices within two seconds that a part answers %s", async (failure) => {
    vitals.start();
    await clock.advance(10_000);
    answers.store = failure;
    await clock.advance(1_801);
    expect(changes).toEqual(["store down"]);
    expect([vitals.isDown("store"), vitals.isDown("broker"), vitals.isDown("kv")]).toEqual([true, false, false]);
    expect(await vitals.look()).toEqual({ broker: "up", store: "down", kv: "up" });
  });

  it("notices soon that a part is back", async () => {
    vitals.start();
    answers.broker = "never";
    await clock.advance(30_000);
    answers.broker = "at once";
    await clock.advance(1_300);
    expect(changes).toEqual(["broker down", "broker up"]);
  });

  it("does not pile up questions to a part that does not answer", async () => {
    vitals.start();
    answers.kv = "never";
    await clock.advance(10_000);
    expect(held.length).toBeLessThanOrEqual(24);
  });

  it("takes a part for up that is slow but answers", async () => {
    answers.store = "never";
    vitals.start();
    for (let n = 0; n < 20; n++) {
      await clock.advance(1_000);
      held.shift()?.();
    }
    expect(changes).toEqual([]);
  });

  it.each([40_000, -3_600_000])(
    "does not blame a part for a pause of its own process, or a jump of %i ms",
    async (ms) => {
      vitals.start();
      await clock.advance(5_000);
      const now = clock.now.bind(clock);
      clock.now = () => now() + ms;
      await clock.advance(5_000);
      expect(changes).toEqual([]);
      answers.store = "never";
      await clock.advance(2_000);
      expect(changes).toEqual(["store down"]);
    },
  );

  it("asks when it is looked at while nobody watches", async () => {
    answers.kv = "error";
    expect(await vitals.look()).toEqual({ broker: "up", store: "up", kv: "down" });
    expect(vitals.isDown("kv")).toBe(false);
    expect(clock.pending).toBe(0);
  });

  it("leaves nothing behind when it is stopped", async () => {
    vitals.start();
    await settle();
    vitals.stop();
    await clock.advance(3_000);
    expect(clock.pending).toBe(0);
  });
});

describe("readiness", () => {
  const ready = async (phase: "ready" | "draining", down?: Part): Promise<boolean> => {
    const parts = { broker: "up", store: "up", kv: "up", ...(down && { [down]: "down" }) } as const;
    const health = new Health({ phase: () => phase, vitals: { look: () => Promise.resolve(parts) } });
    const readiness = await health.readiness();
    expect(readiness.parts).toEqual({ node: phase, ...parts });
    return readiness.ready;
  };

  it("needs broker and store, and not the key-value store", async () => {
    expect(await ready("ready")).toBe(true);
    expect(await ready("ready", "kv")).toBe(true);
    expect(await ready("ready", "broker")).toBe(false);
    expect(await ready("ready", "store")).toBe(false);
    expect(await ready("draining")).toBe(false);
  });
});
