import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { Guard } from "../../lib/cluster/guard";
import { unusedPort } from "../../lib/cluster/ports";
import { FrontDoor } from "../../lib/front-door/front-door";
import { openMongoStore } from "../../lib/store/mongo/store";
import { COLLECTIONS } from "../../services/collections";
import { NODE_ROLES, type NodeRole, routesOf } from "../../services/roles";
import { ADMIN, ServerApi, serverEnv } from "./api";
import { build } from "./build";
import { ClusterNode } from "./cluster-node";
import { type Answer, rest } from "./rest";
import { freshEnvironment } from "./servers/shared";
import { until } from "./wait";

const ROOT = join(__dirname, "../..");
const DEFAULT_ENTRY = "bin/parley.ts";
const REQUEST_TIMEOUT_MS = 10_000;
const SERVE_TIMEOUT_MS = 15_000;
const MAX_CONNECTIONS = 100_000;

type Environment = Readonly<Record<string, string>>;

/** What one node has of its own. */
export interface NodeOptions {
  readonly env?: Environment;
  /** The script to start instead of bin/parley.ts, relative to the project's folder. */
  readonly entry?: string;
  /** Words before `node`, such as `taskset -c 0`. */
  readonly prefix?: readonly string[];
  readonly nodeArguments?: readonly string[];
}

export interface TestClusterOptions {
  readonly gateway?: number;
  readonly io?: number;
  readonly core?: number;
  readonly scheduler?: number;
  /** NATS_URL, MONGODB_URI and REDIS_URL of servers of its own; those that the run shares when absent. */
  readonly servers?: Environment;
  /** For every node. */
  readonly env?: Environment;
  /** For a node by its id: `core-1`, `io-2`. */
  readonly nodes?: Readonly<Record<string, NodeOptions>>;
}

/**
 * A cluster of real processes on real servers, with a front door in this process: one URL for REST and sockets. Its
 * database, its broker's namespace and its keys are its own.
 */
export class TestCluster extends ServerApi {
  readonly nodes: ClusterNode[] = [];
  readonly frontDoor: FrontDoor;
  private readonly guard = new Guard("KILL");
  private readonly folder = mkdtempSync(join(tmpdir(), "parley-cluster-"));
  private readonly env: Readonly<Record<string, string | undefined>>;

  private constructor(
    private readonly options: TestClusterOptions,
    private readonly servers: Servers,
  ) {
    super();
    const routes = routesOf(REQUEST_TIMEOUT_MS);
    this.frontDoor = new FrontDoor({ host: "127.0.0.1", port: 0, maxConnections: MAX_CONNECTIONS, routes });
    this.env = {
      ...serverEnv(),
      ...servers.env,
      AUTH_KEYS: `test:${randomBytes(32).toString("base64")}`,
      DATA_DIR: this.folder,
      TRUST_PROXY_HOPS: "1",
      ...options.env,
    };
  }

  /** Starts all nodes at once and waits until each of them serves. Stop it with `stop`, also after a failed test. */
  static async start(options: TestClusterOptions = {}): Promise<TestCluster> {
    const { servers } = options;
    const cluster = new TestCluster(options, servers ? ownPart(servers) : await freshEnvironment());
    try {
      await cluster.frontDoor.listen();
      await migrate(cluster.env["MONGODB_URI"] ?? "");
      for (const role of NODE_ROLES) {
        const count = options[role] ?? DEFAULTS[role];
        for (let n = 1; n <= count; n++) cluster.nodes.push(await cluster.makeNode(`${role}-${n}`, role));
      }
      await cluster.startAll();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** Where clients connect: the front door. */
  override get url(): string {
    return this.frontDoor.url;
  }

  /** A node by its id, such as `core-1`. */
  node(id: string): ClusterNode {
    const node = this.nodes.find((each) => each.id === id);
    if (!node) throw new Error(`there is no ${id} among ${this.nodes.map((each) => each.id).join(", ")}`);
    return node;
  }

  /** The nodes of a role, in order. */
  of(role: NodeRole): ClusterNode[] {
    return this.nodes.filter((node) => node.role === role);
  }

  /** One more node of a role, started. */
  async add(role: NodeRole, options: NodeOptions = {}): Promise<ClusterNode> {
    const node = await this.makeNode(`${role}-${this.of(role).length + 1}`, role, options);
    this.nodes.push(node);
    await node.start();
    return node;
  }

  /** Everything that all nodes have written, each line with its node. */
  get logs(): string {
    return this.nodes.flatMap(({ id, logs }) => logs.split("\n").map((line) => `${id} ${line}`)).join("\n");
  }

  /** What a process needs to join this cluster as a further one. */
  get environment(): Readonly<Record<string, string | undefined>> {
    return this.env;
  }

  /** Ends all nodes, at once with SIGKILL: whoever tests an orderly end does it before. */
  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill("SIGKILL")));
    await this.frontDoor.close();
    this.guard.close();
    await this.servers.drop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async startAll(): Promise<void> {
    const outcomes = await Promise.allSettled(this.nodes.map((node) => node.start()));
    const failed = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [String(outcome.reason)] : []));
    if (failed.length > 0) throw new Error(failed.join("\n"));
    const reached = [...this.of("gateway"), ...this.of("io")];
    await until("the front door reaches all", () => reached.every(({ id }) => this.frontDoor.healthy.includes(id)));
    await Promise.all(this.of("gateway").map((node) => this.untilServes(node)));
  }

  /** Ready is a node by itself; it serves when it has also found the others. */
  private async untilServes({ id, url }: ClusterNode): Promise<void> {
    let last: Answer | undefined;
    const logIn = async (): Promise<boolean> => {
      last = await rest(url, "POST", "/auth/login", undefined, ADMIN);
      return last.status === 200;
    };
    await until(`${id} serves`, logIn, SERVE_TIMEOUT_MS).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify(last?.body)}\n${this.logs.slice(-4_000)}`);
    });
  }

  private async makeNode(id: string, role: NodeRole, options = this.options.nodes?.[id] ?? {}): Promise<ClusterNode> {
    const entry = options.entry ?? DEFAULT_ENTRY;
    const script = join(await build(), relative(ROOT, join(ROOT, entry)).replace(/\.ts$/, ".js"));
    const { prefix = [], nodeArguments = [] } = options;
    return new ClusterNode({
      id,
      role,
      port: await unusedPort(),
      command: [...prefix, process.execPath, ...nodeArguments, script],
      cwd: this.folder,
      env: { ...this.env, ...options.env },
      onStart: (pid) => this.guard.watch(pid),
      onEnd: (pid) => this.guard.forget(pid),
      onReady: (target) => this.frontDoor.add(target),
      onStopping: (name) => this.frontDoor.remove(name),
    });
  }
}

const DEFAULTS: Readonly<Record<NodeRole, number>> = { gateway: 1, io: 1, core: 1, scheduler: 0 };
async function migrate(uri: string): Promise<void> {
  const store = await openMongoStore({ uri });
  try {
    await store.migrate(COLLECTIONS);
  } finally {
    await store.close();
  }
}

/** The addresses of the servers, and what deletes what the cluster has put there. */
interface Servers {
  readonly env: Environment;
  drop(): Promise<void>;
}

/** A database and a namespace of its own on private servers, which end with all that is in them. */
function ownPart(servers: Environment): Servers {
  const name = `test-${randomBytes(6).toString("hex")}`;
  const database = new URL(servers["MONGODB_URI"] ?? "");
  database.pathname = `/${name}`;
  return { env: { ...servers, MONGODB_URI: database.href, NAMESPACE: name }, drop: async () => undefined };
}
