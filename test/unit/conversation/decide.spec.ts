import { MAX_CHANGES } from "../../../actors/conversation/conversation.target";
import type { StoredEvent } from "../../../actors/conversation/conversation.events";
import type { SessionState } from "../../../actors/conversation/conversation.session-state";
import { LISTED_MEMBERS } from "../../../actors/conversation/conversation.state";
import { nextTimer } from "../../../actors/conversation/conversation.timers";
import { command, type Ended, LIMITS, type Order, World } from "./world";

/** A world of one support session (carl; ada serves it, sue has joined), one group and one direct conversation. */
class Desk extends World {
  constructor() {
    super();
    this.does("carl", "session", { action: "open", params: { topic: "sales", urgency: "normal", subject: "Shoes" } });
    this.does("ada", "group", { action: "create", params: { kind: "group", title: "Team", members: ["ben", "gil"] } });
    this.does("ada", "direct", { action: "create", params: { kind: "direct", members: ["ben"] } });
  }

  does(by: string, id: string, { action, params }: Order, note = false): Ended {
    return this.give(id, command(by, action, params), note);
  }

  claimed(): this {
    this.does("ada", "session", { action: "claim", params: {} });
    return this;
  }

  closed(): this {
    this.claimed().does("ada", "session", { action: "close", params: { reason: "solved" } });
    return this;
  }

  /** The next timer of the session takes effect. */
  elapses(by = "sue"): Ended {
    const timer = nextTimer(this.state("session"));
    return this.does(by, "session", { action: "due", params: timer ?? { kind: "no-show", dueAt: 0 } });
  }

  get session(): SessionState | undefined {
    return this.state("session").session;
  }
}

const claim: Order = { action: "claim", params: {} };
const giveBack: Order = { action: "return", params: {} };
const close: Order = { action: "close", params: {} };
const join: Order = { action: "join", params: {} };
const leave: Order = { action: "leave", params: {} };
const send = (text: string, more: { replyTo?: number; baseSeq?: number; force?: boolean } = {}): Order => ({
  action: "send",
  params: { text, ...more },
});
const edit = (seq: number): Order => ({ action: "edit", params: { seq, text: "better" } });
const remove = (seq: number): Order => ({ action: "delete", params: { seq } });
const react = (seq: number, emoji = "+1", on = true): Order => ({ action: "react", params: { seq, emoji, on } });
const invite = (userId: string): Order => ({ action: "invite", params: { userId } });
const open = (topic: string): Order => ({ action: "open", params: { topic, urgency: "normal" } });
const toAgent = (agentId: string): Order => ({ action: "transfer", params: { to: { agentId }, note: "yours" } });
const toTopic = (topic: string): Order => ({ action: "transfer", params: { to: { topic } } });

const made = (ended: Ended): unknown => (typeof ended === "object" && "event" in ended ? ended.event.type : ended);
const refused = (refusal: string) => expect.objectContaining({ refusal }) as unknown;

/** One more edit of message 2, put into the log past the rules. */
function changeOf(desk: Desk, i: number): StoredEvent {
  const [, message] = desk.log("group");
  if (!message) throw new Error("no message");
  return { ...message, _id: `edit-${i}`, type: "message.edited", about: "group/2", data: { seq: 2, text: "again" } };
}

describe("who is no member, and what does not exist", () => {
  it.each<[string, Order]>([
    ["send", send("hello")],
    ["edit", edit(1)],
    ["delete", remove(1)],
    ["react", react(1)],
    ["invite", invite("eve")],
    ["leave", leave],
    ["join", join],
    ["close", close],
  ])("%s is NOT_FOUND alike", (_name, order) => {
    const desk = new Desk();
    const forbidden = desk.does("eve", "session", order);
    expect(forbidden).toEqual({ refusal: "NOT_FOUND" });
    expect(desk.does("eve", "nowhere", order)).toEqual(forbidden);
    expect(desk.does("eve", "group", order)).toEqual(forbidden);
  });

  it("may not act on a session of a group", () => {
    for (const order of [claim, giveBack, close, toAgent("ben")])
      expect(new Desk().does("ada", "group", order)).toEqual({ refusal: "NOT_FOUND" });
  });
});

