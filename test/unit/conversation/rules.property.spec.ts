import fc from "fast-check";
import type { Action, CommandParams } from "../../../actors/conversation/conversation.commands";
import type { EventType, StoredEvent } from "../../../actors/conversation/conversation.events";
import { standingChanges, toWire } from "../../../actors/conversation/conversation.events";
import { colleagueWroteAfter } from "../../../actors/conversation/conversation.decide";
import { type Desk, type SessionStatus, totalOf } from "../../../actors/conversation/conversation.session-state";
import {
  type ConversationState,
  emptyState,
  fold,
  LISTED_MEMBERS,
  standingIn,
} from "../../../actors/conversation/conversation.state";
import { fromSnapshot, toSnapshot } from "../../../actors/conversation/conversation.snapshot";
import { nextTimer } from "../../../actors/conversation/conversation.timers";
import { command, type Ended, type Order, Reference, World } from "./world";

interface Step {
  readonly id: string;
  readonly by: string;
  readonly order: Order;
  readonly note: boolean;
}

const CUSTOMERS = ["carl", "cora"];
const STAFF = ["ada", "ben", "sue"];
const USERS = [...CUSTOMERS, ...STAFF, "gil", "stranger"];
const CONVERSATIONS = ["s1", "s2", "s3", "group", "direct"];
const TOPICS = ["sales", "help"];

const user = fc.constantFrom(...USERS);
const topic = fc.constantFrom(...TOPICS);
const seq = fc.integer({ min: 1, max: 8 });
const reason = fc.constantFrom({}, { reason: "because" });
const emoji = fc.constantFrom("+1", "constructor");

const order = <A extends Action>(weight: number, action: A, params: fc.Arbitrary<CommandParams[A]>) => ({
  weight,
  arbitrary: params.map((given) => ({ action, params: given }) as Order),
});
const text = fc.constantFrom("hello", "bye");
/** Everything is on, and in reach. */
const DESK: Desk = {
  headStart: { class: 100, keyword: 10, rule: "urgent" },
  rules: {
    attendMs: 20,
    acceptMs: 10,
    warnMs: 30,
    expireMs: 90,
    closingMs: 200,
    noShowMs: 400,
    reopenMs: 1_000,
    offline: "keep",
    graceMs: 10,
  },
};
const baseSeq = fc.integer({ min: 0, max: 12 });
const members = fc.subarray(USERS, { minLength: 1 });
/** Nothing but the end of all sessions. */
const LASTING: Desk = {
  headStart: { class: 0 },
  rules: { closingMs: 200, noShowMs: 400, reopenMs: 1_000, offline: "keep", graceMs: 10 },
};
/** A session that ended elsewhere, before anything here began. */
const IMPORTED: CommandParams["importSession"] = {
  ...{
    at: 1,
    closedAt: 2,
    topic: "help",
    urgency: "low",
    customerId: "cora",
    agentIds: ["sue", "ben"],
    agentId: "ben",
  },
  ...{ source: "elsewhere", sourceId: "1", parties: [{ userId: "cora", id: "c" }], desk: LASTING },
};
const anOrder = fc.oneof(
  order(1, "open", fc.record({ topic, urgency: fc.constant("normal"), desk: fc.constantFrom(DESK, LASTING) })),
  order(6, "send", fc.record({ text, replyTo: seq, baseSeq, force: fc.boolean() }, { requiredKeys: ["text"] })),
  order(2, "edit", fc.record({ seq, text })),
  order(1, "delete", fc.record({ seq })),
  order(3, "react", fc.record({ seq, emoji, on: fc.boolean() })),
  order(1, "join", fc.constant({})),
  order(2, "invite", fc.record({ userId: user })),
  order(1, "leave", fc.constant({})),
  order(4, "claim", reason),
  order(1, "claim", fc.constant({ takeover: true })),
  order(2, "push", fc.record({ agentId: fc.constantFrom("ada", "ben"), slot: fc.integer({ min: 1, max: 2 }) })),
  order(4, "attend", fc.constant({})),
  order(3, "decline", reason),
  order(6, "reopen", fc.constantFrom({}, { desk: LASTING })),
  order(4, "rate", fc.record({ score: fc.integer({ min: 1, max: 5 }), comment: text })),
  order(1, "reclassify", fc.record({ urgency: fc.constant("high"), headStart: fc.record({ class: seq }) })),
  order(9, "due", fc.record({ kind: fc.constant("warn" as const), dueAt: seq })),
  order(1, "return", reason),
  order(5, "transfer", fc.record({ to: fc.record({ agentId: user }) })),
  order(2, "transfer", fc.record({ to: fc.record({ topic }), note: text })),
  order(3, "close", reason),
  order(1, "importSession", fc.constant(IMPORTED)),
  order(1, "importMessage", fc.record({ at: seq, text, replyTo: seq }, { requiredKeys: ["at", "text"] })),
  order(1, "importEdit", fc.record({ at: seq, seq, text })),
  order(1, "importDelete", fc.record({ at: seq, seq })),
  order(1, "importReaction", fc.record({ at: seq, seq, emoji })),
  order(1, "importRating", fc.record({ at: seq, score: fc.integer({ min: 1, max: 5 }) })),
  order(1, "importOpen", fc.constant({})),
  order(1, "create", fc.record({ kind: fc.constant("group" as const), title: text, members })),
);
const step: fc.Arbitrary<Step> = fc.record({
  id: fc.constantFrom(...CONVERSATIONS),
  by: user,
  order: anOrder,
  note: fc.boolean(),
});
const history = fc.array(step, { minLength: 5, maxLength: 60 });

