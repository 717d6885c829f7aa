import type { Socket } from "socket.io-client";
import type { SessionView } from "../../services/conversation-views";
import { callSession } from "../../services/session/session.internal";
import type { QueueChange } from "../../services/session/queue";
import { LocalCluster } from "../support/local-cluster";
import { get, heard, outcome } from "../support/socket-node";
import { until } from "../support/wait";

const TOPICS = ["loan", "payment"] as const;
const CUSTOMERS = 6;
const uuid = (): string => crypto.randomUUID();

let cluster: LocalCluster;
beforeEach(async () => {
  cluster = await LocalCluster.start({ io: 2, core: 3 });
}, 30_000);
afterEach(() => cluster.stop());

interface Told extends QueueChange {
  readonly topic?: string;
  readonly epoch?: string;
}

/** An agent who follows the queue of a topic, or the whole one, as the protocol says. */
class Follower {
  readonly waiting = new Map<string, SessionView>();
  gaps = 0;
  private seq = 0;

  private constructor(
    readonly socket: Socket,
    readonly topic: string | undefined,
  ) {}

  static async start(node: string, topic: string | undefined): Promise<Follower> {
    const follower = new Follower(await cluster.connect(await cluster.user("agent"), node), topic);
    follower.socket.on("queue", (change: Told) => follower.take(change));
    const params = { subscribe: true, ...(topic !== undefined && { topic }) };
    const { seq, sessions } = await get<{ seq: number; sessions: SessionView[] }>(
      follower.socket,
      "session.queue",
      params,
    );
    follower.seq = seq;
    for (const session of sessions) follower.waiting.set(session.id, session);
    return follower;
  }

  get ids(): string {
    return [...this.waiting.keys()].sort().join();
  }

  private take({ seq, prevSeq, added, changed, removed }: Told): void {
    if (prevSeq !== this.seq) this.gaps++;
    this.seq = seq;
    for (const session of [...added, ...changed]) this.waiting.set(session.id, session);
    for (const id of removed) this.waiting.delete(id);
  }
}

async function waiting(topic: string | undefined): Promise<string> {
  const { broker } = cluster.node("core-1");
  const { sessions } = await callSession(broker, "session.waiting", topic === undefined ? {} : { topic });
  return sessions
    .map(({ id }) => id)
    .sort()
    .join();
}

describe("the queue over several nodes", () => {
  it("is the same to all who follow it, though broadcasts are lost, doubled and overtaken", async () => {
    const places = ["io-1", "io-2"].flatMap((node) => [undefined, ...TOPICS].map((topic) => [node, topic] as const));
    const followers = await Promise.all(places.map(([node, topic]) => Follower.start(node, topic)));
    const customers = await Promise.all(
      Array.from({ length: CUSTOMERS }, async (_, at) =>
        cluster.connect(await cluster.user(), at % 2 ? "io-1" : "io-2"),
      ),
    );
    cluster.network.faults = { drop: 0.2, double: 0.2, delayMs: 50 };
    const agents = followers.filter(({ topic }) => topic === undefined).map(({ socket }) => socket);
    const life = async (customer: Socket, at: number): Promise<void> => {
      for (const topic of TOPICS) {
        const { id } = await get<SessionView>(customer, "session.open", { commandId: uuid(), topic });
        const outcomes = agents.map((agent) => outcome(agent, "session.claim", { sessionId: id, commandId: uuid() }));
        const winner = agents[(await Promise.all(outcomes)).indexOf("ok")];
        const on = { sessionId: id, commandId: uuid() };
        if (at % 3 > 0 && winner) await get(winner, at % 3 === 1 ? "session.return" : "session.close", on);
      }
    };
    await Promise.all(customers.map(life));
    const truths = new Map<string | undefined, string>(
      await Promise.all([undefined, ...TOPICS].map(async (of) => [of, await waiting(of)] as const)),
    );
    expect(truths.get(undefined)?.split(",")).toHaveLength(4);
    await until(
      "everybody sees what waits",
      () => followers.every(({ ids, topic }) => ids === truths.get(topic)),
      20_000,
    );
    expect(cluster.network.lost.length).toBeGreaterThan(0);
    expect(followers.map(({ gaps }) => gaps)).toEqual(followers.map(() => 0));
  }, 60_000);

  it("tells a customer how fast all agents are, wherever they are", async () => {
    const agents = await Promise.all(
      ["io-1", "io-2"].map(async (at) => cluster.connect(await cluster.user("agent"), at)),
    );
    for (let at = 0; at < 4; at++) {
      const customer = await cluster.connect(await cluster.user(), "io-1");
      const { id } = await get<SessionView>(customer, "session.open", { commandId: uuid(), topic: "loan" });
      const agent = agents[at % 2];
      if (agent) await get(agent, "session.claim", { sessionId: id, commandId: uuid() });
    }
    const last = await cluster.connect(await cluster.user(), "io-2");
    const told = heard<{ sessionId: string; from: number; waitSeconds: number | null }>(last, "queue.position");
    const { id } = await get<SessionView>(last, "session.open", { commandId: uuid(), topic: "loan" });
    await until("it is told", () => told.length > 0);
    expect(told[0]).toEqual({ sessionId: id, from: 1, to: 1, waitSeconds: 60 });
  }, 60_000);
});
