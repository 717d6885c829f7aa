import type { Socket } from "socket.io-client";
import type { SessionView } from "../../services/conversation-views";
import type { TestUser } from "../support/api";
import { TestCluster } from "../support/cluster";
import { emit, openSocket } from "../support/invoke";
import { until } from "../support/wait";

const TOPIC = "cards";
/** More than one page of the list has. */
const WAITING = 320;
const AT_ONCE = 16;

interface Snapshot {
  readonly seq: number;
  readonly sessions: SessionView[];
}

let cluster: TestCluster;
let customers: TestUser[];
const sockets: Socket[] = [];

beforeAll(async () => {
  cluster = await TestCluster.start({ gateway: 1, io: 2, core: 2, scheduler: 1 });
  const rule = { words: ["stolen"], urgency: "urgent", topicId: TOPIC };
  (await cluster.rest("PUT", "/keywords/fraud", await cluster.adminToken(), rule)).expect(200);
  customers = [];
  while (customers.length < WAITING)
    customers.push(...(await Promise.all(Array.from({ length: AT_ONCE }, () => cluster.guest()))));
}, 120_000);
afterAll(async () => {
  for (const socket of sockets) socket.disconnect();
  await cluster.stop();
});

async function connect({ token }: TestUser, node: string): Promise<Socket> {
  const socket = await openSocket(cluster.node(node).url, token);
  sockets.push(socket);
  return socket;
}

async function get<T>(socket: Socket, event: string, params: object): Promise<T> {
  const outcome = await emit(socket, event, { commandId: crypto.randomUUID(), ...params });
  if (!outcome.ok) throw new Error(`${event}: ${JSON.stringify(outcome.error)}`);
  return outcome.data as T;
}

async function open({ token }: TestUser, text?: string): Promise<string> {
  const body = { commandId: crypto.randomUUID(), topic: TOPIC, ...(text !== undefined && { text }) };
  return (await cluster.rest("POST", "/sessions", token, body)).expect<SessionView>(201).id;
}

const queueOf = async (agent: Socket): Promise<string[]> => {
  const { sessions } = await get<Snapshot>(agent, "session.queue", { subscribe: true, topic: TOPIC });
  return sessions.map(({ id }) => id);
};

describe("the queue of a cluster", () => {
  it("is listed whole and in order, and the same on all nodes while it is claimed and classified", async () => {
    const agents = await Promise.all(
      (await cluster.users(2, ["agent"])).map((agent, at) => connect(agent, `io-${at + 1}`)),
    );
    const [first, second] = agents as [Socket, Socket];
    const opened: string[] = [];
    for (let from = 0; from < WAITING; from += AT_ONCE)
      opened.push(...(await Promise.all(customers.slice(from, from + AT_ONCE).map((customer) => open(customer)))));
    expect((await queueOf(first)).sort()).toEqual([...opened].sort());
    const last = customers.at(-1) as TestUser;
    const alarmed = opened.at(-1) ?? "";
    const text = { commandId: crypto.randomUUID(), text: "My card was STOLEN" };
    (await cluster.rest("POST", `/conversations/${alarmed}/messages`, last.token, text)).expect(201);
    await until("it stands first", async () => (await queueOf(second))[0] === alarmed, 20_000);
    for (const [at, sessionId] of opened.slice(0, 20).entries())
      await get(at % 2 ? first : second, "session.claim", { sessionId });
    const left = [alarmed, ...opened.slice(20, -1)].sort();
    for (const agent of agents)
      await until("both see who is left", async () => (await queueOf(agent)).sort().join() === left.join());
    const explained = await get<{ ahead: number; words: string[] }>(first, "session.explain", { sessionId: alarmed });
    expect(explained.ahead).toBe(0);
    expect(explained.words.join(" ")).toContain("keyword rule fraud");
  }, 120_000);

  it("tells a customer the band, and how long it takes by what all agents take", async () => {
    const customer = customers[100] as TestUser;
    const socket = await connect(customer, "io-2");
    const told: object[] = [];
    socket.on("queue.position", (news: object) => told.push(news));
    await until("it is told", () => told.length > 0);
    const { sessions } = (await cluster.rest("GET", "/sessions", customer.token)).expect<Snapshot>(200);
    const answer = await cluster.rest("GET", `/sessions/${sessions[0]?.id ?? ""}`, customer.token);
    const { position } = answer.expect<SessionView>(200);
    expect(position).toMatchObject({ from: 51, to: 100 });
    expect(position?.waitSeconds).toBeGreaterThanOrEqual(60);
    expect(told[0]).toMatchObject({ sessionId: sessions[0]?.id, from: 51, to: 100 });
  }, 60_000);
});