/** Who has said something before the steps begin: targets for edits, deletions and reactions. */
const SPEAKERS = [
  ["s1", "carl"],
  ["s1", "ada"],
  ["s1", "sue"],
  ["group", "ada"],
  ["group", "gil"],
  ["direct", "carl"],
] as const;

const REACTIONS = [
  ["s1", "carl", 5],
  ["s1", "ada", 4],
  ["s1", "sue", 6],
  ["group", "gil", 2],
  ["group", "ben", 2],
] as const;

/** A world in which there is something to act on, then the steps; `look` sees what each came to. */
function play(
  steps: readonly Step[],
  look: (world: World, id: string, ended: Ended, before: ConversationState) => void,
) {
  const world = new World();
  world.give("s1", command("carl", "open", { topic: "sales", urgency: "high", subject: "Shoes", desk: DESK }));
  world.give("s2", command("cora", "open", { topic: "help", urgency: "low", desk: LASTING }));
  world.give("direct", command("carl", "create", { kind: "direct", members: ["gil"] }));
  world.give("group", command("ada", "create", { kind: "group", members: ["ben", "gil"] }));
  world.give("s1", command("ada", "claim", {}));
  world.give("s1", command("sue", "join", {}));
  for (const [id, by] of SPEAKERS) world.give(id, command(by, "send", { text: "Hello" }), by === "sue");
  world.give("group", command("gil", "delete", { seq: 3 }));
  for (const [id, by, seq] of REACTIONS) world.give(id, command(by, "react", { seq, emoji: "+1", on: true }));
  for (const { id, by, order, note } of steps) {
    const before = world.state(id);
    const timer = order.action === "due" ? nextTimer(before) : undefined;
    const giver = timer && by !== "stranger" ? "sue" : by;
    if (timer && note) world.read.set(`${id}/${before.session?.agentId ?? ""}`, before.seq);
    look(world, id, world.give(id, command(giver, order.action, timer ?? order.params), note), before);
  }
  return world;
}

const holds = (look: Parameters<typeof play>[1], end: (world: World) => void = () => undefined) =>
  fc.assert(
    fc.property(history, (steps) => end(play(steps, look))),
    { numRuns: 150 },
  );

const nothing = (): void => undefined;
const eventOf = (ended: Ended): StoredEvent | undefined =>
  typeof ended === "object" && "event" in ended ? ended.event : undefined;

