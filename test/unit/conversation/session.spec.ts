import type { CommandParams } from "../../../actors/conversation/conversation.commands";
import type { Audience, StoredEvent } from "../../../actors/conversation/conversation.events";
import { DEFAULT_RULES, type Desk, type SessionState } from "../../../actors/conversation/conversation.session-state";
import { nextTimer, type TimerKind } from "../../../actors/conversation/conversation.timers";
import { sessionView } from "../../../services/conversation-views";
import { command, type Ended, type Order, World } from "./world";

const desk = (rules: Partial<Desk["rules"]> = {}): Desk => ({
  headStart: { class: 1_000 },
  rules: { ...DEFAULT_RULES, ...rules },
});

/** One session of carl's; sue supervises, and speaks for the system. */
class Session extends World {
  constructor(rules: Partial<Desk["rules"]> = {}) {
    super();
    this.does("carl", { action: "open", params: { topic: "loan", urgency: "high", desk: desk(rules) } });
  }

  does(by: string, { action, params }: Order): Ended {
    return this.give("s", command(by, action, params));
  }

  says(by: string, text: string, more: Partial<CommandParams["send"]> = {}): Ended {
    return this.does(by, { action: "send", params: { text, ...more } });
  }

  /** What the next timer came to. */
  elapses(): Ended | undefined {
    const timer = nextTimer(this.state("s"));
    return timer && this.does("sue", { action: "due", params: timer });
  }

  get timer(): TimerKind | undefined {
    return nextTimer(this.state("s"))?.kind;
  }

  get current(): SessionState {
    const { session } = this.state("s");
    if (!session) throw new Error("there is no session");
    return session;
  }
}

const claim: Order = { action: "claim", params: {} };
const attend: Order = { action: "attend", params: {} };
const decline: Order = { action: "decline", params: {} };
const close: Order = { action: "close", params: {} };
const giveBack: Order = { action: "return", params: {} };
const reopen: Order = { action: "reopen", params: {} };
const push = (agentId: string, slot: number): Order => ({ action: "push", params: { agentId, slot } });
const toAgent = (agentId: string): Order => ({ action: "transfer", params: { to: { agentId } } });
const toTopic = (topic: string): Order => ({ action: "transfer", params: { to: { topic }, desk: desk() } });

function eventOf(ended: Ended | undefined): StoredEvent {
  if (typeof ended === "object" && "event" in ended) return ended.event;
  throw new Error(`made no event: ${JSON.stringify(ended)}`);
}

describe("a note", () => {
  it("is for the staff, and so is whatever answers it or is about it", () => {
    const session = new Session();
    session.does("ada", claim);
    const note = eventOf(session.says("ada", "careful", { audience: "staff" }));
    expect(note.audience).toBe("staff");
    expect(eventOf(session.says("ada", "why?", { replyTo: note.seq })).audience).toBe("staff");
    const reaction: Order = { action: "react", params: { seq: note.seq, emoji: "+1", on: true } };
    expect(eventOf(session.does("ada", reaction)).audience).toBe("staff");
    expect(session.state("s").lastMessage).toBeUndefined();
  });

  it("is no customer's, and a customer cannot answer one", () => {
    const session = new Session();
    session.does("ada", claim);
    const { seq } = eventOf(session.says("ada", "careful", { audience: "staff" }));
    expect(session.says("carl", "psst", { audience: "staff" })).toEqual({ refusal: "FORBIDDEN" });
    expect(session.says("carl", "what?", { replyTo: seq })).toEqual({ refusal: "NOT_FOUND" });
  });

  it("is a whisper when a supervisor says so", () => {
    const session = new Session();
    session.does("ada", claim);
    session.does("sue", { action: "join", params: {} });
    const whisper = eventOf(session.says("sue", "offer 5 %", { audience: "staff", whisper: true }));
    expect(whisper).toMatchObject({ audience: "staff", data: { whisper: true } });
    expect(session.says("ada", "ok", { audience: "staff", whisper: true })).toEqual({ refusal: "FORBIDDEN" });
    expect(session.says("sue", "loud", { whisper: true })).toEqual({ refusal: "FORBIDDEN" });
  });
});

