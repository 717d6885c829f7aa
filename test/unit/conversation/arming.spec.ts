import { Arming } from "../../../actors/conversation/conversation.arming";
import type { StoredEvent } from "../../../actors/conversation/conversation.events";
import { VirtualClock } from "../../support/virtual-clock";
import { command, World } from "./world";

const LATE_MS = 60_000;
const MONTH_MS = 30 * 86_400_000;

describe("arming", () => {
  const setUp = () => {
    const clock = new VirtualClock();
    const armed: Array<readonly [id: string, dueAt: number]> = [];
    const arm = (id: string, dueAt: number): Promise<void> => Promise.resolve(void armed.push([id, dueAt]));
    return { clock, armed, arming: new Arming({ arm }, clock) };
  };

  it("comes before the decision, and for a time that is still to come", async () => {
    const { clock, armed, arming } = setUp();
    const world = new World();
    const state = world.state("s");
    await arming.before(state, command("carl", "open", { topic: "loan", urgency: "normal" }));
    const soon = {
      headStart: { class: 0 },
      rules: { closingMs: 1, noShowMs: 1, offline: "keep", graceMs: 1 },
    } as const;
    await arming.before(state, command("carl", "open", { topic: "loan", urgency: "normal", desk: soon }));
    expect(armed).toEqual([
      ["s", clock.now() + MONTH_MS],
      ["s", clock.now() + 1_000],
    ]);
  });

  it("costs what needs no timer nothing", () => {
    const { arming, armed } = setUp();
    const world = new World();
    world.give("s", command("carl", "open", { topic: "loan", urgency: "normal" }));
    for (const given of [command("carl", "send", { text: "hello" }), command("ada", "claim", {})])
      expect(arming.before(world.state("s"), given)).toBeUndefined();
    expect(armed).toEqual([]);
  });

  it("has what became durable too late looked at, once for each conversation, and publishes what is wanted", async () => {
    const { clock, armed, arming } = setUp();
    const published: string[] = [];
    const { wants, publish } = arming.publishing({
      wants: ({ type }) => type === "message.created",
      publish: (events) => Promise.resolve(void published.push(...events.map(({ _id }) => _id))),
    });
    const event = (_id: string, conversationId: string, type: string, age: number) =>
      ({ _id, conversationId, type, at: clock.now() - age, data: {} }) as unknown as StoredEvent;
    const events = [
      event("a1", "a", "session.opened", LATE_MS + 1),
      event("a2", "a", "message.created", LATE_MS + 1),
      event("b1", "b", "message.created", LATE_MS),
    ];
    expect([...events, event("b2", "b", "session.opened", LATE_MS)].map(wants)).toEqual([true, true, true, false]);
    await publish(events);
    expect(armed).toEqual([["a", clock.now()]]);
    expect(published).toEqual(["a2", "b1"]);
  });

  it("is what publishing waits for", async () => {
    const clock = new VirtualClock();
    const arming = new Arming({ arm: () => Promise.reject(new Error("away")) }, clock);
    const late = { _id: "a1", conversationId: "a", type: "session.opened", at: 0, data: {} } as unknown as StoredEvent;
    await expect(arming.publishing().publish([late])).rejects.toThrow("away");
  });
});
