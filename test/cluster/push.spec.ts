import type { Socket } from "socket.io-client";
import type { StoredEvent } from "../../actors/conversation/conversation.events";
import { EVENTS } from "../../actors/conversation/conversation.store";
import type { Collection, Store } from "../../lib/store/collection";
import { openMongoStore } from "../../lib/store/mongo/store";
import type { SessionView } from "../../services/conversation-views";
import type { TestUser } from "../support/api";
import { TestCluster } from "../support/cluster";
import { openSocket } from "../support/invoke";
import { until } from "../support/wait";

const TOPIC = "push";
const CAPACITIES = [2, 3, 4, 5];
const PLACES = CAPACITIES.reduce((sum, capacity) => sum + capacity, 0);
const CUSTOMERS = 60;
const FULL_MS = 30_000;

let cluster: TestCluster;
let store: Store;
let log: Collection<StoredEvent>;
const agents: TestUser[] = [];
const sockets: Socket[] = [];

async function open(customer: TestUser): Promise<string> {
  const body = { commandId: crypto.randomUUID(), topic: TOPIC };
  return (await cluster.settle("POST", "/sessions", customer.token, body)).expect<SessionView>(201).id;
}

async function close(id: string): Promise<void> {
  const body = { commandId: crypto.randomUUID() };
  (await cluster.settle("POST", `/sessions/${id}/close`, await cluster.adminToken(), body)).expect(200);
}

/** The sessions that each agent has, by the log: slots that were taken and not given up. */
async function held(): Promise<string[][]> {
  const taken = await log.find({ key: { $gte: "slot/", $lt: "slot0" } }, { fresh: true });
  const ended = await log.find({ endsSlot: { $exists: true } }, { fresh: true });
  const given = new Set(ended.map(({ endsSlot }) => endsSlot));
  return agents.map(({ id }) =>
    taken.flatMap(({ key = "", conversationId }) =>
      key.startsWith(`slot/${id}/`) && !given.has(key) ? [conversationId] : [],
    ),
  );
}

const loads = async (): Promise<string> => (await held()).map((sessions) => sessions.length).join();
const full = () => until("every place is taken", async () => (await loads()) === CAPACITIES.join(), FULL_MS);

beforeAll(async () => {
  cluster = await TestCluster.start({ gateway: 1, io: 1, core: 3, scheduler: 1 });
  store = await openMongoStore({ uri: cluster.environment["MONGODB_URI"] ?? "" });
  log = store.collection<StoredEvent>(EVENTS);
  const admin = await cluster.adminToken();
  const topic = { version: 0, name: "Push", urgency: "normal", mode: "push", skills: [TOPIC] };
  (await cluster.rest("PUT", `/topics/${TOPIC}`, admin, topic)).expect(200);
  agents.push(...(await cluster.users(CAPACITIES.length, ["agent"])));
  for (const [index, agent] of agents.entries()) {
    const described = { skills: [TOPIC], capacity: CAPACITIES[index] };
    (await cluster.rest("PUT", `/agents/${agent.id}`, admin, described)).expect(200);
    sockets.push(await openSocket(cluster.url, agent.token));
    await cluster.goOnline(agent);
  }
});
afterAll(async () => {
  for (const socket of sockets) socket.disconnect();
  await cluster.stop();
  await store.close();
});

it("gives every place and no more when three core nodes assign at once, of which one is killed and comes back", async () => {
  const customers = await Promise.all(Array.from({ length: CUSTOMERS }, () => cluster.guest()));
  const opening = Promise.all(customers.map(open));
  const some = until("some are assigned", async () => (await held()).some(({ length }) => length > 0));
  const killed = some.then(() => cluster.node("core-1").restart("SIGKILL"));
  const opened = await opening;
  await full();
  await killed;

  // Whatever ends gives its place to the next, and every session that ever was assigned was so once at a time.
  for (let round = 0; round < 3; round++) {
    const ending = (await held()).flatMap((sessions) => sessions.slice(0, 2));
    await Promise.all(ending.map(close));
    await full();
  }
  expect(await loads()).toBe(CAPACITIES.join());
  for (const id of opened) expect(await story(id)).toMatch(/^(waits|assigned|assigned closed)$/);
  const assigned = await log.find({ type: "session.assigned" }, { fresh: true });
  expect(assigned).toHaveLength(PLACES + 3 * 2 * agents.length);
});

/** What became of a session, in the order of its log. */
async function story(conversationId: string): Promise<string> {
  const events = await log.find({ conversationId }, { sort: { seq: 1 } });
  const words = events.flatMap(({ type }) =>
    type === "session.assigned" ? ["assigned"] : type === "session.closed" ? ["closed"] : [],
  );
  return words.join(" ") || "waits";
}