describe("opening and creating", () => {
  it("takes the key of the customer and topic", () => {
    const [opened] = new Desk().log("session");
    expect(opened).toMatchObject({ type: "session.opened", key: "open/carl/sales/0000000001" });
    expect(opened?.session).toMatchObject({ status: "unassigned", customerId: "carl", subject: "Shoes" });
  });

  it("is SESSION_EXISTS, with that session, while one of the topic is open", () => {
    const desk = new Desk();
    const exists = { refusal: "SESSION_EXISTS", data: { sessionId: "session" } };
    expect(desk.does("carl", "second", open("sales"))).toEqual(exists);
    expect(made(desk.does("carl", "other topic", open("help")))).toBe("session.opened");
    expect(made(desk.does("cora", "other customer", open("sales")))).toBe("session.opened");
  });

  it("takes the next generation of the key once the session is closed", () => {
    const desk = new Desk().closed();
    expect(desk.does("carl", "second", open("sales"))).toHaveProperty("event.key", "open/carl/sales/0000000002");
  });

  it("of what exists changes nothing", () => {
    const desk = new Desk();
    expect(desk.does("carl", "session", open("sales"))).toBe("noop");
    expect(desk.does("ben", "group", { action: "create", params: { kind: "group", members: ["eve"] } })).toBe("noop");
  });

  it("has the creator and everybody once as members, up to the limit", () => {
    const desk = new Desk();
    const members = (count: number) => Array.from({ length: count }, (_, i) => `member${i}`);
    const create = (members: string[]): Order => ({ action: "create", params: { kind: "group", members } });
    desk.does("ada", "twice", create(["ben", "ada", "ben"]));
    expect(desk.state("twice").memberCount).toBe(2);
    expect(made(desk.does("ada", "full", create(members(LIMITS.members - 1))))).toBe("conversation.created");
    const limit = { refusal: "LIMIT_REACHED", data: { limit: LIMITS.members } };
    expect(desk.does("ada", "too many", create(members(LIMITS.members)))).toEqual(limit);
  });
});

describe("sending", () => {
  it("is the customer's right while the session waits, is served, and is closing", () => {
    const desk = new Desk();
    expect(made(desk.does("carl", "session", send("hello")))).toBe("message.created");
    desk.claimed().elapses();
    expect(made(desk.does("carl", "session", send("still there?")))).toBe("message.created");
    expect(desk.session?.status).toBe("closing");
  });

  it("is SESSION_CLOSED afterwards", () => {
    const desk = new Desk().closed();
    expect(desk.does("carl", "session", send("wait"))).toEqual({ refusal: "SESSION_CLOSED" });
    expect(desk.does("ada", "session", send("bye"))).toEqual({ refusal: "SESSION_CLOSED" });
  });

  it("carries what was given and nothing else", () => {
    const desk = new Desk();
    const attachments = [{ url: "https://example.org/a.png" }];
    const params = { attachments, replyTo: 2, baseSeq: 0, force: true };
    desk.does("ada", "group", send("first"));
    const sent = desk.does("ben", "group", { action: "send", params });
    expect(sent).toHaveProperty("event.data", { attachments, replyTo: 2 });
  });

  it("may reply to messages that exist and may be seen only", () => {
    const desk = new Desk().claimed();
    desk.does("ada", "session", send("a note"), true);
    expect(made(desk.does("ada", "session", send("yes", { replyTo: 3 })))).toBe("message.created");
    for (const replyTo of [1, 3, 99])
      expect(desk.does("carl", "session", send("what?", { replyTo }))).toEqual({ refusal: "NOT_FOUND" });
  });

  it("is STALE_VIEW with the missed events when a colleague wrote after what the sender saw", () => {
    const desk = new Desk().claimed();
    desk.does("sue", "session", join);
    desk.does("carl", "session", send("help"));
    desk.does("sue", "session", send("on it"));
    const stale = desk.does("ada", "session", send("how can I help?", { baseSeq: 4 }));
    expect(stale).toMatchObject({ refusal: "STALE_VIEW", data: { events: [{ seq: 5, prevSeq: 4, by: "sue" }] } });
    expect(made(desk.does("ada", "session", send("on it too", { baseSeq: 4, force: true })))).toBe("message.created");
    expect(made(desk.does("sue", "session", send("more", { baseSeq: 6 })))).toBe("message.created");
  });

  it("is never stale for one's own writing, the customer's, or a customer", () => {
    const desk = new Desk().claimed();
    desk.does("ada", "session", send("one"));
    desk.does("carl", "session", send("two"));
    expect(made(desk.does("ada", "session", send("three", { baseSeq: 0 })))).toBe("message.created");
    expect(made(desk.does("carl", "session", send("four", { baseSeq: 0 })))).toBe("message.created");
  });
});

