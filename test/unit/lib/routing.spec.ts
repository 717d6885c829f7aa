import { type CallingOptions, type Context, type Middleware, type ServiceSchema, ServiceBroker } from "moleculer";
import { systemClock, systemRandom } from "../../../lib/actor/ports";
import { rendezvous } from "../../../lib/actor/rendezvous";
import { routingMiddleware } from "../../../lib/middlewares/routing";
import { until } from "../../support/wait";

type Next = (name: string, params: unknown, options: CallingOptions) => Promise<unknown>;

const NODES = ["n1", "n2", "n3"];
const IDS = Array.from({ length: 60 }, (_, at) => `actor-${at}`);

/** Answers the node that ran it. */
const where = (ctx: Context) => ctx.broker.nodeID;

const thing = {
  name: "thing",
  actions: {
    touch: { actor: { kind: "thing", id: "id" }, handler: where },
    stall: { actor: { kind: "thing", id: "id" }, handler: () => new Promise(() => undefined) },
    free: where,
    /** Touches the actor from within an action, as a service does. */
    through: (ctx: Context<{ id: string }>) => ctx.call("thing.touch", { id: ctx.params.id }),
  },
} as unknown as ServiceSchema;

/** The calls to actors as routing passed them on. */
const passed: Array<{ id: string; nodeID: string | undefined; timeout: number | null | undefined }> = [];
const recorder = {
  name: "Recorder",
  call: (next: Next) => (name: string, params: { id: string }, options: CallingOptions) => {
    if (name === "thing.touch") passed.push({ id: params.id, nodeID: options.nodeID, timeout: options.timeout });
    return next(name, params, options);
  },
} as unknown as Middleware;

const started: ServiceBroker[] = [];

/** A broker of the cluster `namespace`; those with `hosts` run the service. */
async function start(namespace: string, nodeID: string, hosts = true): Promise<ServiceBroker> {
  const broker = new ServiceBroker({
    namespace,
    nodeID,
    logger: false,
    transporter: "Fake",
    requestTimeout: 5_000,
    middlewares: [recorder, routingMiddleware({ clock: systemClock, random: systemRandom, timeoutMs: 5_000 })],
  });
  started.push(broker);
  if (hosts) broker.createService(thing);
  await broker.start();
  return broker;
}

async function known(brokers: readonly ServiceBroker[], nodeIDs: readonly string[]): Promise<void> {
  const wanted = [...nodeIDs].sort().join();
  await until(`all know ${wanted}`, () => brokers.every((broker) => hostsSeenBy(broker).sort().join() === wanted));
}

interface Cluster {
  readonly n1: ServiceBroker;
  readonly n2: ServiceBroker;
  readonly n3: ServiceBroker;
  /** Runs no service. */
  readonly outside: ServiceBroker;
}

/** Three nodes that run the service and one that does not, all of which know each other. */
async function startCluster(namespace: string): Promise<Cluster> {
  const [n1, n2, n3, outside] = await Promise.all([
    start(namespace, "n1"),
    start(namespace, "n2"),
    start(namespace, "n3"),
    start(namespace, "outside", false),
  ]);
  await known([n1, n2, n3, outside], NODES);
  return { n1, n2, n3, outside };
}

const stopAll = async (): Promise<void> => void (await Promise.all(started.splice(0).map((broker) => broker.stop())));

const touchAll = (broker: ServiceBroker): Promise<string[]> =>
  Promise.all(IDS.map((id) => broker.call<string, { id: string }>("thing.touch", { id })));

const homesOver = (nodes: readonly string[]) => IDS.map((id) => rendezvous(id, nodes));
const idAtHomeOn = (node: string) => IDS.find((id) => rendezvous(id, NODES) === node) ?? "";

