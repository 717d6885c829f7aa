import { DEFAULT_RULES, type SessionRules } from "../../../actors/conversation/conversation.session-state";
import { MemoryStore } from "../../../lib/store/memory";
import { watchAbsence } from "../../../services/agents/absence";
import { AgentStore } from "../../../services/agents/agents.store";
import type { ListedSession } from "../../../services/session/session-lists";
import { sessionState } from "../../support/session-state";

const GRACE_MS = 10_000;

describe("absence", () => {
  let now = 1_000_000;
  let connected: Set<string> | undefined;
  let given: Array<{ id: string; agentId: string; dueAt: number }>;
  let open: ListedSession[];
  let agents: AgentStore;

  const session = (id: string, agentId: string, rules: Partial<SessionRules> = {}): ListedSession => ({
    id,
    seq: 2,
    session: sessionState({
      status: "assigned",
      agentId,
      rules: { ...DEFAULT_RULES, offline: "return", graceMs: GRACE_MS, ...rules },
    }),
  });
  const look = (): Promise<number> =>
    watchAbsence({
      agents,
      sessions: { of: async (ids) => open.filter((one) => ids.includes(one.session.agentId ?? "")) },
      connected: async () => {
        if (!connected) throw new Error("nobody knows");
        return connected;
      },
      giveBack: async ({ id }, agentId, dueAt) => {
        given.push({ id, agentId, dueAt });
        open = open.filter((one) => one.id !== id);
        return true;
      },
      now: () => now,
    });

  beforeEach(async () => {
    connected = new Set(["ada"]);
    given = [];
    agents = new AgentStore(new MemoryStore());
    await agents.choose("ada", "online", now);
    open = [session("s1", "ada"), session("s2", "ada", { offline: "keep" }), session("s3", "ada", { graceMs: 60_000 })];
  });

  it("gives sessions back when the agent has been gone for the grace of their topic, if the topic says so", async () => {
    connected = new Set();
    await look();
    const left = now;
    now += GRACE_MS - 1;
    expect(await look()).toBe(0);
    now += 1;
    expect(await look()).toBe(1);
    expect(given).toEqual([{ id: "s1", agentId: "ada", dueAt: left + GRACE_MS }]);
    expect(await look()).toBe(0);
    now += 60_000;
    await look();
    expect(given.map(({ id }) => id)).toEqual(["s1", "s3"]);
  });

  it("leaves everything as it was for an agent who comes back within the grace", async () => {
    const before = await agents.get("ada");
    connected = new Set();
    await look();
    expect((await agents.get("ada"))?.absentSince).toBe(now);
    now += GRACE_MS - 1;
    connected = new Set(["ada"]);
    await look();
    expect(await agents.get("ada")).toEqual(before);
    now += GRACE_MS;
    await look();
    expect(given).toEqual([]);
  });

  it("changes nothing while nobody knows who is connected", async () => {
    connected = undefined;
    await expect(look()).rejects.toThrow("nobody knows");
    expect((await agents.get("ada"))?.absentSince).toBeUndefined();
  });
});
