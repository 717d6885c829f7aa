import { MemoryStore } from "../../../lib/store/memory";
import { AgentStore } from "../../../services/agents/agents.store";

describe("the store of agents", () => {
  it("makes an agent once, whoever hears of them first, and loses nothing that was said meanwhile", async () => {
    const store = new MemoryStore();
    const [a, b] = [new AgentStore(store), new AgentStore(store)];
    const calls = Array.from({ length: 20 }, () => [
      a.choose("ada", "online", 5),
      b.describe("ada", { skills: ["loan"] }, 5),
      a.describe("ada", { capacity: 9 }, 5),
      b.heard(["ada", "bob"], 7),
    ]);
    await Promise.all(calls.flat());
    expect(await a.page("", 10)).toEqual([
      { _id: "ada", availability: "online", since: 5, lastActiveAt: 7, skills: ["loan"], capacity: 9 },
      { _id: "bob", availability: "offline", since: 7, lastActiveAt: 7, skills: [], capacity: 5 },
    ]);
  });

  it("keeps when an agent left, until the agent is back", async () => {
    const agents = new AgentStore(new MemoryStore());
    await agents.choose("ada", "busy", 1);
    await agents.left(["ada", "nobody"], 10);
    await agents.left(["ada"], 20);
    expect((await agents.get("ada"))?.absentSince).toBe(10);
    await agents.cameBack(["ada"]);
    expect(await agents.get("ada")).not.toHaveProperty("absentSince");
    expect(await agents.get("nobody")).toBeUndefined();
  });

  it("lists everybody, a page at a time, in the order of their ids", async () => {
    const agents = new AgentStore(new MemoryStore());
    const ids = Array.from({ length: 1_203 }, (_, index) => `agent-${String(index).padStart(5, "0")}`);
    await agents.heard(ids, 1);
    const listed: string[] = [];
    for await (const page of agents.pages()) listed.push(...page.map(({ _id }) => _id));
    expect(listed).toEqual(ids);
  });
});
