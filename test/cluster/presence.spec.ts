import { performance } from "node:perf_hooks";
import { ServiceBroker } from "moleculer";
import { io, type Socket } from "socket.io-client";
import { readConfig } from "../../lib/config";
import { natsTransporter } from "../../lib/nats-transporter";
import { callPresence, type Explanation } from "../../services/presence/presence.internal";
import type { TestUser } from "../support/api";
import { TestCluster } from "../support/cluster";
import { until } from "../support/wait";

/** Within this the last clean disconnect is seen. */
const LEFT_MS = 2_000;
/** A node that died is noticed, given its grace, and its users are shown as gone. */
const LOST_MS = 20_000;
const CROWD = 1_000;
const AT_ONCE = 20;

interface Told {
  readonly userId: string;
  readonly status: string;
}

describe("presence over nodes", () => {
  let cluster: TestCluster;
  let observer: ServiceBroker;
  let told: Told[];
  let known: TestUser[];
  let watcher: Socket;
  let conversationId: string;
  const sockets: Socket[] = [];

  beforeAll(async () => {
    cluster = await TestCluster.start({ gateway: 1, io: 3, core: 2 });
    const config = readConfig({ ...cluster.environment, DATA_DIR: "data", NODE_ID: "observer" });
    const transporter = natsTransporter(config);
    observer = new ServiceBroker({ namespace: config.NAMESPACE, nodeID: "observer", logger: false, transporter });
    await observer.start();
    await observer.waitForServices("presence");
    known = await cluster.users(5);
    const [first, ...others] = known as [TestUser, ...TestUser[]];
    const body = { commandId: "group", kind: "group", members: others.map(({ id }) => id) };
    conversationId = (await cluster.rest("POST", "/conversations", first.token, body)).expect<{ id: string }>(201).id;
  }, 60_000);
  beforeEach(async () => {
    told = [];
    watcher = await connect(user(0), "io-1");
    watcher.on("presence", (data: Told) => told.push(data));
    await isLive(watcher);
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) if (socket !== watcher) socket.disconnect();
    // What is told late must not reach the next test.
    const here = (): TestUser[] => known.slice(1).filter((each) => (toldOf(each).at(-1) ?? "offline") !== "offline");
    await until("all others are told to be gone", () => here().length === 0, LOST_MS);
    watcher.disconnect();
    await until("nobody is there", async () => (await who()).total === 0, LOST_MS);
  });
  afterAll(async () => {
    await observer.stop();
    await cluster.stop();
  });

  const user = (n: number): TestUser => known[n] as TestUser;
  const connect = async ({ token }: TestUser, node: string): Promise<Socket> => {
    const { url } = cluster.node(node);
    const socket = io(url, { transports: ["websocket"], forceNew: true, reconnection: false, auth: { token } });
    sockets.push(socket);
    await until(`connected to ${node}`, () => socket.connected);
    return socket;
  };
  /** What is not stored is told only to whom the conversation is live by then. */
  const isLive = async (socket: Socket): Promise<void> => {
    let live = false;
    socket.once("events", () => (live = true));
    const path = `/conversations/${conversationId}/messages`;
    await until("the conversation is live", async () => {
      const message = { commandId: crypto.randomUUID(), text: "Here" };
      (await cluster.rest("POST", path, user(0).token, message)).expect(201);
      return live;
    });
  };
  const who = () => callPresence(observer, "presence.who", { limit: 1 });
  const explain = ({ id }: TestUser): Promise<Explanation> =>
    callPresence(observer, "presence.explain", { userId: id });
  const toldOf = ({ id }: TestUser): string[] => told.filter(({ userId }) => userId === id).map(({ status }) => status);
  const isTold = (who: TestUser, status: string, ms: number): Promise<unknown> =>
    until(`${status} is told`, () => toldOf(who).at(-1) === status, ms);

  it("tells members on other nodes that somebody came, and the last clean disconnect within two seconds", async () => {
    const first = await connect(user(1), "io-2");
    await isTold(user(1), "online", LEFT_MS);
    const second = await connect(user(1), "io-3");
    const nodes = async () => (await explain(user(1))).connections.map(({ node }) => node).sort();
    await until("both are known", async () => (await nodes()).join() === "io-2,io-3");
    first.disconnect();
    await until("one is left", async () => (await explain(user(1))).connections.length === 1);
    const leftAt = performance.now();
    second.disconnect();
    await isTold(user(1), "offline", LEFT_MS);
    expect(performance.now() - leftAt).toBeLessThan(LEFT_MS);
    expect(toldOf(user(1))).toEqual(["online", "offline"]);
    expect(await explain(user(1))).toMatchObject({ status: "offline", reason: "left", connections: [] });
  });

  it("knows what a user chose wherever it is asked", async () => {
    const socket = await connect(user(1), "io-2");
    await socket.emitWithAck("presence.set", { status: "busy" });
    await isTold(user(1), "busy", LEFT_MS);
    expect(await explain(user(1))).toMatchObject({ status: "busy", reason: "chosen" });
    await socket.emitWithAck("presence.set", { status: "online" });
  });

  it("shows the users of a node that was killed as gone, and nobody who is connected elsewhere", async () => {
    for (let n = 0; n < CROWD; n += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, async () => connect(await cluster.guest(), "io-2")));
    }
    await connect(user(1), "io-2");
    await connect(user(2), "io-2");
    await connect(user(2), "io-3");
    await connect(user(3), "io-2");
    await until("all are there", async () => (await who()).total === CROWD + 4);
    await cluster.node("io-2").kill("SIGKILL");
    await connect(user(3), "io-3");
    await isTold(user(1), "offline", LOST_MS);
    await until("the crowd is gone", async () => (await who()).total === 3, LOST_MS);
    expect((await explain(user(1))).reason).toBe("node lost");
    expect([toldOf(user(2)), toldOf(user(3))]).toEqual([["online"], ["online"]]);
    await cluster.node("io-2").start();
  }, 150_000);

  it("gives up a process that stands still, and takes its users back when it goes on", async () => {
    await connect(user(1), "io-2");
    await connect(user(2), "io-2");
    await connect(user(2), "io-3");
    await isTold(user(2), "online", LEFT_MS);
    cluster.node("io-2").suspend();
    await isTold(user(1), "offline", LOST_MS);
    cluster.node("io-2").resume();
    await isTold(user(1), "online", 5_000);
    expect(toldOf(user(2))).toEqual(["online"]);
  }, 60_000);

  it("is kept by the core nodes that are left when one is killed", async () => {
    const socket = await connect(user(1), "io-2");
    await isTold(user(1), "online", LEFT_MS);
    await cluster.node("core-1").kill("SIGKILL");
    socket.disconnect();
    await isTold(user(1), "offline", 10_000);
    await connect(user(1), "io-3");
    await isTold(user(1), "online", LEFT_MS);
    await cluster.node("core-1").start();
  }, 60_000);
});
