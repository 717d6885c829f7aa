import type { Socket } from "socket.io-client";
import type { AgentView } from "../../services/agents/agents.internal";
import type { SessionView } from "../../services/conversation-views";
import { emit, openSocket } from "../support/invoke";
import { startServer, type TestServer, type TestUser } from "../support/server";
import { until } from "../support/wait";

const commandId = (): string => crypto.randomUUID();

/** A server with agents who are connected, and customers. */
class Desk {
  private readonly sockets = new Map<string, Socket>();

  constructor(readonly server: TestServer) {}

  async agent(skills: readonly string[], capacity: number): Promise<TestUser> {
    const agent = await this.server.user("agent");
    const admin = await this.server.adminToken();
    (await this.server.rest("PUT", `/agents/${agent.id}`, admin, { skills, capacity })).expect(200);
    await this.connect(agent);
    return agent;
  }

  async connect(user: TestUser): Promise<Socket> {
    const socket = await openSocket(this.server.url, user.token);
    this.sockets.set(user.id, socket);
    await until("the agent is known to be connected", async () => (await this.me(user)).connected);
    return socket;
  }

  disconnect(user: TestUser): void {
    this.sockets.get(user.id)?.disconnect();
  }

  async me(user: TestUser): Promise<AgentView> {
    return (await this.server.rest("GET", "/agents/me", user.token)).expect<AgentView>(200);
  }

  async says(user: TestUser, availability: string): Promise<AgentView> {
    const socket = this.sockets.get(user.id);
    if (!socket) throw new Error("is not connected");
    const answer = await emit(socket, "agent.availability", { availability });
    if (!answer.ok) throw new Error(JSON.stringify(answer.error));
    return answer.data as AgentView;
  }

  /** A topic that pushes, and asks for the skill of its name. */
  async topic(id: string, more: object = {}): Promise<string> {
    const admin = await this.server.adminToken();
    const topic = { version: 0, name: id, urgency: "normal", mode: "push", skills: [id], ...more };
    (await this.server.rest("PUT", `/topics/${id}`, admin, topic)).expect(200);
    return id;
  }

  async open(topic: string, customer?: TestUser): Promise<SessionView> {
    const { token } = customer ?? (await this.server.guest());
    return (await this.server.rest("POST", "/sessions", token, { commandId: commandId(), topic })).expect<SessionView>(
      201,
    );
  }

  async session(id: string): Promise<SessionView> {
    const admin = await this.server.adminToken();
    return (await this.server.rest("GET", `/sessions/${id}`, admin)).expect<SessionView>(200);
  }

  assigned(id: string): Promise<SessionView> {
    return until(`${id} is assigned`, async () => {
      const session = await this.session(id);
      return session.agentId !== undefined && session;
    });
  }

  /** The end of a session. */
  async close(id: string): Promise<void> {
    const admin = await this.server.adminToken();
    (await this.server.rest("POST", `/sessions/${id}/close`, admin, { commandId: commandId() })).expect(200);
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets.values()) socket.disconnect();
    await this.server.stop();
  }
}