describe("routing between nodes", () => {
  let cluster: Cluster;

  beforeAll(async () => (cluster = await startCluster("routing")));
  beforeEach(() => void (passed.length = 0));
  afterAll(stopAll);

  it("sends an id to one and the same node, whoever calls", async () => {
    const homes = homesOver(NODES);
    expect(new Set(homes)).toEqual(new Set(NODES));
    for (const broker of Object.values(cluster) as ServiceBroker[]) expect(await touchAll(broker)).toEqual(homes);
  });

  it("does so for calls from within actions", async () => {
    const through = IDS.map((id): Promise<unknown> => cluster.n1.call("thing.through", { id }, { nodeID: "n2" }));
    expect(await Promise.all(through)).toEqual(homesOver(NODES));
  });

  it("leaves a call alone that names its node", async () => {
    for (const nodeID of NODES) {
      const ran = IDS.map((id): Promise<unknown> => cluster.n1.call("thing.touch", { id }, { nodeID }));
      expect(new Set(await Promise.all(ran))).toEqual(new Set([nodeID]));
    }
  });

  it("leaves actions without an actor where Moleculer sends them", async () => {
    for (const broker of [cluster.n1, cluster.n2]) {
      const ran = IDS.map((id): Promise<unknown> => broker.call("thing.free", { id }));
      expect(new Set(await Promise.all(ran))).toEqual(new Set([broker.nodeID]));
    }
  });

  it("gives an attempt no more time than its caller has", async () => {
    await cluster.n1.call("thing.touch", { id: "actor-0" }, { meta: { deadline: Date.now() + 700 } });
    expect(passed).toMatchObject([{ id: "actor-0", nodeID: rendezvous("actor-0", NODES) }]);
    expect(passed[0]?.timeout).toBeGreaterThan(0);
    expect(passed[0]?.timeout).toBeLessThanOrEqual(700);
  });

  it("says UNKNOWN_OUTCOME when the home took a call and did not answer in time", async () => {
    const stalled = cluster.n1.call("thing.stall", { id: idAtHomeOn("n2") }, { timeout: 100 });
    await expect(stalled).rejects.toMatchObject({ type: "UNKNOWN_OUTCOME" });
  });

  it("obeys the deadline in the meta, whatever time-out the call names", async () => {
    const meta = { deadline: Date.now() - 1 };
    const late = cluster.n1.call("thing.touch", { id: idAtHomeOn("n2") }, { timeout: 60_000, meta });
    await expect(late).rejects.toMatchObject({ type: "UNAVAILABLE" });
    expect(passed).toEqual([]);
  });
});

describe("routing when nodes go", () => {
  beforeEach(() => void (passed.length = 0));
  afterEach(stopAll);

  it("moves the ids of a node that stops, and no others", async () => {
    const { n1, n2, n3, outside } = await startCluster("routing-stop");
    const before = await touchAll(n1);
    await n3.stop();
    await known([n1, n2, outside], ["n1", "n2"]);
    const after = before.map((home, at) => (home === "n3" ? homesOver(["n1", "n2"])[at] : home));
    for (const broker of [n1, n2, outside]) expect(await touchAll(broker)).toEqual(after);
  });

  it("asks the next home when one no longer runs the action", async () => {
    const { n1, n2 } = await startCluster("routing-leave");
    // It refuses the action before the others hear of it.
    n2.registry.unregisterService("thing", "n2");
    const ran = touchAll(n1);
    await until("n2 is asked", () => passed.some(({ nodeID }) => nodeID === "n2"));
    await n2.destroyService("thing");
    expect(await ran).toEqual(homesOver(["n1", "n3"]));
  });

  it("stays local, and names no node, where one node is alone", async () => {
    const n1 = await start("routing-alone", "n1");
    expect(new Set(await touchAll(n1))).toEqual(new Set(["n1"]));
    expect(passed.map(({ nodeID }) => nodeID)).toEqual(IDS.map(() => undefined));
  });
});

/** The nodes that this broker knows to run the service. */
function hostsSeenBy(broker: ServiceBroker): string[] {
  const actions = broker.registry.getActionList({ onlyAvailable: true, withEndpoints: true }) as unknown as Array<{
    name: string;
    endpoints?: Array<{ nodeID: string }>;
  }>;
  return actions.find(({ name }) => name === "thing.touch")?.endpoints?.map(({ nodeID }) => nodeID) ?? [];
}