describe("changing a message", () => {
  it("is for its author only: FORBIDDEN", () => {
    const desk = new Desk().claimed();
    desk.does("carl", "session", send("hello"));
    expect(desk.does("ada", "session", edit(3))).toEqual({ refusal: "FORBIDDEN" });
    expect(desk.does("ada", "session", remove(3))).toEqual({ refusal: "FORBIDDEN" });
    expect(made(desk.does("carl", "session", edit(3)))).toBe("message.edited");
    expect(made(desk.does("carl", "session", remove(3)))).toBe("message.deleted");
  });

  it("is NOT_FOUND for what is no message, or one the caller may not see", () => {
    const desk = new Desk().claimed();
    desk.does("ada", "session", send("a note"), true);
    for (const seq of [1, 3, 99])
      for (const order of [edit(seq), remove(seq), react(seq)])
        expect(desk.does("carl", "session", order)).toEqual({ refusal: "NOT_FOUND" });
  });

  it("is MESSAGE_DELETED once it is deleted", () => {
    const desk = new Desk();
    desk.does("ada", "group", send("hello"));
    desk.does("ada", "group", remove(2));
    for (const order of [edit(2), remove(2), react(2)])
      expect(desk.does("ada", "group", order)).toEqual({ refusal: "MESSAGE_DELETED" });
  });

  it("is SESSION_CLOSED after the session, except to delete it", () => {
    const desk = new Desk().claimed();
    desk.does("carl", "session", send("my number is 1234"));
    desk.does("ada", "session", close);
    expect(desk.does("carl", "session", edit(3))).toEqual({ refusal: "SESSION_CLOSED" });
    expect(desk.does("carl", "session", react(3))).toEqual({ refusal: "SESSION_CLOSED" });
    expect(made(desk.does("carl", "session", remove(3)))).toBe("message.deleted");
  });

  it("is seen by whoever may see the message", () => {
    const desk = new Desk().claimed();
    desk.does("ada", "session", send("a note"), true);
    desk.does("sue", "session", join);
    expect(desk.does("ada", "session", edit(3))).toHaveProperty("event.audience", "staff");
    expect(desk.does("sue", "session", react(3))).toMatchObject({
      event: { audience: "staff", about: "session/3", prevSeq: { all: 4, staff: 5 } },
    });
  });
});

describe("a reaction", () => {
  it("is added once and taken back once; again is no change", () => {
    const desk = new Desk();
    desk.does("ada", "group", send("hello"));
    const ends = [react(2), react(2), react(2, "+1", false), react(2, "+1", false)].map((order) =>
      made(desk.does("ben", "group", order)),
    );
    expect(ends).toEqual(["reaction.added", "noop", "reaction.removed", "noop"]);
  });

  it("is LIMIT_REACHED when the message has too many; taking one back makes room", () => {
    const desk = new Desk();
    desk.does("ada", "group", send("hello"));
    desk.does("ben", "group", react(2, "a"));
    desk.does("gil", "group", react(2, "b"));
    expect(desk.does("ada", "group", react(2, "c"))).toEqual({ refusal: "LIMIT_REACHED", data: { limit: 2 } });
    desk.does("ben", "group", react(2, "a", false));
    expect(made(desk.does("ada", "group", react(2, "c")))).toBe("reaction.added");
  });
});