describe("any sequence of commands", () => {
  it("makes a log without gaps", () => {
    holds(nothing, (world) => {
      for (const log of world.logs.values()) expect(log.map(({ seq }) => seq)).toEqual(log.map((_, at) => at + 1));
    });
  });

  it("leaves a state that is the fold of the log, and changes nothing else", () => {
    holds((world, id, ended, before) => {
      if (eventOf(ended)) expect(world.state(id)).toEqual(fold(emptyState(id), world.log(id)));
      else expect(world.state(id)).toEqual(before);
    });
  });

  it("counts and lists the members as the log does", () => {
    holds((world, id) => {
      const reference = new Reference(world.log(id));
      expect(world.state(id).memberCount).toBe(reference.members.length);
      for (const userId of USERS) expect(standingIn(world.state(id), userId)).toBe(reference.standing(userId));
    });
  });

  it("changes standings exactly as the event says", () => {
    holds((world, id, ended, before) => {
      const event = eventOf(ended);
      if (!event) return;
      const last = new Map(standingChanges(event).map(({ userId, standing }) => [userId, standing]));
      for (const userId of USERS)
        expect(standingIn(world.state(id), userId)).toBe(last.get(userId) ?? standingIn(before, userId));
    });
  });

  it("lets nobody act on, and nobody see, what is not theirs", () => {
    holds((_world, _id, ended, before) => {
      const event = eventOf(ended);
      if (!event || before.seq === 0) return;
      const may = standingIn(before, event.by) !== "none";
      const entering = ["session.assigned", "member.joined"].includes(event.type);
      expect(may || entering || event.by === "sue").toBe(true);
    });
  });

  it("gives each audience a chain of its own without a hole", () => {
    holds(nothing, (world) => {
      for (const log of world.logs.values()) {
        for (const viewer of ["all", "staff"] as const) {
          const seen = new Reference(log).visible(viewer).map((event) => toWire(event, viewer));
          expect(seen.map(({ prevSeq }) => prevSeq)).toEqual([0, ...seen.map(({ seq }) => seq)].slice(0, seen.length));
        }
      }
    });
  });

  it("shows an event about another event to nobody who may not see that one", () => {
    holds((world, id, ended) => {
      const event = eventOf(ended);
      if (event?.about === undefined) return;
      const target = world.log(id)[Number(event.about.split("/")[1]) - 1];
      expect(event.audience).toBe(target?.audience);
    });
  });

  it("has one open session per key, and per customer and topic", () => {
    holds((world) => {
      const open = [...world.states.values()].flatMap(({ session }) =>
        session && session.status !== "closed" ? [session] : [],
      );
      const names = open.map(({ customerId, topic }) => `${customerId} ${topic}`);
      expect(new Set(names).size).toBe(names.length);
      const keys = open.map(({ openKey }) => openKey);
      expect(keys.map((key) => key.split("/").slice(1, 3).join(" "))).toEqual(names);
    });
  });

  it("takes each key once and ends it at most once, and only by its holder", () => {
    holds(nothing, (world) => {
      const everything = [...world.logs.values()].flat();
      const keys = everything.flatMap(({ key }) => key ?? []);
      expect(new Set(keys).size).toBe(keys.length);
      const ends = everything.flatMap(({ endsOpen, conversationId }) =>
        endsOpen ? [{ endsOpen, conversationId }] : [],
      );
      expect(new Set(ends.map(({ endsOpen }) => endsOpen)).size).toBe(ends.length);
      for (const { endsOpen, conversationId } of ends)
        expect(everything.find(({ key }) => key === endsOpen)?.conversationId).toBe(conversationId);
    });
  });

  it("gives a session at most one agent, who is of its staff, and none while it waits", () => {
    holds((world, id) => {
      const { session } = world.state(id);
      if (!session) return;
      const { status, agentId } = session;
      if (status === "assigned") expect(agentId).toBeDefined();
      if (status === "unassigned") expect(agentId).toBeUndefined();
      if (agentId !== undefined) expect(standingIn(world.state(id), agentId)).toBe("staff");
      expect(standingIn(world.state(id), session.customerId)).toBe("all");
    });
  });

  it("ranks a session by when it entered and its head start, whoever has had it", () => {
    holds((world, id, ended, before) => {
      const { session } = world.state(id);
      if (!session) return;
      expect(session.rank).toBe(session.enteredAt - totalOf(session.headStart));
      const type = eventOf(ended)?.type;
      if (type !== "session.reopened" && before.session) expect(session.enteredAt).toBe(before.session.enteredAt);
    });
  });

  it("takes a slot for who was pushed a session, and gives it up with the session", () => {
    holds(nothing, (world) => {
      const events = [...world.logs.values()].flat();
      const ended = events.flatMap(({ endsSlot }) => (endsSlot === undefined ? [] : [endsSlot]));
      const taken = events.flatMap(({ key }) => (key?.startsWith("slot/") ? [key] : []));
      const held = [...world.states.values()].flatMap(({ session }) => session?.slotKey ?? []);
      expect(new Set(taken).size).toBe(taken.length);
      expect([...ended, ...held].sort()).toEqual(taken.sort());
      const slots = held.map((key) => key.slice(0, key.lastIndexOf("/")));
      expect(new Set(slots).size).toBe(slots.length);
    });
  });

  it("always has a next timer while it is not closed, which takes effect once", () => {
    holds((world, id, ended, before) => {
      const state = world.state(id);
      if (!state.session) return;
      const timer = nextTimer(state);
      expect(timer === undefined).toBe(state.session.status === "closed");
      if (eventOf(ended)?.request === "due") expect(timer).not.toEqual(nextTimer(before));
    });
  });

  it("moves a session only along its life, and a closed one back into the queue alone", () => {
    const NEXT: Record<SessionStatus, readonly SessionStatus[]> = {
      unassigned: ["unassigned", "assigned", "closing", "closed"],
      assigned: ["assigned", "unassigned", "closing", "closed"],
      closing: ["closing", "closed"],
      closed: ["closed", "unassigned"],
    };
    holds((_world, _id, ended, before) => {
      const event = eventOf(ended);
      if (!event?.session || !before.session) return;
      expect(NEXT[before.session.status]).toContain(event.session.status);
    });
  });

  it("tells a stale view from the two latest authors as from the whole log", () => {
    holds(nothing, (world) => {
      for (const [id, state] of world.states) {
        const reference = new Reference(world.log(id));
        for (const by of STAFF)
          for (const seq of [0, 2, 5, state.seq - 1])
            expect(colleagueWroteAfter(state, by, seq)).toBe(reference.colleagueWrote(by, seq));
      }
    });
  });

  it("is the same from a snapshot at any point and the later events", () => {
    holds(nothing, (world) => {
      for (const [id, log] of world.logs) {
        for (let at = 1; at <= log.length; at++) {
          const snapshot = toSnapshot(fold(emptyState(id), log.slice(0, at)));
          const restored = fromSnapshot(JSON.parse(JSON.stringify(snapshot)) as typeof snapshot);
          expect(fold(restored, log.slice(at))).toEqual(world.state(id));
        }
      }
    });
  });

  it("reaches every type of event, every kind of answer and both audiences", () => {
    const ALL: Record<EventType, true> = {
      "conversation.created": true,
      "message.created": true,
      "message.edited": true,
      "message.deleted": true,
      "reaction.added": true,
      "reaction.removed": true,
      "member.joined": true,
      "member.left": true,
      "session.opened": true,
      "session.imported": true,
      "session.assigned": true,
      "session.transferred": true,
      "session.returned": true,
      "session.attended": true,
      "session.bounced": true,
      "session.reclassified": true,
      "session.warned": true,
      "session.closing": true,
      "session.closed": true,
      "session.reopened": true,
      "session.rated": true,
    };
    const reached = new Set<string>();
    fc.assert(
      fc.property(history, (steps) => {
        play(steps, (_world, _id, ended) => {
          const event = eventOf(ended);
          if (event) reached.add(event.type).add(event.audience);
          else if (typeof ended === "object" && "refusal" in ended) reached.add(ended.refusal);
          else reached.add("noop");
        });
      }),
      { numRuns: 2_000, seed: 7 },
    );
    const answers = ["noop", "NOT_FOUND", "FORBIDDEN", "SESSION_TAKEN", "SESSION_CLOSED", "SESSION_EXISTS"];
    const more = ["STALE_VIEW", "MESSAGE_DELETED", "LIMIT_REACHED", "VALIDATION", "SESSION_NOT_ASSIGNED"];
    for (const name of [...Object.keys(ALL), "all", "staff", ...answers, ...more]) expect([...reached]).toContain(name);
  });
});

