import type { Principal } from "../../../services/auth/principal";
import { Activity } from "../../../services/agents/activity";
import { VirtualClock } from "../../support/virtual-clock";

const user = (id: string, ...roles: Principal["roles"]): Principal => ({ id, roles, guest: false, family: "f" });

describe("the activity of agents", () => {
  let clock: VirtualClock;
  let told: string[][];
  let fails: boolean;
  let activity: Activity;

  beforeEach(() => {
    clock = new VirtualClock();
    told = [];
    fails = false;
    activity = new Activity({
      clock,
      tell: async (userIds) => {
        if (fails) throw new Error("away");
        told.push([...userIds]);
      },
      failed: () => undefined,
    });
  });

  it("is told once for whatever they do within some seconds, and again for what they do later", async () => {
    for (let i = 0; i < 100; i++) activity.heard(user("ada", "agent"), "message.send");
    activity.heard(user("sue", "supervisor"));
    await clock.advance(10_000);
    expect(told).toEqual([["ada", "sue"]]);
    activity.heard(user("ada", "agent"), "typing");
    await clock.advance(10_000);
    expect(told).toEqual([["ada", "sue"], ["ada"]]);
  });

  it("is no customer's, and not what clients do by themselves", async () => {
    activity.heard(user("carl", "customer"), "message.send");
    activity.heard(user("ada", "agent"), "receipt.delivered");
    activity.heard(user("ada", "agent"), "conversation.sync");
    await clock.advance(10_000);
    expect(told).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it("goes on after it could not be told, and ends when it is stopped", async () => {
    fails = true;
    activity.heard(user("ada", "agent"), "message.send");
    await clock.advance(10_000);
    fails = false;
    activity.heard(user("ada", "agent"), "message.send");
    activity.stop();
    activity.heard(user("bob", "agent"), "message.send");
    await clock.advance(10_000);
    expect(told).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});