describe("agents", () => {
  let desk: Desk;
  beforeAll(async () => {
    desk = new Desk(await startServer());
  }, 60_000);
  afterAll(() => desk.stop(), 30_000);

  it("are offline until they say otherwise, and what they say then", async () => {
    const agent = await desk.agent(["a", "b"], 3);
    expect(await desk.me(agent)).toMatchObject({
      id: agent.id,
      availability: "offline",
      connected: true,
      load: 0,
      capacity: 3,
      skills: ["a", "b"],
    });
    expect(await desk.says(agent, "busy")).toMatchObject({ availability: "busy", chosen: "busy", reason: "chosen" });
    const stranger = await desk.server.user("customer");
    const refused = await desk.server.rest("GET", "/agents/me", stranger.token);
    expect(refused.error.type).toBe("FORBIDDEN");
  });

  it("are seen with their load by supervisors, and described by administrators only", async () => {
    const agent = await desk.agent(["list"], 2);
    const supervisor = await desk.server.user("supervisor");
    await desk.says(agent, "online");
    await desk.topic("list");
    await desk.assigned((await desk.open("list")).id);
    const listed = await until("the load is listed", async () => {
      const answer = await desk.server.rest("GET", "/agents?limit=100", supervisor.token);
      return answer.expect<{ agents: AgentView[] }>(200).agents.find(({ id, load }) => id === agent.id && load === 1);
    });
    expect(listed).toMatchObject({ availability: "online", capacity: 2, skills: ["list"] });
    for (const body of [{ capacity: -1 }, { capacity: 1.5 }, { skills: ["x", "x"] }, { skills: [" "] }]) {
      const answer = await desk.server.rest("PUT", `/agents/${agent.id}`, await desk.server.adminToken(), body);
      expect([body, answer.error.type]).toEqual([body, "VALIDATION"]);
    }
    expect(await desk.me(agent)).toMatchObject({ capacity: 2, skills: ["list"] });
    const self = await desk.server.rest("PUT", `/agents/${agent.id}`, supervisor.token, { capacity: 99 });
    expect(self.error.type).toBe("FORBIDDEN");
    const customer = await desk.server.user("customer");
    const admin = await desk.server.adminToken();
    for (const id of [customer.id, "nobody"])
      expect((await desk.server.rest("PUT", `/agents/${id}`, admin, {})).error.type).toBe("NOT_FOUND");
  });

  it("get no more than their capacity of 200 sessions that are opened at once, and the next when one ends", async () => {
    const topic = await desk.topic("flood");
    const agents = await Promise.all([4, 6, 8].map((capacity) => desk.agent([topic], capacity)));
    await Promise.all(agents.map((agent) => desk.says(agent, "online")));
    const customers = await Promise.all(Array.from({ length: 200 }, () => desk.server.guest()));
    const opened = await Promise.all(customers.map((customer) => desk.open(topic, customer)));
    const loads = async (): Promise<number[]> => {
      const sessions = await Promise.all(opened.map(({ id }) => desk.session(id)));
      return agents.map(
        ({ id }) => sessions.filter(({ agentId, status }) => agentId === id && status === "assigned").length,
      );
    };
    await until("every place is taken", async () => (await loads()).join() === "4,6,8", 30_000);

    const sessions = await Promise.all(opened.map(({ id }) => desk.session(id)));
    const waiting = sessions.filter(({ status }) => status === "unassigned");
    expect(waiting).toHaveLength(200 - 18);
    const first = [...waiting].sort((a, b) => a.openedAt.localeCompare(b.openedAt))[0]?.openedAt;
    const ended = sessions.find(({ agentId }) => agentId === agents[0]?.id);
    await desk.close(ended?.id ?? "");
    await until("the place is taken again", async () => (await loads()).join() === "4,6,8");
    const next = (await Promise.all(waiting.map(({ id }) => desk.session(id)))).filter(({ agentId }) => agentId);
    expect(next).toMatchObject([{ agentId: agents[0]?.id, openedAt: first }]);
  }, 90_000);

  it("get sessions only while they are online and have the skills, the customer's last agent first", async () => {
    const topic = await desk.topic("skilled");
    const [ada, ben] = [await desk.agent([topic], 5), await desk.agent([topic], 5)];
    const other = await desk.agent(["something else"], 5);
    const customer = await desk.server.guest();
    await Promise.all([desk.says(ada, "online"), desk.says(ben, "away"), desk.says(other, "online")]);
    const session = await desk.open(topic, customer);
    expect((await desk.assigned(session.id)).agentId).toBe(ada.id);

    await desk.says(ben, "online");
    const filler = await desk.open(topic);
    expect((await desk.assigned(filler.id)).agentId).toBe(ben.id);
    await desk.close(filler.id);
    await desk.assigned((await desk.open(topic)).id);
    await desk.close(session.id);
    await until("the load is known", async () => (await desk.me(ada)).load <= 1);
    const again = await desk.open(topic, customer);
    expect((await desk.assigned(again.id)).agentId).toBe(ada.id);

    await Promise.all([desk.says(ada, "offline"), desk.says(ben, "busy")]);
    const waits = await desk.open(topic);
    await desk.close(again.id);
    expect((await desk.session(waits.id)).agentId).toBeUndefined();
    await desk.says(ben, "online");
    expect((await desk.assigned(waits.id)).agentId).toBe(ben.id);
  }, 60_000);

  it("are not given back at once what they gave up", async () => {
    const topic = await desk.topic("given-up");
    const [ada, ben] = [await desk.agent([topic], 5), await desk.agent([topic], 5)];
    await desk.says(ada, "online");
    const { id } = await desk.open(topic);
    await desk.assigned(id);
    (await desk.server.rest("POST", `/sessions/${id}/return`, ada.token, { commandId: commandId() })).expect(200);
    await desk.says(ben, "online");
    expect((await desk.assigned(id)).agentId).toBe(ben.id);
  }, 60_000);

  it("may take more by hand than is pushed to them", async () => {
    const topic = await desk.topic("by-hand");
    const agent = await desk.agent([topic], 1);
    await desk.open(topic);
    const second = await desk.open(topic);
    await desk.says(agent, "online");
    await until("the load is known", async () => (await desk.me(agent)).load === 1);
    const claim = await desk.server.rest("POST", `/sessions/${second.id}/claim`, agent.token, {
      commandId: commandId(),
    });
    expect(claim.expect<SessionView>(200)).toMatchObject({ agentId: agent.id, overCapacity: true });
    expect(
      await until("the load is known", async () => (await desk.me(agent)).load === 2 && desk.me(agent)),
    ).toMatchObject({
      load: 2,
      capacity: 1,
    });
  });
});