describe("a large group", () => {
  const NAMES = Array.from({ length: LISTED_MEMBERS + 10 }, (_, i) => `member${i}`);
  const name = fc.constantFrom(...NAMES.slice(0, 3), ...NAMES.slice(-12));
  const change = fc.record({ by: name, userId: name, leaves: fc.boolean() });
  const changes = fc.array(change, { minLength: 1, maxLength: 40 });
  const initial = fc.integer({ min: LISTED_MEMBERS - 3, max: LISTED_MEMBERS + 3 });

  /** Leaves while the list is whole; then the conversation becomes large. */
  const leftBefore = [
    { by: "member0", userId: "", leaves: true },
    ...["member106", "member109", "member104"].map((userId) => ({ by: "member2", userId, leaves: false })),
  ];

  it("crosses the bound of the list in both directions, and from any snapshot the standings stay true", () => {
    fc.assert(
      fc.property(initial, changes, fc.nat(), (count, steps, cut) => {
        const world = new World();
        const [first = "", ...others] = NAMES.slice(0, count);
        world.give("g", command(first, "create", { kind: "group", members: others }));
        for (const { by, userId, leaves } of steps)
          world.give("g", leaves ? command(by, "leave", {}) : command(by, "invite", { userId }));
        const log = world.log("g");
        const reference = new Reference(log);
        expect(world.state("g").memberCount).toBe(reference.members.length);

        const at = 1 + (cut % log.length);
        const snapshot = toSnapshot(fold(emptyState("g"), log.slice(0, at)));
        const restored = fold(fromSnapshot(snapshot), log.slice(at));
        const documents = new Reference(log.slice(0, at));
        expect(restored.memberCount).toBe(reference.members.length);
        for (const userId of NAMES)
          expect(standingIn(restored, userId) ?? documents.standing(userId)).toBe(reference.standing(userId));
      }),
      { numRuns: 300, examples: [[LISTED_MEMBERS - 1, leftBefore, 0]] },
    );
  });
});

describe("a race of claims", () => {
  it("has exactly one winner, whom all others are told", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 50 }), (agents) => {
        const world = new World();
        world.give("s", command("the customer", "open", { topic: "sales", urgency: "normal" }));
        const [winner, ...losers] = agents.map((agent) => world.give("s", command(agent, "claim", {})));
        expect(winner).toHaveProperty("event.data.agentId", agents[0]);
        for (const loser of losers) expect(loser).toEqual({ refusal: "SESSION_TAKEN", data: { agentId: agents[0] } });
      }),
      { numRuns: 50 },
    );
  });
});
