import { TestCluster } from "../test/support/cluster";
import type { ClusterNode } from "../test/support/cluster-node";
import type { Servers } from "../test/support/servers";
import { makeConversations } from "./conversations";
import type { Charged } from "./generator/load";
import { pinned } from "./machine";
import { type Running, SERVER_CORE, type StartOptions, type System, TOKEN_SECONDS } from "./systems";
import { CONNECTIONS, type Workload } from "./workloads";

const MOST_SOCKET_NODES = 2;

/** The stores and the broker that every system of a run shares: reported, not charged. */
export const foreign = ({ nats, redis, mongo }: Servers): Charged[] =>
  [nats, redis, mongo].filter((server) => server !== undefined).map(({ name, pid }) => ({ name, pid, foreign: true }));

/** Parley as gateway, io and core processes on one core; users and conversations made once. */
export class ParleyCluster implements System {
  readonly name = "Parley";
  readonly mostSockets = MOST_SOCKET_NODES;

  private constructor(
    private readonly cluster: TestCluster,
    private readonly servers: Servers,
    private readonly tokens: readonly string[],
    private readonly rooms: ReadonlyMap<Workload, readonly string[]>,
  ) {}

  /** Signs 1,000 users up and makes the conversations of these workloads. Remove them with `remove`. */
  static async prepare(servers: Servers, workloads: readonly Workload[]): Promise<ParleyCluster> {
    const prefix = pinned(SERVER_CORE);
    const ids = ["gateway-1", "core-1", ...Array.from({ length: MOST_SOCKET_NODES }, (_, at) => `io-${at + 1}`)];
    const cluster = await TestCluster.start({
      gateway: 1,
      io: MOST_SOCKET_NODES,
      core: 1,
      scheduler: 0,
      servers: servers.env,
      env: { ACCESS_TOKEN_SECONDS: TOKEN_SECONDS },
      nodes: Object.fromEntries(ids.map((id) => [id, { prefix }])),
    });
    const users = await cluster.users(CONNECTIONS);
    const rooms = new Map<Workload, readonly string[]>();
    for (const workload of workloads) rooms.set(workload, await makeConversations(cluster, workload, users));
    await endAll(cluster.nodes);
    return new ParleyCluster(
      cluster,
      servers,
      users.map(({ token }) => token),
      rooms,
    );
  }

  async start(workload: Workload, { sockets = 1 }: StartOptions = {}): Promise<Running> {
    const io = this.cluster.of("io").slice(0, sockets);
    const nodes = [...this.cluster.of("core"), ...this.cluster.of("gateway"), ...io];
    await Promise.all(nodes.map((node) => node.start()));
    const ids = this.rooms.get(workload) ?? [];
    return {
      plan: {
        ports: io.map(({ url }) => Number(new URL(url).port)),
        auths: this.tokens.map((token) => ({ token })),
        rooms: workload.rooms.map((room, at) => ({ ...room, conversationId: ids[at] ?? "" })),
        processes: [...nodes.map(({ role, pid }) => ({ name: role, pid })), ...foreign(this.servers)],
      },
      kill: () => process.kill(io[1]?.pid ?? 0, "SIGKILL"),
      stop: () => endAll(nodes),
    };
  }

  remove(): Promise<void> {
    return this.cluster.stop();
  }
}

const endAll = async (nodes: readonly ClusterNode[]): Promise<void> =>
  void (await Promise.all(nodes.map((node) => node.kill("SIGTERM"))));