describe("a push", () => {
  it("takes a slot of the agent, which the next one cannot have until it is given up", () => {
    const session = new Session();
    session.give("s2", command("cora", "open", { topic: "loan", urgency: "low" }));
    expect(eventOf(session.does("sue", push("ada", 1)))).toMatchObject({
      type: "session.assigned",
      key: "slot/ada/1/0000000001",
      data: { agentId: "ada", via: "push" },
    });
    const second = { agentId: "ada", slot: 1 };
    expect(session.give("s2", command("sue", "push", second))).toEqual({
      refusal: "LIMIT_REACHED",
      data: { limit: 1 },
    });
    expect(eventOf(session.does("ada", giveBack)).endsSlot).toBe("slot/ada/1/0000000001");
    expect(eventOf(session.give("s2", command("sue", "push", second))).key).toBe("slot/ada/1/0000000002");
  });

  it.each<[string, Order]>([
    ["closed", close],
    ["transferred to an agent", toAgent("ben")],
    ["transferred to a topic", toTopic("payment")],
    ["taken over", { action: "claim", params: { takeover: true } }],
  ])("gives the slot up when the session is %s", (_name, order) => {
    const session = new Session();
    session.does("sue", push("ada", 3));
    expect(eventOf(session.does(order.action === "claim" ? "sue" : "ada", order)).endsSlot).toBe(
      "slot/ada/3/0000000001",
    );
    expect(session.current.slotKey).toBeUndefined();
  });

  it("is the system's alone, and never of what somebody has or the customer's own", () => {
    const session = new Session();
    expect(session.does("ada", push("ada", 1))).toEqual({ refusal: "NOT_FOUND" });
    expect(session.does("sue", push("carl", 1))).toEqual({ refusal: "FORBIDDEN" });
    session.does("ada", claim);
    expect(session.does("sue", push("ben", 1))).toEqual({ refusal: "SESSION_TAKEN", data: { agentId: "ada" } });
    expect(session.does("sue", push("ada", 1))).toBe("noop");
  });
});

describe("an assignee who does not take a session up", () => {
  it("loses it to the queue, at its old place", () => {
    const session = new Session({ attendMs: 50 });
    const { rank } = session.current;
    session.does("ada", claim);
    expect(session.timer).toBe("attend");
    expect(eventOf(session.elapses())).toMatchObject({
      type: "session.returned",
      data: { from: "ada", reason: "unattended" },
    });
    expect(session.current).toMatchObject({ status: "unassigned", rank });
  });

  it.each<[string, (session: Session) => void]>([
    ["says so", (session) => session.does("ada", attend)],
    ["answers", (session) => session.says("ada", "hello")],
    ["writes a note", (session) => session.says("ada", "hm", { audience: "staff" })],
  ])("keeps it who %s", (_name, act) => {
    const session = new Session({ attendMs: 50 });
    session.does("ada", claim);
    act(session);
    expect(session.current.attendedAt).toBeDefined();
    expect(session.timer).toBe("closing");
  });

  it("keeps it who has read it by then", () => {
    const session = new Session({ attendMs: 50 });
    session.does("ada", claim);
    session.read.set("s/ada", session.state("s").seq);
    expect(eventOf(session.elapses())).toMatchObject({ type: "session.attended", audience: "staff" });
    expect(session.current).toMatchObject({ status: "assigned", agentId: "ada" });
  });

  it("gives it back to who handed it on, who has it as before", () => {
    const session = new Session({ attendMs: 500, acceptMs: 50 });
    session.does("ada", claim);
    session.does("ada", toAgent("ben"));
    expect(session.current).toMatchObject({ agentId: "ben", via: "transfer", formerAgentId: "ada" });
    expect(session.timer).toBe("accept");
    expect(eventOf(session.elapses())).toMatchObject({
      type: "session.bounced",
      data: { from: "ben", agentId: "ada" },
    });
    expect(session.current).toMatchObject({ agentId: "ada" });
    expect(session.timer).toBe("closing");
  });

  it("is given back by the system only while it is that agent who has it", () => {
    const session = new Session();
    session.does("ada", claim);
    session.does("ada", toAgent("ben"));
    const gone = (from: string): Order => ({ action: "return", params: { reason: "offline", from } });
    expect(session.does("sue", gone("ada"))).toBe("noop");
    expect(session.current.agentId).toBe("ben");
    expect(eventOf(session.does("sue", gone("ben"))).data).toEqual({ from: "ben", reason: "offline" });
  });

  it("may decline what was handed on, and nothing else", () => {
    const session = new Session({ acceptMs: 50 });
    session.does("ada", claim);
    expect(session.does("ada", decline)).toMatchObject({ refusal: "VALIDATION" });
    session.does("ada", toAgent("ben"));
    expect(session.does("eve", decline)).toEqual({ refusal: "NOT_FOUND" });
    expect(eventOf(session.does("ben", decline)).type).toBe("session.bounced");
    expect(session.current.agentId).toBe("ada");
  });
});

