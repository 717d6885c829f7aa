import { TestCluster, type TestClusterOptions } from "../support/cluster";
import { type Servers, startServers } from "../support/servers/servers";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy";

const TOKEN_SECONDS = "7200";
const MACHINES = { gateway: 2, io: 2, core: 3, scheduler: 2 };

export interface StageOptions extends Pick<TestClusterOptions, "env"> {
  /** Nodes that reach the broker by way of a proxy of their own, which can be cut. */
  readonly cuttable?: readonly string[];
}

/** A cluster of two gateways, two io nodes, three core nodes and two schedulers on servers of its own. */
export class Stage {
  private constructor(
    readonly servers: Servers,
    readonly cluster: TestCluster,
    private readonly proxies: ReadonlyMap<string, TcpProxy>,
  ) {}

  /** Stop it with `stop`, also after a failed test. */
  static async start({ cuttable = [], env = {} }: StageOptions = {}): Promise<Stage> {
    const servers = await startServers();
    const proxies = new Map<string, TcpProxy>();
    try {
      const { url, port } = servers.nats;
      for (const id of cuttable) proxies.set(id, await startTcpProxy({ host: "127.0.0.1", port }));
      const nodes = Object.fromEntries(
        [...proxies].map(([id, proxy]) => [id, { env: { NATS_URL: proxy.through(url) } }]),
      );
      const options = { env: { ACCESS_TOKEN_SECONDS: TOKEN_SECONDS, ...env }, servers: servers.env, nodes };
      return new Stage(servers, await TestCluster.start({ ...MACHINES, ...options }), proxies);
    } catch (error) {
      await end(servers, proxies);
      throw error;
    }
  }

  get mongoUri(): string {
    return this.cluster.environment["MONGODB_URI"] ?? "";
  }

  /** What lies between a node of `cuttable` and the broker. */
  brokerOf(id: string): TcpProxy {
    const proxy = this.proxies.get(id);
    if (!proxy) throw new Error(`${id} has no proxy`);
    return proxy;
  }

  async stop(): Promise<void> {
    await this.cluster.stop();
    await end(this.servers, this.proxies);
  }
}

async function end(servers: Servers, proxies: ReadonlyMap<string, TcpProxy>): Promise<void> {
  await Promise.all([...proxies.values()].map((proxy) => proxy.close()));
  await servers.stop();
}
