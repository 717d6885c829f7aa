import { randomBytes } from "node:crypto";
import { io, type Socket } from "socket.io-client";
import { systemClock } from "../../lib/actor/ports";
import { readConfig } from "../../lib/config";
import type { Kv } from "../../lib/kv/kv";
import { MemoryKv } from "../../lib/kv/memory";
import { createNode, type Node } from "../../lib/node";
import type { Store } from "../../lib/store/collection";
import { MemoryStore } from "../../lib/store/memory";
import { ROLES } from "../../services/roles";
import type { Role } from "../../services/schemas";
import { ADMIN_ENV, type Login, setRoles, signUp } from "./accounts";
import { UNLIMITED } from "./api";
import { LocalNetwork, LocalTransporter } from "./local-network";
import { MortalStore } from "./mortal-store";
import { until } from "./wait";

interface LocalNode {
  readonly id: string;
  readonly node: Node;
  readonly store: MortalStore;
}

export interface LocalClusterOptions {
  readonly io?: number;
  readonly core?: number;
}

/** Io and core nodes as brokers of this process, over one store in memory and a network that can fail. */
export class LocalCluster {
  readonly network = new LocalNetwork();
  readonly store: Store = new MemoryStore();
  private readonly kv: Kv = new MemoryKv({ clock: systemClock });
  private readonly nodes: LocalNode[] = [];
  private readonly sockets: Socket[] = [];
  private readonly name = `local-${randomBytes(6).toString("hex")}`;
  private readonly env = { AUTH_KEYS: `test:${randomBytes(32).toString("base64")}`, NAMESPACE: this.name };

  private constructor() {}

  /** Starts the nodes; `stop` it, also after a failed test. */
  static async start({ io: ios = 2, core = 3 }: LocalClusterOptions = {}): Promise<LocalCluster> {
    const cluster = new LocalCluster();
    try {
      for (let n = 1; n <= core; n++) await cluster.add("core", `core-${n}`);
      for (let n = 1; n <= ios; n++) await cluster.add("io", `io-${n}`);
      await cluster.settled();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** One more node. */
  async add(role: "io" | "core", id: string): Promise<Node> {
    const config = readConfig({
      ...UNLIMITED,
      ...ADMIN_ENV,
      ...this.env,
      NODE_ID: id,
      SERVICES: ROLES[role].join(),
      PORT: "0",
      LOG_LEVEL: "silent",
      DRAIN_SECONDS: "1",
    });
    const store = new MortalStore(this.store);
    const transporter = new LocalTransporter(this.network, id);
    const node = await createNode({ config, store, kv: withoutClose(this.kv), transporter });
    this.nodes.push({ id, node, store });
    await node.start();
    return node;
  }

  node(id: string): Node {
    return this.find(id).node;
  }

  /** A node's own access to the store. */
  storeOf(id: string): MortalStore {
    return this.find(id).store;
  }

  /** Ends a node as SIGKILL does: it says nothing any more, hears nothing, and reads and writes nothing. */
  kill(id: string): void {
    this.network.cut(id);
    this.find(id).store.die();
  }

  /** Resolves when each node knows exactly those that live. */
  async settled(): Promise<void> {
    const living = this.nodes.filter(({ id }) => !this.network.isCut(id));
    const ids = living.map(({ id }) => id).sort();
    const knowsThem = ({ node: { broker } }: LocalNode): boolean => {
      const known: Array<{ id: string }> = broker.registry.getNodeList({ onlyAvailable: true });
      return (
        known
          .map(({ id }) => id)
          .sort()
          .join() === ids.join()
      );
    };
    await until("each node knows who lives", () => living.every(knowsThem));
  }

  user(...roles: Role[]): Promise<Login> {
    return signUp(this.node("io-1").broker, ...roles);
  }

  /** Has a node give a user these roles. */
  setRoles(id: string, userId: string, ...roles: Role[]): Promise<void> {
    return setRoles(this.node(id).broker, userId, ...roles);
  }

  /** A connected stock client that does nothing by itself. */
  async connect({ token }: Login, ioNode = "io-1"): Promise<Socket> {
    const { url } = this.node(ioNode);
    const socket = io(url, { transports: ["websocket"], forceNew: true, reconnection: false, auth: { token } });
    this.sockets.push(socket);
    await until("it is connected", () => socket.connected);
    return socket;
  }

  /** A number from the metrics of a node. */
  async metric(id: string, name: string): Promise<number> {
    const text = await (await fetch(`${this.node(id).url}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.disconnect();
    const living = this.nodes.filter(({ id }) => !this.network.isCut(id));
    // The io nodes first, as nobody else would serve what their clients do at the end.
    for (const { node } of living.reverse()) await node.stop();
    for (const { id, node, store } of this.nodes) if (this.network.isCut(id)) await bury(node, store);
  }

  private find(id: string): LocalNode {
    const found = this.nodes.find((each) => each.id === id);
    if (!found) throw new Error(`there is no ${id}`);
    return found;
  }
}

/** A dead node still has its timers: it comes to life once more, alone, to stop. */
async function bury(node: Node, store: MortalStore): Promise<void> {
  store.revive();
  await node.stop();
}

const withoutClose = (kv: Kv): Kv => Object.assign(Object.create(kv) as Kv, { close: () => Promise.resolve() });
