import type { CommandParams } from "../../../actors/conversation/conversation.commands";
import { toWire } from "../../../actors/conversation/conversation.events";
import { nextTimer } from "../../../actors/conversation/conversation.timers";
import { armedFor } from "../../../actors/conversation/conversation.arming";
import { bearsOnClass } from "../../../services/session/classification";
import { sessionView } from "../../../services/conversation-views";
import { command, World } from "./world";

const SESSION: CommandParams["importSession"] = {
  ...{ at: 1_000, closedAt: 5_000, topic: "loan", urgency: "high", customerId: "carl", agentIds: ["ada"] },
  ...{ source: "old", sourceId: "77", reason: "done", parties: [{ userId: "carl", id: "carl@example.org" }] },
};

/** `sue` acts for the system; `by` wrote the message. */
const importing = (by: string, text: string, at: number, audience: "all" | "staff" = "all") => ({
  ...command(by, "importMessage", { text, at, audience }),
  supervises: true,
});

function imported(): World {
  const world = new World();
  world.give("s", command("sue", "importSession", SESSION));
  world.give("s", importing("carl", "Hello", 1_500));
  world.give("s", importing("ada", "Hi", 1_600));
  return world;
}

describe("an imported session", () => {
  it("is closed, has its messages with their times, and nothing is due in it", () => {
    const state = imported().state("s");
    expect(state.session).toMatchObject({ status: "closed", openedAt: 1_000, closedAt: 5_000, closeReason: "done" });
    expect(state).toMatchObject({ seq: 3, createdAt: 1_000, lastMessage: { text: "Hi", at: 1_600, by: "ada" } });
    expect(nextTimer(state)).toBeUndefined();
    expect(imported().log("s").map(bearsOnClass)).toEqual([false, false, false]);
  });

  it("is imported by the system only, and only where there is nothing", () => {
    const world = imported();
    expect(world.give("new", command("ada", "importSession", SESSION))).toEqual({ refusal: "NOT_FOUND" });
    expect(world.give("s", command("carl", "importMessage", { text: "x", at: 1 }))).toEqual({ refusal: "NOT_FOUND" });
    expect(world.give("s", command("sue", "importSession", SESSION))).toBe("noop");
    world.give("own", command("carl", "open", { topic: "loan", urgency: "low" }));
    const there = { refusal: "SESSION_EXISTS", data: { sessionId: "own" } };
    expect(world.give("own", command("sue", "importSession", SESSION))).toEqual(there);
    expect(world.give("own", importing("carl", "x", 1))).toEqual({ refusal: "NOT_FOUND" });
  });

  it("takes messages of its people only, and notes of its staff only", () => {
    const world = imported();
    expect(world.give("s", importing("ben", "x", 1))).toEqual({ refusal: "NOT_FOUND" });
    expect(world.give("s", importing("carl", "x", 1, "staff"))).toEqual({ refusal: "FORBIDDEN" });
    expect(world.give("s", importing("ada", "x", 1, "staff"))).toMatchObject({ event: { audience: "staff" } });
  });

  it("tells a customer nothing of where it comes from, nor why it ended", () => {
    const [first] = imported().log("s");
    if (!first) throw new Error("there is no first event");
    expect(JSON.stringify(toWire(first, "all"))).not.toMatch(/old|77|example|done/);
    expect(toWire(first, "staff").data).toMatchObject({ source: "old", sourceId: "77" });
  });

  it("tells a customer, who asked for nothing here, of no urgency that it was given", () => {
    const [first] = imported().log("s");
    const { session } = imported().state("s");
    if (!first || !session) throw new Error("there is no first event");
    const told = (viewer: "all" | "staff") => [
      (toWire(first, viewer).data as { urgency?: string }).urgency,
      sessionView("s", session, 1, viewer).urgency,
    ];
    expect(told("all")).toEqual([undefined, "normal"]);
    expect(told("staff")).toEqual(["high", "high"]);
  });

  it("enters the queue once, from now on, with the customer's key of the topic", () => {
    const world = imported();
    const open = command("sue", "importOpen", {});
    expect(armedFor(world.state("s"), open, 10_000)).toBeGreaterThan(10_000);
    expect(world.give("s", open)).toMatchObject({
      event: { type: "session.reopened", key: "open/carl/loan/0000000001" },
    });
    const { session } = world.state("s");
    expect(session).toMatchObject({ status: "unassigned", openedAt: 1_000 });
    expect(session?.enteredAt).toBeGreaterThan(1_000);
    expect(world.give("s", importing("carl", "late", 1))).toMatchObject({ refusal: "SESSION_EXISTS" });
    world.give("s", command("carl", "close", {}));
    expect(world.give("s", open)).toBe("noop");
  });

  it("stays closed while the customer has another session open in the topic", () => {
    const world = imported();
    world.give("own", command("carl", "open", { topic: "loan", urgency: "low" }));
    const taken = { refusal: "SESSION_EXISTS", data: { sessionId: "own" } };
    expect(world.give("s", command("sue", "importOpen", {}))).toEqual(taken);
    expect(world.state("s").session?.status).toBe("closed");
  });
});
