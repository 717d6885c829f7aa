import { Attempts } from "../../lib/actor/attempts";
import { Peers, type PeerState } from "../../lib/actor/peers";
import { type Failure, Router } from "../../lib/actor/router";
import { NotHomeError } from "../../lib/middlewares/routing";
import type { Attempt, Send } from "./commands";
import type { Life } from "./life";
import { CallTimeout, type Network, type Peer } from "./network";

/** What goes with a call beside its params. */
export interface Meta {
  readonly userId?: string;
  /** Wall-clock milliseconds of the caller. */
  readonly deadline?: number;
  /** What of a command is counted: who asks for it, and by which message. */
  readonly attempt?: Attempt;
  readonly send?: Send;
}

export type Handlers = Readonly<Record<string, (params: never, meta: Meta) => Promise<unknown>>>;

interface Options {
  readonly nodeID?: string;
  readonly timeout?: number;
  readonly meta?: Meta;
}

/** The actions of actors, and the param that names the actor. */
const ACTORS: Readonly<Record<string, string>> = {
  "room.command": "conversationId",
  "room.catchUp": "at",
  "room.sweep": "of",
  "session.due": "conversationId",
};
const TIMEOUT_MS = 10_000;
const PING_MS = 1_000;

const kindOf = (action: string): string => /^(io|gateway|scheduler)\./.exec(action)?.[1] ?? "core";

export interface BrokerOptions {
  readonly life: Life;
  readonly kind: Peer["kind"];
  readonly network: Network;
  readonly actions: Handlers;
  /** Should this call go to any core node rather than to the home? */
  readonly misroutes: () => boolean;
}

/** As much of a broker as the product uses: calls by name, routed by the product's own `Router`, and broadcasts. */
export class SimBroker {
  readonly nodeID: string;
  readonly peers: Peers;
  readonly router: Router;
  /** What this node says of itself. */
  state: PeerState = "serving";
  /** Calls from other nodes that are not answered yet. */
  underWay = 0;
  readonly registry = {
    actions: { get: (name: string) => ({ endpoints: this.offering(name).map((id) => ({ id })) }) },
  };

  constructor(private readonly options: BrokerOptions) {
    const { life, network } = options;
    this.nodeID = life.name;
    this.peers = new Peers({ clock: life, ping: (node) => network.ping(life, node, PING_MS) });
    this.router = new Router({
      clock: life,
      random: life,
      peers: this.peers,
      attempts: new Attempts(life, this.peers),
      self: life.name,
      nodes: () => this.offering("room.command"),
      classify,
    });
  }

  /** Is this node the home, as far as it knows? */
  isHome(id: string): boolean {
    return this.offering("room.command").length <= 1 || this.router.home(id) === this.nodeID;
  }

  call(name: string, params: object, options: Options = {}): Promise<unknown> {
    const { life, network } = this.options;
    const { nodeID, timeout = TIMEOUT_MS } = options;
    const meta = { ...options.meta, deadline: options.meta?.deadline ?? life.now() + timeout };
    const attempt = (node: string, ms: number): Promise<unknown> => {
      const send = meta.attempt?.send();
      const own = { ...meta, deadline: Math.min(meta.deadline, life.now() + ms), ...(send && { send }) };
      if (node === this.nodeID) return this.run(name, params, own);
      const arrive = ({ broker }: Peer): Promise<unknown> => {
        if (send) send.deliveries += 1;
        return broker.answer(name, params, own);
      };
      return network.call(life, node, arrive, ms);
    };
    if (nodeID !== undefined) return attempt(nodeID, timeout);
    const actor = ACTORS[name];
    if (actor === undefined) return this.router.any(meta.deadline, attempt, "read");
    const id = (params as Record<string, string>)[actor] ?? "";
    const astray = (node: string): string =>
      this.options.misroutes() ? life.world.random.pick(this.offering(name)) : node;
    const repeats = name === "room.catchUp" || name === "room.sweep" ? "read" : "command";
    return this.router.call(id, meta.deadline, (node, ms) => attempt(astray(node), ms), repeats);
  }

  broadcast(name: string, data: unknown, { groups = [] }: { groups?: string[] } = {}): Promise<void> {
    const { life, network } = this.options;
    for (const group of groups) network.broadcast(life, group, (peer) => peer.told?.(name, data as never, life));
    return Promise.resolve();
  }

  /** A call from another node. A node that is nobody's home sends actors' callers away while another one is. */
  async answer(name: string, params: object, meta: Meta): Promise<unknown> {
    const others = this.offering(name).filter((node) => node !== this.nodeID);
    if (ACTORS[name] !== undefined && this.state !== "serving" && this.peers.anyServes(others))
      throw new NotHomeError();
    this.underWay += 1;
    try {
      return await this.run(name, params, meta);
    } finally {
      this.underWay -= 1;
    }
  }

  private async run(name: string, params: object, meta: Meta): Promise<unknown> {
    const action = this.options.actions[name];
    if (!action) throw new Error(`there is no action ${name}`);
    return action(params as never, meta);
  }

  private offering(name: string): string[] {
    const { life, kind, network } = this.options;
    const offered = kindOf(name);
    const others = network.alive(life, offered);
    return kind === offered ? [life.name, ...others] : others;
  }
}

function classify(error: unknown): Failure {
  if (error instanceof NotHomeError) return "moved";
  const rejected = (error as { type?: unknown } | null)?.type === "REQUEST_REJECTED";
  return error instanceof CallTimeout || rejected ? "no answer" : "answered";
}
