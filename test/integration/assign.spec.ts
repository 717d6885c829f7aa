import { SYSTEM } from "../../services/auth/principal";
import { callAgents } from "../../services/agents/agents.internal";
import { call } from "../../services/call";
import type { SessionView } from "../../services/conversation-views";
import { ADMINISTRATOR } from "../support/accounts";
import { get, type Login, type SocketNode, startSocketNode } from "../support/socket-node";
import { until } from "../support/wait";

let node: SocketNode;

// Without the scheduler, whose job it is to look for what was missed.
beforeAll(async () => {
  node = await startSocketNode({ services: [{ name: "scheduler" }] });
});
afterAll(() => node.stop());

const topic = async (mode: "push" | "pull", skills: string[] = []): Promise<string> => {
  const id = crypto.randomUUID();
  const described = { id, version: 0, name: id, urgency: "normal" as const, mode, skills };
  await call(node.broker, "topics.put", described, { meta: { user: ADMINISTRATOR } });
  return id;
};
const open = async (about: string): Promise<SessionView> => {
  const socket = await node.connect(await node.guest());
  return get<SessionView>(socket, "session.open", { commandId: "open", topic: about });
};
const agent = async (skills: string[], capacity: number, availability = "online"): Promise<Login> => {
  const login = await node.user("agent");
  await call(node.broker, "agents.put", { id: login.id, skills, capacity }, { meta: { user: ADMINISTRATOR } });
  const socket = await node.connect(login);
  const me = () => get<{ connected: boolean }>(socket, "agent.availability", { availability });
  await until("the agent is known to be connected", async () => (await me()).connected);
  return login;
};
const assign = (conversationId: string, agentId?: string) =>
  callAgents(node.broker, "agents.assign", { conversationId, ...(agentId !== undefined && { agentId }) });
const explain = (conversationId: string) => callAgents(node.broker, "agents.explain", { conversationId });
const session = (sessionId: string) => call(node.broker, "session.get", { sessionId }, { meta: { user: SYSTEM } });

describe("giving one session", () => {
  it("goes to whom it suits best, whatever the topic says, and tells why", async () => {
    const skill = crypto.randomUUID();
    const ada = await agent([skill], 5);
    const other = await agent([], 5);
    const { id } = await open(await topic("pull", [skill]));
    const why = await assign(id);
    expect(why).toMatchObject({ agentId: ada.id, reason: "the only agent who fits, with 0 of 5 sessions" });
    const thought = why.judgements.find(({ agentId }) => agentId === other.id);
    expect(thought).toMatchObject({ verdict: "lacks skills", lacking: [skill] });
    expect(await session(id)).toMatchObject({ status: "assigned", agentId: ada.id });
    const later = await until("it was noted", () => explain(id));
    expect(later).toMatchObject({ agentId: ada.id, reason: why.reason, judgements: why.judgements });
  });

  it("goes to a named agent only if there is room", async () => {
    const skill = crypto.randomUUID();
    const about = await topic("pull", [skill]);
    const [one, away] = [await agent([skill], 1), await agent([skill], 1, "away")];
    const [first, second] = [await open(about), await open(about)];
    expect((await assign(first.id, away.id)).reason).toBe("nobody fits: 1 not available");
    expect((await assign(first.id, one.id)).agentId).toBe(one.id);
    const full = await until("the load is known", async () => {
      const answer = await assign(second.id, one.id);
      return answer.reason === "nobody fits: 1 at capacity" && answer;
    });
    expect(full.agentId).toBeUndefined();
    expect((await assign(second.id, "nobody")).reason).toBe("nobody fits: 1 not available");
    expect((await session(second.id)).agentId).toBeUndefined();
  });

  it("is refused for what does not wait", async () => {
    const { id } = await open(await topic("pull"));
    await expect(assign("no-such-session")).rejects.toMatchObject({ type: "NOT_FOUND" });
    await call(node.broker, "session.claim", { sessionId: id, commandId: "c" }, { meta: { user: SYSTEM } });
    await expect(assign(id)).rejects.toMatchObject({ type: "SESSION_TAKEN", data: { agentId: SYSTEM.id } });
    expect(await explain(id)).toBeNull();
    await call(node.broker, "session.close", { sessionId: id, commandId: "d" }, { meta: { user: SYSTEM } });
    await expect(assign(id)).rejects.toMatchObject({ type: "SESSION_CLOSED" });
  });

  it("tells of a session that waits to be pushed why nobody has it yet", async () => {
    const skill = crypto.randomUUID();
    const { id } = await open(await topic("push", [skill]));
    expect((await explain(id))?.reason).toMatch(/^nobody fits: .*without the skills/);
    await agent([skill], 1);
    await until("it was pushed", async () => (await explain(id))?.agentId !== undefined);
    await expect(explain("no-such-session")).rejects.toMatchObject({ type: "NOT_FOUND" });
  });
});

describe("a session of a topic that pushes", () => {
  it("is given as soon as it is opened, or comes back, or somebody has room or is available", async () => {
    const skill = crypto.randomUUID();
    const about = await topic("push", [skill]);
    const assigned = (id: string, to: Login) =>
      until("it is assigned", async () => (await session(id)).agentId === to.id);
    const ada = await agent([skill], 1);
    const first = await open(about);
    await assigned(first.id, ada);
    const second = await open(about);
    await call(node.broker, "session.close", { sessionId: first.id, commandId: "e" }, { meta: { user: SYSTEM } });
    await assigned(second.id, ada);
    const ben = await agent([skill], 1);
    await call(node.broker, "session.return", { sessionId: second.id, commandId: "r" }, { meta: { user: SYSTEM } });
    await assigned(second.id, ben);
    const [third, fourth] = [await open(about), await open(about)];
    await assigned(third.id, ada);
    const cora = await agent([skill], 1);
    await assigned(fourth.id, cora);
  });
});

describe("passes at the same time", () => {
  it("give every session once and nobody more than the capacity", async () => {
    const skill = crypto.randomUUID();
    const about = await topic("push", [skill]);
    const opened = await Promise.all(Array.from({ length: 30 }, () => open(about)));
    const agents = await Promise.all([3, 4, 5].map((capacity) => agent([skill], capacity)));
    const passes = Array.from({ length: 20 }, () => callAgents(node.broker, "agents.push", {}));
    await Promise.all(passes);
    const assigned = () => Promise.all(opened.map(({ id }) => session(id)));
    const loads = async () => {
      const sessions = await assigned();
      return agents.map(({ id }) => sessions.filter(({ agentId }) => agentId === id).length);
    };
    await until("every place is taken", async () => (await loads()).join() === "3,4,5");
    await Promise.all(Array.from({ length: 20 }, () => callAgents(node.broker, "agents.push", {})));
    expect(await loads()).toEqual([3, 4, 5]);
  });
});