describe("a message with very many changes", () => {
  it("is LIMIT_REACHED for more of them, but is deleted and freed of reactions all the same", () => {
    const desk = new Desk();
    desk.does("ada", "group", send("hello"));
    desk.does("ben", "group", react(2));
    for (let i = 1; i < MAX_CHANGES; i++) desk.log("group").push(changeOf(desk, i));
    const limit = { refusal: "LIMIT_REACHED", data: { limit: MAX_CHANGES } };
    expect(desk.does("ada", "group", edit(2))).toEqual(limit);
    expect(desk.does("gil", "group", react(2))).toEqual(limit);
    expect(made(desk.does("ben", "group", react(2, "+1", false)))).toBe("reaction.removed");
    expect(made(desk.does("ada", "group", remove(2)))).toBe("message.deleted");
  });
});

describe("membership", () => {
  it("of a group grows by invitation of a member, up to the limit", () => {
    const desk = new Desk();
    expect(desk.does("ben", "group", invite("gil"))).toBe("noop");
    for (let i = desk.state("group").memberCount; i < LIMITS.members; i++) desk.does("ada", "group", invite(`m${i}`));
    expect(desk.does("m50", "group", invite("one more"))).toEqual({
      refusal: "LIMIT_REACHED",
      data: { limit: LIMITS.members },
    });
    expect(made(desk.does("m50", "group", leave))).toBe("member.left");
    expect(made(desk.does("m51", "group", invite("one more")))).toBe("member.joined");
  });

  it("of a session or a direct conversation does not: FORBIDDEN", () => {
    expect(new Desk().does("carl", "session", invite("eve"))).toEqual({ refusal: "FORBIDDEN" });
    expect(new Desk().does("ada", "direct", invite("eve"))).toEqual({ refusal: "FORBIDDEN" });
  });

  it("of any session is a supervisor's, as staff; of a group it is not", () => {
    const desk = new Desk();
    expect(desk.does("sue", "session", join)).toHaveProperty("event.data", { userId: "sue", standing: "staff" });
    expect(desk.does("sue", "session", join)).toBe("noop");
    expect(desk.does("sue", "group", join)).toEqual({ refusal: "NOT_FOUND" });
    expect(made(desk.does("sue", "session", leave))).toBe("member.left");
    expect(desk.does("sue", "session", send("hello"))).toEqual({ refusal: "NOT_FOUND" });
  });

  it("of a session is bounded so that its state lists everybody", () => {
    const desk = new Desk();
    const supervisor = (i: number) => ({ ...command(`sue${i}`, "join", {}), supervises: true });
    for (let i = 1; i < LISTED_MEMBERS; i++) desk.give("session", supervisor(i));
    const limit = { refusal: "LIMIT_REACHED", data: { limit: LISTED_MEMBERS } };
    expect(desk.give("session", supervisor(0))).toEqual(limit);
    desk.claimed();
    expect(desk.state("session")).toMatchObject({ listed: true, memberCount: LISTED_MEMBERS + 1 });
    desk.does("ada", "session", giveBack);
    expect(desk.state("session").memberCount).toBe(LISTED_MEMBERS);
  });

  it("is left by nobody who is a party to it: FORBIDDEN", () => {
    const desk = new Desk().claimed();
    expect(desk.does("carl", "session", leave)).toEqual({ refusal: "FORBIDDEN" });
    expect(desk.does("ada", "session", leave)).toEqual({ refusal: "FORBIDDEN" });
    expect(desk.does("ada", "direct", leave)).toEqual({ refusal: "FORBIDDEN" });
  });
});

