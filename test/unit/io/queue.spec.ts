import fc from "fast-check";
import type { EventType, StoredEvent } from "../../../actors/conversation/conversation.events";
import type { SessionState } from "../../../actors/conversation/conversation.session-state";
import type { SessionView } from "../../../services/conversation-views";
import { compareWaiting, QueueView } from "../../../services/session/queue";
import { sessionState } from "../../support/session-state";

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
    session: sessionState({
      ...{ status, topic: "general", customerId: "u" },
      ...{ openedAt: OPENED_AT, enteredAt: OPENED_AT, rank: OPENED_AT },
    }),
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
  it("is that of the ranks, of equal ones that of the ids", () => {
    const sessions = [session("late", { rank: 30 }), session("b", { rank: 20 }), session("a", { rank: 20 })];
    sessions.push(session("urgent", { rank: 10, openedAt: "2030-01-02T00:00:00.000Z" }));
    expect(sessions.sort(compareWaiting).map((s) => s.id)).toEqual(["urgent", "a", "b", "late"]);
  });

  it("is kept in each topic, whatever comes and goes", () => {
    const ids = fc.constantFrom(...Array.from({ length: 20 }, (_, at) => `s${at}`));
    const changes = fc.array(fc.record({ id: ids, rank: fc.nat(5), topic: fc.nat(1), waits: fc.boolean() }));
    fc.assert(
      fc.property(changes, (all) => {
        const view = new QueueView();
        all.forEach(({ id, rank, topic, waits }, at) => {
          const status = waits ? "unassigned" : "assigned";
          view.put(session(id, { rank, topic: `t${topic}`, status, lastSeq: at + 1 }));
        });
        for (const topic of ["t0", "t1"]) {
          const expected = view.sessions().filter((one) => one.topic === topic);
          expect(view.sessions(topic)).toEqual(expected);
        }
        expect(view.sessions()).toHaveLength(view.size);
        expect(view.sessions()).toEqual([...view.sessions()].sort(compareWaiting));
      }),
    );
  });
});

describe("queue view", () => {
  it("adds an opened session and removes an assigned one", () => {
    const view = new QueueView();
    expect(view.apply(opened("s"))).toMatchObject({ after: { id: "s", status: "unassigned" } });
    expect(view.apply(assigned("s", 2))).toMatchObject({ before: { id: "s" } });
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
    expect(view.apply(returned("s", 5))).toMatchObject({ after: { id: "s", lastSeq: 5 } });
  });

  it("keeps a session that is closing while nobody has it", () => {
    const view = new QueueView();
    view.apply(opened("s"));
    expect(view.apply(event("s", 2, "session.closing", "closing"))).toMatchObject({ after: { status: "closing" } });
    expect(view.put(session("s", { status: "closing", agentId: "ada", lastSeq: 3 }))).toEqual({
      before: expect.objectContaining({ id: "s" }) as unknown,
    });
  });

  it("ignores messages and conversations of other kinds", () => {
    const view = new QueueView();
    expect(view.apply(event("d", 1, "message.created"))).toBeUndefined();
    expect(view.size).toBe(0);
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
