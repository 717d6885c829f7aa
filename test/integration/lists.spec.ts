import type { Socket } from "socket.io-client";
import type { Principal } from "../../services/auth/principal";
import { call } from "../../services/call";
import type { SessionView } from "../../services/conversation-views";
import type { QueueChange } from "../../services/session/queue";
import { LocalCluster } from "../support/local-cluster";
import { get, type Login } from "../support/socket-node";
import { until } from "../support/wait";

let cluster: LocalCluster;
beforeAll(async () => {
  cluster = await LocalCluster.start({ io: 2, core: 3 });
});
afterAll(() => cluster.stop());
beforeEach(() => {
  cluster.network.faults = { drop: 0, double: 0, delayMs: 0 };
});

const CORES = ["core-1", "core-2", "core-3"];
const uuid = (): string => crypto.randomUUID();
const principal = ({ id }: Login, ...roles: Principal["roles"]): { meta: { user: Principal } } => ({
  meta: { user: { id, roles: roles.length > 0 ? roles : ["customer"], guest: false, family: "test" } },
});

describe("a list, of whichever core node it is asked,", () => {
  it("has the conversations that its caller made just before, as they are", async () => {
    const [ada, ben] = [await cluster.user(), await cluster.user()];
    const socket = await cluster.connect(ada);
    for (let n = 1; n <= 6; n++) {
      const command = { commandId: uuid(), kind: "group", members: [ben.id] };
      const { id } = await get<{ id: string }>(socket, "conversation.create", command);
      await get(socket, "message.send", { commandId: uuid(), conversationId: id, text: `text ${n}` });
      for (const core of CORES) {
        const { broker } = cluster.node(core);
        const { conversations } = await call(broker, "room.list", { limit: 100 }, principal(ada));
        expect(conversations).toHaveLength(n);
        const made = conversations.find((one) => one.id === id);
        expect(made).toMatchObject({ lastSeq: 2, lastMessage: { text: `text ${n}` } });
        const theirs = await call(broker, "room.list", { limit: 100 }, principal(ben));
        expect(theirs.conversations.find((one) => one.id === id)).toMatchObject({ unread: 1 });
      }
    }
  });

  it("has the sessions as they are", async () => {
    const [carl, ada] = [await cluster.user(), await cluster.user("agent")];
    const [asking, helping] = [await cluster.connect(carl), await cluster.connect(ada, "io-2")];
    for (let n = 1; n <= 4; n++) {
      const { id } = await get<{ id: string }>(asking, "session.open", { commandId: uuid(), topic: `topic ${n}` });
      for (const core of CORES) {
        const filter = { status: "unassigned" as const };
        const { sessions } = await call(cluster.node(core).broker, "session.list", filter, principal(ada, "agent"));
        expect(sessions.map((session) => session.id)).toContain(id);
      }
      await get(helping, "session.claim", { commandId: uuid(), sessionId: id });
      for (const core of CORES) {
        const filter = { status: "unassigned" as const };
        const { sessions } = await call(cluster.node(core).broker, "session.list", filter, principal(ada, "agent"));
        expect(sessions.map((session) => session.id)).not.toContain(id);
      }
    }
  });
});

describe("the queue", () => {
  /** The queue as a subscriber keeps it. */
  async function follow(socket: Socket): Promise<Map<string, SessionView>> {
    const waiting = new Map<string, SessionView>();
    socket.on("queue", ({ added, changed, removed }: QueueChange) => {
      for (const session of [...added, ...changed]) waiting.set(session.id, session);
      for (const id of removed) waiting.delete(id);
    });
    const { sessions } = await get<{ sessions: SessionView[] }>(socket, "session.queue", { subscribe: true });
    for (const session of sessions) waiting.set(session.id, session);
    return waiting;
  }

  it("comes to the same on every io node, though broadcasts are lost, late and out of order", async () => {
    const agents = [await cluster.user("agent"), await cluster.user("agent")] as const;
    const sockets = [await cluster.connect(agents[0], "io-1"), await cluster.connect(agents[1], "io-2")] as const;
    const queues = [await follow(sockets[0]), await follow(sockets[1])] as const;
    cluster.network.faults = { drop: 0.4, double: 0.3, delayMs: 100 };
    const waiting = new Set<string>();
    for (let n = 0; n < 8; n++) {
      const customer = await cluster.connect(await cluster.user(), `io-${(n % 2) + 1}`);
      const { id } = await get<{ id: string }>(customer, "session.open", { commandId: uuid(), topic: "queue" });
      waiting.add(id);
      const agent = sockets[n % 2] as Socket;
      if (n % 4 !== 0) {
        await get(agent, "session.claim", { commandId: uuid(), sessionId: id });
        waiting.delete(id);
      }
      if (n % 4 === 3) {
        await get(agent, "session.return", { commandId: uuid(), sessionId: id });
        waiting.add(id);
      }
    }
    const expected = [...waiting].sort().join();
    const isIt = (queue: Map<string, SessionView>): boolean => [...queue.keys()].sort().join() === expected;
    await until("both have it", () => queues.every(isIt));
  });
});