describe("an agent who is silent or gone", () => {
  let desk: Desk;
  beforeAll(async () => {
    desk = new Desk(await startServer({ env: { AGENT_AWAY_MS: "4000", AGENT_GRACE_MS: "3000" } }));
  }, 60_000);
  afterAll(() => desk.stop(), 30_000);

  const becomes = (user: TestUser, expected: Partial<AgentView>) =>
    until(
      `the agent is ${JSON.stringify(expected)}`,
      async () => {
        const me = await desk.me(user);
        return Object.entries(expected).every(([name, value]) => me[name as keyof AgentView] === value);
      },
      20_000,
    );

  it("is away after silence, and online with the next sign of life", async () => {
    const agent = await desk.agent([], 1);
    await desk.says(agent, "online");
    await becomes(agent, { availability: "away", chosen: "online", reason: "silent" });
    desk.disconnect(agent);
    await becomes(agent, { connected: false });
    await desk.connect(agent);
    await becomes(agent, { availability: "away", reason: "silent", connected: true });
    (await desk.server.rest("PUT", "/presence", agent.token, { status: "online" })).expect(200);
    await becomes(agent, { availability: "online", reason: "chosen" });
  }, 60_000);

  it("is as before after coming back within the grace, and offline when gone for longer", async () => {
    const agent = await desk.agent([], 1);
    await desk.says(agent, "busy");
    desk.disconnect(agent);
    await becomes(agent, { availability: "busy", reason: "reconnecting", connected: false });
    await desk.connect(agent);
    await becomes(agent, { availability: "busy", reason: "chosen", connected: true });
    desk.disconnect(agent);
    await becomes(agent, { availability: "offline", reason: "gone" });
    await desk.connect(agent);
    await becomes(agent, { availability: "busy", reason: "chosen" });
  }, 60_000);

  it("loses the sessions of a topic that wants them back, and gets nothing while gone", async () => {
    const topic = await desk.topic("returned", { rules: { offline: "return", graceMs: 1_000 } });
    const agent = await desk.agent([topic], 5);
    await desk.says(agent, "online");
    const { id } = await desk.open(topic);
    await desk.assigned(id);
    desk.disconnect(agent);
    const back = await until(
      "the session waits again",
      async () => {
        const session = await desk.session(id);
        return session.status === "unassigned" && session;
      },
      20_000,
    );
    expect(back.agentId).toBeUndefined();
    await desk.connect(agent);
    await desk.says(agent, "online");
    expect((await desk.assigned(id)).agentId).toBe(agent.id);
  }, 60_000);
});