describe("time", () => {
  it("warns, then closes after silence; a message starts it anew and moves no timer", () => {
    const session = new Session({ warnMs: 60, expireMs: 120 });
    expect(session.timer).toBe("warn");
    const stale = nextTimer(session.state("s"));
    session.says("carl", "anybody?");
    if (stale) expect(session.does("sue", { action: "due", params: stale })).toBe("noop");
    const warned = eventOf(session.elapses());
    expect(warned.type).toBe("session.warned");
    expect(session.timer).toBe("expire");
    expect(warned.data).toEqual({ expiresAt: nextTimer(session.state("s"))?.dueAt });
    session.says("carl", "still here");
    expect(session.timer).toBe("warn");
    session.elapses();
    expect(eventOf(session.elapses())).toMatchObject({ type: "session.closed", data: { reason: "expired" } });
    expect(session.timer).toBeUndefined();
  });

  it("closes what nobody closed, slowly", () => {
    const session = new Session();
    expect(eventOf(session.elapses()).type).toBe("session.closing");
    expect(eventOf(session.elapses())).toMatchObject({ type: "session.closed", data: { reason: "no-show" } });
  });

  it("is the system's alone", () => {
    const session = new Session();
    const timer = nextTimer(session.state("s"));
    if (timer) expect(session.does("ada", { action: "due", params: timer })).toEqual({ refusal: "NOT_FOUND" });
  });
});

describe("a supervisor", () => {
  it("takes a session over, which an agent cannot", () => {
    const session = new Session();
    session.does("ada", claim);
    const takeover: Order = { action: "claim", params: { takeover: true } };
    expect(session.does("ben", takeover)).toEqual({ refusal: "FORBIDDEN" });
    expect(eventOf(session.does("sue", takeover)).data).toEqual({ agentId: "sue", via: "takeover", from: "ada" });
    expect(session.says("ada", "mine?")).toEqual({ refusal: "NOT_FOUND" });
  });
});