describe("a session", () => {
  it("is claimed by one; another gets SESSION_TAKEN with who has it; again is no change", () => {
    const desk = new Desk();
    expect(made(desk.does("ada", "session", claim))).toBe("session.assigned");
    expect(desk.session).toMatchObject({ status: "assigned", agentId: "ada" });
    expect(desk.does("ben", "session", claim)).toEqual({ refusal: "SESSION_TAKEN", data: { agentId: "ada" } });
    expect(desk.does("ada", "session", claim)).toBe("noop");
  });

  it("is not served by its own customer", () => {
    expect(new Desk().does("carl", "session", claim)).toEqual({ refusal: "FORBIDDEN" });
    expect(new Desk().claimed().does("ada", "session", toAgent("carl"))).toEqual(refused("VALIDATION"));
  });

  it("is given back by its agent or a supervisor, who then is out of it", () => {
    const desk = new Desk();
    expect(desk.does("ada", "session", giveBack)).toEqual({ refusal: "SESSION_NOT_ASSIGNED" });
    expect(desk.does("sue", "session", giveBack)).toEqual({ refusal: "SESSION_NOT_ASSIGNED" });
    desk.claimed();
    expect(desk.does("ben", "session", giveBack)).toEqual({ refusal: "NOT_FOUND" });
    expect(made(desk.does("sue", "session", giveBack))).toBe("session.returned");
    expect(desk.session).toMatchObject({ status: "unassigned" });
    expect(desk.session).not.toHaveProperty("agentId");
    expect(desk.does("ada", "session", send("hello?"))).toEqual({ refusal: "NOT_FOUND" });
  });

  it("is transferred to another agent, and the one before is out of it", () => {
    const desk = new Desk();
    expect(desk.does("ada", "session", toAgent("ben"))).toEqual({ refusal: "SESSION_NOT_ASSIGNED" });
    desk.claimed();
    expect(desk.does("ada", "session", toAgent("ada"))).toEqual(refused("VALIDATION"));
    const transferred = desk.does("ada", "session", toAgent("ben"));
    expect(transferred).toHaveProperty("event.data", { from: "ada", agentId: "ben", note: "yours" });
    expect(desk.does("ada", "session", send("hello?"))).toEqual({ refusal: "NOT_FOUND" });
    expect(made(desk.does("ben", "session", send("hello!")))).toBe("message.created");
  });

  it("is transferred to another topic with its key, and waits there", () => {
    const desk = new Desk().claimed();
    expect(desk.does("ada", "session", toTopic("sales"))).toEqual(refused("VALIDATION"));
    expect(desk.does("ada", "session", toTopic("help"))).toMatchObject({
      event: { key: "open/carl/help/0000000001", endsOpen: "open/carl/sales/0000000001" },
    });
    expect(desk.session).toMatchObject({ status: "unassigned", topic: "help", openKey: "open/carl/help/0000000001" });
    expect(made(desk.does("carl", "second", open("sales")))).toBe("session.opened");
    desk.claimed();
    const exists = { refusal: "SESSION_EXISTS", data: { sessionId: "second" } };
    expect(desk.does("ada", "session", toTopic("sales"))).toEqual(exists);
  });

  it("is closed by its customer, its agent or a supervisor, and its key is given up", () => {
    for (const by of ["carl", "ada", "sue"]) {
      const desk = new Desk().claimed();
      expect(desk.does("ben", "session", close)).toEqual({ refusal: "NOT_FOUND" });
      expect(desk.does(by, "session", close)).toHaveProperty("event.endsOpen", "open/carl/sales/0000000001");
      expect(desk.does(by, "session", close)).toEqual({ refusal: "SESSION_CLOSED" });
    }
  });

  it("that is closed can be neither claimed, given back nor transferred", () => {
    const desk = new Desk().closed();
    expect(desk.session).toMatchObject({ status: "closed", closeReason: "solved", agentId: "ada" });
    for (const order of [claim, giveBack, toAgent("ben"), toTopic("help")])
      expect(desk.does("ada", "session", order)).toEqual({ refusal: "SESSION_CLOSED" });
    expect(desk.does("ben", "session", giveBack)).toEqual({ refusal: "NOT_FOUND" });
    expect(desk.elapses()).toBe("noop");
  });

  it("begins to close by time only, keeps that status whoever serves it, and then closes", () => {
    const desk = new Desk().claimed();
    const closing: Order = { action: "due", params: nextTimer(desk.state("session")) ?? { kind: "warn", dueAt: 0 } };
    expect(desk.elapses("ada")).toEqual({ refusal: "NOT_FOUND" });
    expect(made(desk.elapses())).toBe("session.closing");
    expect(desk.does("sue", "session", closing)).toBe("noop");
    desk.does("ada", "session", toAgent("ben"));
    expect(desk.session).toMatchObject({ status: "closing", agentId: "ben" });
    desk.does("ben", "session", giveBack);
    expect(desk.session?.status).toBe("closing");
    expect(made(desk.does("carl", "session", close))).toBe("session.closed");
  });
});
