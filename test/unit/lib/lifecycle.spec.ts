import { ServiceBroker } from "moleculer";
import { drainMiddleware, Lifecycle, lifecycleOf } from "../../../lib/lifecycle";

describe("lifecycle", () => {
  it("goes from starting to ready to draining, and never back", async () => {
    const lifecycle = new Lifecycle();
    expect(lifecycle.phase).toBe("starting");
    lifecycle.setReady();
    expect(lifecycle.phase).toBe("ready");
    await lifecycle.drain();
    lifecycle.setReady();
    expect(lifecycle.phase).toBe("draining");
  });

  it("is draining before the first hook runs", async () => {
    const lifecycle = new Lifecycle();
    let phase = "";
    lifecycle.onDrain(async () => void (phase = lifecycle.phase));
    await lifecycle.drain();
    expect(phase).toBe("draining");
  });

  it("runs every hook once, waits for all, and lets none stop the others", async () => {
    const lifecycle = new Lifecycle();
    const done: string[] = [];
    const errors: unknown[] = [];
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    lifecycle.onDrain(() => Promise.reject(new Error("broken")));
    lifecycle.onDrain(() => released.then(() => void done.push("slow")));
    const drained = lifecycle.drain((error) => errors.push(error));
    const again = lifecycle.drain().then(() => expect(done).toEqual(["slow"]));
    expect(done).toEqual([]);
    release();
    await Promise.all([drained, again]);
    expect(done).toEqual(["slow"]);
    expect(errors).toEqual([new Error("broken")]);
  });

  it("drains before services stop, whoever stops the broker", async () => {
    const broker = new ServiceBroker({ logger: false, middlewares: [drainMiddleware] });
    const order: string[] = [];
    broker.createService({ name: "thing", stopped: async () => void order.push("stopped") });
    lifecycleOf(broker).onDrain(async () => void order.push("drained"));
    await broker.start();
    await broker.stop();
    expect(order).toEqual(["drained", "stopped"]);
  });

  it("lets begin what was to begin when the node is ready, once, and never when it drains before", async () => {
    const begun: string[] = [];
    const lifecycle = new Lifecycle();
    lifecycle.onReady(() => begun.push("early"));
    expect(begun).toEqual([]);
    lifecycle.setReady();
    lifecycle.setReady();
    lifecycle.onReady(() => begun.push("late"));
    expect(begun).toEqual(["early", "late"]);

    const stopped = new Lifecycle();
    stopped.onReady(() => begun.push("never"));
    await stopped.drain();
    stopped.setReady();
    expect(begun).toEqual(["early", "late"]);
  });
});