describe("after the end", () => {
  it("the customer rates, again if need be, and nobody else does", () => {
    const session = new Session();
    const rate: Order = { action: "rate", params: { score: 4, comment: "fine" } };
    expect(session.does("carl", rate)).toMatchObject({ refusal: "VALIDATION" });
    session.does("carl", close);
    expect(session.does("ada", rate)).toEqual({ refusal: "NOT_FOUND" });
    session.does("carl", rate);
    session.does("carl", { action: "rate", params: { score: 1 } });
    expect(session.current.rating).toEqual({ score: 1, at: expect.any(Number) as number });
  });

  it("reopens into the queue with a key of its own, and the former agent out", () => {
    const session = new Session({ reopenMs: 100 });
    const { openKey } = session.current;
    session.does("ada", claim);
    session.does("ada", close);
    const event = eventOf(session.does("carl", reopen));
    expect(event).toMatchObject({ type: "session.reopened", data: { from: "ada" } });
    expect(event.key).not.toBe(openKey);
    expect(session.current).toMatchObject({ status: "unassigned", openKey: event.key, lastAgentId: "ada" });
    expect(session.says("ada", "hello again")).toEqual({ refusal: "NOT_FOUND" });
    expect(session.timer).toBe("closing");
  });

  it("reopens with the times that the topic has by then", () => {
    const session = new Session({ reopenMs: 100 });
    session.does("carl", close);
    const desk = { headStart: { class: 7 }, rules: { ...session.current.rules, attendMs: 5 } };
    session.does("carl", { action: "reopen", params: { desk } });
    const { rules, rank, enteredAt } = session.current;
    expect([rules, enteredAt - rank]).toEqual([desk.rules, 7]);
  });

  it("does not reopen where nothing is, not even at once", () => {
    const session = new Session();
    const { reopenMs: _none, ...rules } = DEFAULT_RULES;
    session.give("s2", command("cora", "open", { topic: "loan", urgency: "low", desk: { ...desk(), rules } }));
    session.give("s2", command("cora", "close", {}));
    session.pass(-1);
    expect(session.give("s2", command("cora", "reopen", {}))).toEqual({ refusal: "SESSION_CLOSED" });
  });

  it("does not reopen when the time is over, another one is open, or it never ended", () => {
    const session = new Session({ reopenMs: 100 });
    expect(session.does("carl", reopen)).toMatchObject({ refusal: "SESSION_EXISTS" });
    session.does("carl", close);
    expect(session.does("eve", reopen)).toEqual({ refusal: "NOT_FOUND" });
    session.give("s2", command("carl", "open", { topic: "loan", urgency: "low" }));
    expect(session.does("carl", reopen)).toEqual({ refusal: "SESSION_EXISTS", data: { sessionId: "s2" } });
    session.pass(1_000);
    expect(session.does("carl", reopen)).toEqual({ refusal: "SESSION_CLOSED" });
  });
});

describe("the place in the queue", () => {
  it("is when it entered less its head start, and follows a new class", () => {
    const session = new Session();
    const { enteredAt } = session.current;
    expect(session.current.rank).toBe(enteredAt - 1_000);
    const order: Order = {
      action: "reclassify",
      params: { urgency: "urgent", headStart: { class: 5_000, rule: "fraud" } },
    };
    expect(session.does("ada", order)).toEqual({ refusal: "NOT_FOUND" });
    expect(eventOf(session.does("sue", order)).audience).toBe("staff");
    expect(session.current).toMatchObject({ urgency: "urgent", rank: enteredAt - 5_000 });
    expect(session.does("sue", order)).toBe("noop");
  });

  it("is lifted for the staff alone: its customer goes on seeing the urgency that they asked for", () => {
    const session = new Session();
    const seen = (viewer: Audience): string => sessionView("s", session.current, 1, viewer).urgency;
    expect([seen("all"), seen("staff")]).toEqual(["high", "high"]);
    const lift = (urgency: string, ms: number): Order => ({
      action: "reclassify",
      params: { urgency, headStart: { class: ms } },
    });
    for (const order of [lift("high", 2_000), lift("urgent", 5_000), lift("urgent", 6_000), claim, giveBack]) {
      session.does(order.action === "reclassify" ? "sue" : "ada", order);
      expect(seen("all")).toBe("high");
    }
    for (const order of [toTopic("cards"), close, reopen]) {
      session.does("sue", order);
      expect([seen("all"), seen("staff")]).toEqual(["high", "urgent"]);
    }
    expect(sessionView("s", session.current, 1, "staff")).toMatchObject({ askedUrgency: "high" });
    expect(sessionView("s", session.current, 1, "all")).not.toHaveProperty("askedUrgency");
  });

  it("is read from logs of sessions that do not say what was asked for", () => {
    const { askedUrgency: _none, ...session } = new Session().current;
    expect(sessionView("s", session, 1, "all").urgency).toBe("high");
  });
});
