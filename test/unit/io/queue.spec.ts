import fc from "fast-check";
import type { EventType, StoredEvent } from "../../../actors/conversation/conversation.events";
import { DEFAULT_RULES, type SessionState } from "../../../actors/conversation/conversation.session-state";
import type { SessionView } from "../../../services/conversation-views";
import { compareWaiting, QueueView } from "../../../services/session/queue";

const OPENED_AT = Date.UTC(2030, 0, 1);
const event = (conversationId: string, seq: number, type: EventType, status?: SessionState["status"]): StoredEvent => ({
  _id: `${conversationId}/${seq}`,
  conversationId,
  seq,
  by: "u",
  commandId: `c${seq}`,
  request: "",
  incarnation: "i",
  flush: seq,
  prevSeq: { all: seq - 1, staff: seq - 1 },
  type,
  at: OPENED_AT + seq,
  audience: "all",
  data: {},
  ...(status && {
    session: {
      status,
      topic: "general",
      urgency: "normal",
      customerId: "u",
      openedAt: OPENED_AT,
      enteredAt: OPENED_AT,
      rank: OPENED_AT,
      headStart: { class: 0 },
      rules: DEFAULT_RULES,
      openKey: "k",
    },
  }),
});
const opened = (id: string) => event(id, 1, "session.opened", "unassigned");
const assigned = (id: string, seq: number) => event(id, seq, "session.assigned", "assigned");
const returned = (id: string, seq: number) => event(id, seq, "session.returned", "unassigned");
const session = (id: string, over: Partial<SessionView> = {}): SessionView => ({
  id,
  conversationId: id,
  status: "unassigned",
  topic: "general",
  urgency: "normal",
  customerId: "u",
  openedAt: "2030-01-01T00:00:00.000Z",
  lastSeq: 1,
  ...over,
});

describe("the queue's order", () => {
  it("puts the more urgent first, then who has waited longest", () => {
    const sessions = [
      session("late", { openedAt: "2030-01-01T00:00:02.000Z" }),
      session("early"),
      session("urgent", { urgency: "urgent", openedAt: "2030-01-01T00:00:09.000Z" }),
      session("low", { urgency: "low" }),
    ];
    expect(sessions.sort(compareWaiting).map((s) => s.id)).toEqual(["urgent", "early", "late", "low"]);
  });
});

describe("queue view", () => {
  it("adds an opened session, removes an assigned one and numbers both changes", () => {
    const view = new QueueView();
    expect(view.apply(opened("s"))).toMatchObject({ seq: 1, prevSeq: 0, added: [{ id: "s", status: "unassigned" }] });
    expect(view.apply(assigned("s", 2))).toMatchObject({ seq: 2, prevSeq: 1, removed: ["s"] });
    expect(view.sessions()).toEqual([]);
  });

  it("ignores what it has seen, in whatever order it comes", () => {
    const view = new QueueView();
    view.apply(assigned("s", 2));
    expect(view.apply(opened("s"))).toBeUndefined();
    expect(view.sessions()).toEqual([]);
  });

  it("does not let an older reading bring a session back", () => {
    const view = new QueueView();
    view.apply(assigned("s", 4));
    expect(view.put(session("s", { lastSeq: 3 }))).toBeUndefined();
    expect(view.sessions()).toEqual([]);
  });

  it("adds a session that was given back, also when it never saw it before", () => {
    const view = new QueueView();
    expect(view.apply(returned("s", 5))).toMatchObject({ added: [{ id: "s", lastSeq: 5 }] });
  });

  it("ignores messages and conversations of other kinds", () => {
    const view = new QueueView();
    expect(view.apply(event("d", 1, "message.created"))).toBeUndefined();
    expect(view.seq).toBe(0);
  });

  it("ends with the same sessions whatever the order of the events", () => {
    const history = [
      opened("a"),
      assigned("a", 2),
      opened("b"),
      opened("c"),
      event("c", 3, "session.closed", "closed"),
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray([...history, ...history], { minLength: history.length * 2 }), (events) => {
        const view = new QueueView();
        for (const one of events) view.apply(one);
        expect(view.sessions().map((s) => s.id)).toEqual(["b"]);
      }),
    );
  });
});
