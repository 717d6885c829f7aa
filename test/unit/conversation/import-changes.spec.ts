import type { Action, CommandParams } from "../../../actors/conversation/conversation.commands";
import type { StoredEvent } from "../../../actors/conversation/conversation.events";
import { toMessages } from "../../../actors/conversation/conversation.messages";
import { command, World } from "./world";

const SESSION: CommandParams["importSession"] = {
  ...{ at: 1_000, closedAt: 5_000, topic: "loan", urgency: "high", customerId: "carl", agentIds: ["ada", "ben"] },
  ...{ source: "old", sourceId: "77", parties: [] },
};

/** The system gives it, in the name of who did it. */
const given = <A extends Action>(by: string, action: A, params: CommandParams[A]) => ({
  ...command(by, action, params),
  supervises: true,
});

/** 2: the customer's, 3: a note. */
function imported(): World {
  const world = new World();
  world.give("s", given("sue", "importSession", SESSION));
  world.give("s", given("carl", "importMessage", { text: "Hello", at: 1_500 }));
  world.give("s", given("ada", "importMessage", { text: "Late again", at: 1_600, audience: "staff" }));
  return world;
}

const messages = (world: World) => {
  const isMessage = ({ type }: StoredEvent): boolean => type === "message.created";
  const log = world.log("s");
  return toMessages(
    log.filter(isMessage),
    log.filter((event) => !isMessage(event)),
  );
};
const iso = (at: number): string => new Date(at).toISOString();

describe("what became of an imported message", () => {
  it("is told with the times that it had", () => {
    const world = imported();
    world.give("s", given("carl", "importEdit", { seq: 2, text: "Hello!", at: 1_700 }));
    world.give("s", given("ada", "importReaction", { seq: 2, emoji: "+1", at: 1_800 }));
    world.give("s", given("ada", "importDelete", { seq: 3, at: 1_900 }));
    expect(messages(world)).toMatchObject([
      { seq: 2, text: "Hello!", editedAt: iso(1_700), reactions: { "+1": ["ada"] } },
      { seq: 3, deletedAt: iso(1_900), audience: "staff" },
    ]);
    expect(world.state("s").lastMessage).toMatchObject({ text: "Hello!", editedAt: 1_700 });
    const changes = world.log("s").slice(3);
    expect(changes.map(({ audience }) => audience)).toEqual(["all", "all", "staff"]);
    for (const { data } of changes) expect(data).toMatchObject({ imported: true });
  });

  it("is given by the system only, in the name of who may, and to nothing but messages", () => {
    const world = imported();
    const refused = (by: string, action: Action, params: CommandParams[Action]) => {
      const ended = world.give("s", given(by, action, params));
      return typeof ended === "object" && "refusal" in ended ? ended.refusal : ended;
    };
    expect(world.give("s", command("carl", "importDelete", { seq: 2, at: 1 }))).toEqual({ refusal: "NOT_FOUND" });
    expect(refused("ada", "importEdit", { seq: 2, text: "x", at: 1 })).toBe("FORBIDDEN");
    expect(refused("ada", "importDelete", { seq: 2, at: 1 })).toBe("FORBIDDEN");
    expect(refused("gil", "importReaction", { seq: 2, emoji: "+1", at: 1 })).toBe("NOT_FOUND");
    expect(refused("carl", "importReaction", { seq: 3, emoji: "+1", at: 1 })).toBe("NOT_FOUND");
    expect(refused("ada", "importReaction", { seq: 1, emoji: "+1", at: 1 })).toBe("NOT_FOUND");
    expect(refused("carl", "importMessage", { text: "x", replyTo: 3, at: 1 })).toBe("NOT_FOUND");
    expect(refused("carl", "importMessage", { text: "x", replyTo: 9, at: 1 })).toBe("NOT_FOUND");
    expect(refused("ada", "importMessage", { text: "x", whisper: true, at: 1 })).toBe("FORBIDDEN");
    expect(refused("ada", "importRating", { score: 1, at: 1 })).toBe("NOT_FOUND");
    expect(world.log("s")).toHaveLength(3);
  });

  it("is not added to what was deleted, nor said twice", () => {
    const world = imported();
    const gone = { refusal: "MESSAGE_DELETED" };
    world.give("s", given("ben", "importReaction", { seq: 2, emoji: "+1", at: 1_700 }));
    expect(world.give("s", given("ben", "importReaction", { seq: 2, emoji: "+1", at: 1_800 }))).toBe("noop");
    world.give("s", given("carl", "importDelete", { seq: 2, at: 1_900 }));
    expect(world.give("s", given("carl", "importDelete", { seq: 2, at: 1_900 }))).toBe("noop");
    expect(world.give("s", given("carl", "importEdit", { seq: 2, text: "x", at: 2_000 }))).toEqual(gone);
    expect(world.give("s", given("ada", "importReaction", { seq: 2, emoji: "+1", at: 2_000 }))).toEqual(gone);
  });

  it("ends where the session is opened again", () => {
    const world = imported();
    world.give("s", given("carl", "importRating", { score: 4, comment: "Quick", at: 6_000 }));
    expect(world.state("s").session?.rating).toEqual({ score: 4, comment: "Quick", at: 6_000 });
    const second = given("carl", "importRating", { score: 1, at: 7_000 });
    expect(world.give("s", second)).toMatchObject({ refusal: "SESSION_EXISTS" });
    world.give("s", given("sue", "importOpen", {}));
    for (const late of [
      given("carl", "importEdit", { seq: 2, text: "x", at: 1 }),
      given("carl", "importDelete", { seq: 2, at: 1 }),
      given("carl", "importReaction", { seq: 2, emoji: "+1", at: 1 }),
      given("carl", "importRating", { score: 1, at: 1 }),
    ])
      expect(world.give("s", late)).toMatchObject({ refusal: "SESSION_EXISTS" });
  });
});
