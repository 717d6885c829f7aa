import { setTimeout as pause } from "node:timers/promises";
import { EVENTS } from "../../actors/conversation/conversation.store";
import type { StoredEvent } from "../../actors/conversation/conversation.events";
import type { Store } from "../../lib/store/collection";
import { openMongoStore } from "../../lib/store/mongo/store";
import { SYSTEM } from "../../services/auth/principal";
import type { TestUser } from "../support/api";
import { TestCluster } from "../support/cluster";
import type { ClusterNode } from "../support/cluster-node";
import { until } from "../support/wait";

const WARN_MS = 1_500;
const ATTEND_MS = 2_000;
const EXPIRE_MS = 3_000;
const OPEN_EVERY_MS = 80;
const SESSIONS = 240;
const FAULT_EVERY = 60;

const GROUPS = 4;
const MESSAGES = 60;

const core = { entry: "test/support/publisher-entry.ts" };
const scheduler = { entry: "test/support/scheduler-entry.ts" };

describe("two schedulers", () => {
  let cluster: TestCluster;
  let store: Store | undefined;

  beforeAll(async () => {
    const nodes = { "core-1": core, "core-2": core, "scheduler-1": scheduler, "scheduler-2": scheduler };
    cluster = await TestCluster.start({ gateway: 1, io: 0, core: 2, scheduler: 2, nodes });
    store = await openMongoStore({ uri: cluster.environment["MONGODB_URI"] ?? "" });
  });
  afterAll(async () => {
    await store?.close();
    await cluster.stop();
  });

  const eventsOf = async (conversationId: string): Promise<StoredEvent[]> =>
    (await store?.collection<StoredEvent>(EVENTS).find({ conversationId }, { sort: { seq: 1 } })) ?? [];

  const metric = async (node: ClusterNode, name: string): Promise<number> => {
    const text = await (await fetch(`${node.url}/metrics`, { signal: AbortSignal.timeout(1_000) })).text();
    return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
  };
  /** The one that runs the jobs. */
  const holder = (): Promise<ClusterNode> =>
    until("one of them runs the jobs", async () => {
      for (const node of cluster.of("scheduler")) {
        const holds = await metric(node, "parley_scheduler_holds").catch(() => 0);
        if (holds === 1) return node;
      }
      return undefined;
    });

  /** Sessions of these topics live by these rules. */
  async function describeTopic(id: string, rules: object): Promise<void> {
    const token = await cluster.adminToken();
    (
      await cluster.rest("PUT", `/topics/${id}`, token, {
        version: 0,
        name: id,
        urgency: "normal",
        mode: "pull",
        rules,
      })
    ).expect(200);
  }

  async function open(topic: string): Promise<string> {
    const guest = await cluster.guest();
    return (await cluster.rest("POST", "/sessions", guest.token, { commandId: "open", topic })).expect<{ id: string }>(
      201,
    ).id;
  }

  /** What time did to a session, each with when it was due. */
  async function effectsOf(id: string): Promise<Array<{ type: string; at: number; dueAt: number }>> {
    const events = await until(`${id} is closed`, async () => {
      const found = await eventsOf(id);
      return found.some(({ type }) => type === "session.closed") && found;
    });
    const effects = events.filter(({ by }) => by === SYSTEM.id);
    return effects.map(({ type, at, commandId }) => ({ type, at, dueAt: Number(commandId.split(":")[2]) }));
  }

  it("have each effect of time once and in time while the one at work is killed, stopped and its clock is set", async () => {
    await describeTopic("silent", { warnMs: WARN_MS, expireMs: EXPIRE_MS });
    await describeTopic("leased", { attendMs: ATTEND_MS, expireMs: EXPIRE_MS });
    const agent = await cluster.user("agent");
    const claim = async (id: string): Promise<void> =>
      void (await cluster.rest("POST", `/sessions/${id}/claim`, agent.token, { commandId: "claim" })).expect(200);
    const setClock = async (): Promise<void> => {
      for (const node of cluster.of("scheduler")) process.kill(node.pid, "SIGUSR2");
      await pause(1_500);
    };
    const faults: Array<() => Promise<void>> = [
      async () => {
        const killed = await holder();
        await killed.kill("SIGKILL");
        await pause(4_000);
        await killed.start();
      },
      async () => {
        for (let times = 0; times < 4; times++) await setClock();
      },
      async () => {
        const stopped = await holder();
        stopped.suspend();
        await pause(6_000);
        stopped.resume();
      },
      async () => (await holder()).restart("SIGTERM"),
    ];
    const ids: string[] = [];
    let happening: Promise<void> = pause(EXPIRE_MS + 2_000);
    for (let i = 0; i < SESSIONS; i++) {
      const id = await open(i % 2 === 0 ? "silent" : "leased");
      if (i % 2 === 1) await claim(id);
      ids.push(id);
      if (i % FAULT_EVERY === FAULT_EVERY / 2) happening = happening.then(faults.shift() ?? (() => undefined));
      await pause(OPEN_EVERY_MS);
    }
    await happening;
    expect(faults).toEqual([]);

    const lateness: number[] = [];
    for (const [i, id] of ids.entries()) {
      const effects = await effectsOf(id);
      const first = i % 2 === 0 ? "session.warned" : "session.returned";
      expect(effects.map(({ type }) => type)).toEqual([first, "session.closed"]);
      lateness.push(...effects.map(({ at, dueAt }) => at - dueAt));
    }
    lateness.sort((a, b) => a - b);
    expect(lateness[0]).toBeGreaterThanOrEqual(0);
    expect(lateness[Math.floor(lateness.length * 0.99)]).toBeLessThan(2_000);
  }, 180_000);

  it("have every message told while a core node and the one at work are killed", async () => {
    const [ada, ben] = (await cluster.users(2)) as [TestUser, TestUser];
    const post = (path: string, body: object) => cluster.rest("POST", path, ada.token, body).catch(() => undefined);
    const groups: string[] = [];
    for (let i = 0; i < GROUPS; i++) {
      const made = await post("/conversations", { commandId: `group-${i}`, kind: "group", members: [ben.id] });
      groups.push(made?.expect<{ id: string }>(201).id ?? "");
    }
    const say = (i: number): Promise<unknown> =>
      until(`message ${i} is acknowledged`, async () => {
        const body = { commandId: `message-${i}`, text: `text ${i}` };
        return (await post(`/conversations/${groups[i % GROUPS]}/messages`, body))?.status === 201;
      });
    for (let i = 0; i < MESSAGES; i++) {
      if (i === MESSAGES / 3) await cluster.node("core-1").kill("SIGKILL");
      if (i === MESSAGES / 2) await (await holder()).kill("SIGKILL");
      await say(i);
    }
    // The last ones make their new homes find what the old ones left.
    const logged = async (): Promise<string[]> =>
      (await Promise.all(groups.map(eventsOf)))
        .flat()
        .flatMap(({ type, _id }) => (type === "message.created" ? [_id] : []));
    const ids = await logged();
    expect(ids).toHaveLength(MESSAGES);
    const told = (): Set<string> =>
      new Set(cluster.logs.split("\n").flatMap((line) => line.match(/told (\S+)$/)?.[1] ?? []));
    await until("all are told", () => ids.every((id) => told().has(id)), 90_000);
    expect([...told()].filter((id) => !ids.includes(id))).toEqual([]);
    await Promise.all(cluster.nodes.filter(({ running }) => !running).map((node) => node.start()));
  }, 180_000);

  it("run the sweeps and repairs of the cluster, one of them at a time", async () => {
    const node = await holder();
    const text = async (): Promise<string> => (await fetch(`${node.url}/metrics`)).text();
    for (const job of ["marks.sweep", "presence.sweep", "snapshots.repair"]) {
      const done = new RegExp(`^parley_job_success_timestamp_seconds\\{job="${job}"\\} [1-9]`, "m");
      await until(`${job} was done`, async () => done.test(await text()), 20_000);
    }
    // What failed while core nodes were away runs again within a minute.
    await until("no job fails", async () => (await metric(node, "parley_jobs_failing")) === 0, 90_000);
    const holds = await Promise.all(cluster.of("scheduler").map((each) => metric(each, "parley_scheduler_holds")));
    expect(holds.reduce((a, b) => a + b)).toBe(1);
  }, 150_000);
});
