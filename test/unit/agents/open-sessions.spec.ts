import type { StoredEvent } from "../../../actors/conversation/conversation.events";
import type { SessionState } from "../../../actors/conversation/conversation.session-state";
import { ConversationStore } from "../../../actors/conversation/conversation.store";
import { MemoryStore } from "../../../lib/store/memory";
import { OpenSessions } from "../../../services/agents/open-sessions";
import { sessionSnapshot } from "../../support/session-state";

describe("open sessions", () => {
  let store: ConversationStore;
  let sessions: OpenSessions;

  beforeEach(() => {
    store = new ConversationStore(new MemoryStore());
    sessions = new OpenSessions(store);
  });

  async function put(id: string, session: Partial<SessionState>): Promise<void> {
    await store.conversations.putNewer([sessionSnapshot(id, session)], "appliedSeq");
  }

  it("are an agent's load, closing ones too, and take the slots that they were pushed into", async () => {
    await put("s1", { status: "assigned", agentId: "ada", slotKey: "slot/ada/2/0000000001" });
    await put("s2", { status: "closing", agentId: "ada" });
    await put("s3", { status: "closed", agentId: "ada" });
    await put("s4", { status: "assigned", agentId: "ben", slotKey: "slot/ben/1/0000000007" });
    const loadOf = await sessions.loads(["ada", "ben", "cora"]);
    expect(loadOf("ada")).toEqual({ sessions: 2, slots: new Set([2]) });
    expect(loadOf("ben")).toEqual({ sessions: 1, slots: new Set([1]) });
    expect(loadOf("cora")).toEqual({ sessions: 0, slots: new Set() });
  });

  it("wait in the order of their rank, in their topic, also while they are closing", async () => {
    await put("late", { rank: 30 });
    await put("first", { rank: 10 });
    await put("closing", { rank: 20, status: "closing" });
    await put("served", { rank: 5, status: "closing", agentId: "ada" });
    await put("elsewhere", { rank: 1, topic: "other" });
    const ids = async (limit: number) => (await sessions.waiting("loan", limit)).map(({ id }) => id);
    expect(await ids(10)).toEqual(["first", "closing", "late"]);
    expect(await ids(2)).toEqual(["first", "closing"]);
  });

  it("tell who served the customer last, in another session", async () => {
    await put("s1", { status: "closed", agentId: "ada", openedAt: 1 });
    await put("s2", { status: "closed", agentId: "ben", openedAt: 2 });
    await put("s3", { status: "closed", openedAt: 3 });
    await put("s4", { status: "assigned", agentId: "cora", openedAt: 4 });
    expect(await sessions.lastAgent("carl", "s4")).toBe("ben");
    expect(await sessions.lastAgent("nobody", "s4")).toBeUndefined();
  });

  it("tell who gave one up of late, but not who was gone", async () => {
    const event = (seq: number, type: StoredEvent["type"], data: object, at = 100): StoredEvent => ({
      _id: `e${seq}`,
      conversationId: "s1",
      seq,
      prevSeq: { all: seq - 1, staff: seq - 1 },
      by: "system",
      commandId: `c${seq}`,
      request: "",
      type,
      at,
      audience: "all",
      data: data as StoredEvent["data"],
      incarnation: "i",
      flush: seq,
    });
    await store.events.insertMany([
      event(1, "session.returned", { from: "long ago" }, 10),
      event(2, "session.returned", { from: "ada", reason: "unattended" }),
      event(3, "session.returned", { from: "gone", reason: "offline" }),
      event(4, "session.bounced", { from: "ben", reason: "declined" }),
      event(5, "message.created", { text: "hello" }),
    ]);
    expect((await sessions.givenUpBy("s1", 50)).sort()).toEqual(["ada", "ben"]);
  });
});
