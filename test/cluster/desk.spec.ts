import type { StoredEvent } from "../../actors/conversation/conversation.events";
import { EVENTS } from "../../actors/conversation/conversation.store";
import type { Collection, Store } from "../../lib/store/collection";
import { openMongoStore } from "../../lib/store/mongo/store";
import type { SessionView } from "../../services/conversation-views";
import type { WireEvent } from "../../services/schemas";
import type { TestUser } from "../support/api";
import { TestCluster } from "../support/cluster";
import { openSocket } from "../support/invoke";
import { until } from "../support/wait";

const AGENTS = 30;
const CAPACITY = 4;
const TOPICS = Array.from({ length: 10 }, (_, at) => `desk-${at}`);
/** `DESK_SESSIONS=3000` and the like is for whoever has the time. */
const SESSIONS = Number(process.env["DESK_SESSIONS"] ?? 1_000);
const CUSTOMERS = SESSIONS / TOPICS.length;
/** Customers who open sessions at the same time. */
const AT_ONCE = 24;
const WORK_MS = 240 * SESSIONS;
const AUDIT_MS = 150_000;
const TEST_MS = 2 * WORK_MS + AUDIT_MS;

let cluster: TestCluster;
let store: Store;
let log: Collection<StoredEvent>;
let agents: TestUser[];
const stops: Array<() => unknown> = [];

async function open(customer: TestUser, topic: string): Promise<string> {
  const body = { commandId: crypto.randomUUID(), topic };
  return (await cluster.settle("POST", "/sessions", customer.token, body)).expect<SessionView>(201).id;
}

/** An agent who ends each session as soon as it is given to them. */
async function serve(agent: TestUser, ended: (id: string) => void): Promise<void> {
  const socket = await openSocket(cluster.url, agent.token);
  stops.push(() => socket.disconnect());
  socket.on("events", (events: readonly WireEvent[]) => {
    for (const { type, data, conversationId } of events)
      if (type === "session.assigned" && data["agentId"] === agent.id)
        void cluster
          .settle("POST", `/sessions/${conversationId}/close`, agent.token, { commandId: conversationId })
          .then((answer) => answer.status === 200 && ended(conversationId));
  });
  await cluster.goOnline(agent);
}

/** The types of a session's own events, in the order of its log. */
async function stories(ids: readonly string[]): Promise<string[]> {
  const events = await log.find({ conversationId: { $in: [...ids] } }, { sort: { seq: 1 }, fresh: true });
  return ids.map((id) =>
    events
      .filter(({ conversationId, type }) => conversationId === id && type.startsWith("session."))
      .map(({ type }) => type.slice("session.".length))
      .join(" "),
  );
}

/** A metric of the scheduler by its beginning: the sum over its labels. */
async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${cluster.node("scheduler-1").url}/metrics`)).text();
  const values = text.split("\n").filter((line) => line.startsWith(name));
  return values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

beforeAll(async () => {
  cluster = await TestCluster.start({ gateway: 1, io: 1, core: 3, scheduler: 1 });
  store = await openMongoStore({ uri: cluster.environment["MONGODB_URI"] ?? "", socketMs: 0 });
  log = store.collection<StoredEvent>(EVENTS);
  const admin = await cluster.adminToken();
  for (const topic of TOPICS) {
    const described = { version: 0, name: topic, urgency: "normal", mode: "push", skills: ["desk"] };
    (await cluster.rest("PUT", `/topics/${topic}`, admin, described)).expect(200);
  }
  agents = await cluster.users(AGENTS, ["agent"]);
  for (const { id } of agents)
    (await cluster.rest("PUT", `/agents/${id}`, admin, { skills: ["desk"], capacity: CAPACITY })).expect(200);
});
afterAll(async () => {
  for (const stop of stops) stop();
  await cluster.stop();
  await store.close();
});

it(
  `gives ${SESSIONS} sessions to ${AGENTS} agents on three core nodes of which one is killed: each once, none forgotten`,
  async () => {
    const ended = new Set<string>();
    await Promise.all(agents.map((agent) => serve(agent, (id) => ended.add(id))));
    const customers = await Promise.all(Array.from({ length: CUSTOMERS }, () => cluster.guest()));

    const killed = until("a third is done", () => ended.size > SESSIONS / 3, WORK_MS).then(() =>
      cluster.node("core-1").restart("SIGKILL"),
    );
    const ids: string[] = [];
    const wanted = TOPICS.flatMap((topic) => customers.map((customer) => ({ customer, topic }))).values();
    const opening = async (): Promise<void> => {
      for (const { customer, topic } of wanted) ids.push(await open(customer, topic));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, opening));
    await killed;
    await until("every session has ended", () => ended.size === SESSIONS, WORK_MS);

    expect(new Set(ids).size).toBe(SESSIONS);
    for (let from = 0; from < SESSIONS; from += 100)
      for (const story of await stories(ids.slice(from, from + 100))) expect(story).toBe("opened assigned closed");

    const taken = await log.find({ key: { $gte: "slot/", $lt: "slot0" } }, { fresh: true });
    const given = await log.find({ endsSlot: { $exists: true } }, { fresh: true });
    expect(given.map(({ endsSlot }) => endsSlot).sort()).toEqual(taken.map(({ key }) => key).sort());
    const slots = new Set(taken.map(({ key = "" }) => Number(key.split("/")[2])));
    expect([...slots].sort()).toEqual(Array.from({ length: CAPACITY }, (_, at) => at + 1));

    const finished = Date.now() / 1_000;
    const audited = () => metric('parley_job_success_timestamp_seconds{job="desk.audit"');
    await until("the desk was audited", async () => (await audited()) > finished, AUDIT_MS);
    expect(await metric("parley_desk_anomalies_total")).toBe(0);
  },
  TEST_MS,
);
