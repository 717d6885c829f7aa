import type { ServiceBroker } from "moleculer";
import { Attempts } from "./actor/attempts";
import { Backoff } from "./actor/backoff";
import { Peers } from "./actor/peers";
import type { Clock, Random } from "./actor/ports";
import { type Failure, type Repeats, Router } from "./actor/router";
import { pause } from "./actor/time";
import { ParleyError } from "./errors";
import { lifecycleOf } from "./lifecycle";
import { metricsOf } from "./metrics";
import { NodeState } from "./node-state";
import { type Offering, offersOf, othersOffering } from "./offers";
import { RemoteDeadlines } from "./remote-deadlines";
import { transporterIsUp } from "./transporter";

/** What an action says of its routing; told to other nodes with the action. */
export interface RoutedAction {
  /** Routed to the home of the actor named by `params[id]`. */
  readonly actor?: { readonly kind: string; readonly id: string };
  /** What may be called again when its answer was lost. An actor's action is a command unless it says read. */
  readonly repeats?: Repeats;
}

interface Offer<A> {
  readonly id: string;
  readonly action: A;
}

export interface RoutingPorts {
  readonly clock: Clock;
  readonly random: Random;
  /** How long a stopping node waits for what it was asked by others. */
  readonly timeoutMs: number;
}

/** Who is whose home, as this node sees it, and what this node says of itself. */
export class Routing {
  readonly peers: Peers;
  readonly state: NodeState;
  readonly deadlines: RemoteDeadlines;
  private readonly attempts: Attempts;
  private readonly routers = new Map<string, Router>();
  private underWay = 0;
  private downSince: number | undefined;

  constructor(
    private readonly broker: ServiceBroker,
    private readonly ports: RoutingPorts,
  ) {
    const { clock } = ports;
    const lost = metricsOf(broker).counter("parley_lost_nodes_total", "Nodes found lost by a ping without an answer");
    this.peers = new Peers({ clock, ping: (node) => this.ping(node), onLost: () => void lost.value++ });
    this.attempts = new Attempts(clock, this.peers);
    this.deadlines = new RemoteDeadlines(clock);
    this.state = new NodeState(broker, clock, this.peers);
    lifecycleOf(broker).onDrain(() => this.state.drain());
  }

  /** The nodes that offer an action, with what each says of it. */
  offered<A extends RoutedAction>(name: string): ReadonlyArray<Offer<A>> {
    return offersOf<Offer<A>>(this.broker as Offering<Offer<A>>, name);
  }

  routerOf(name: string): Router {
    let router = this.routers.get(name);
    if (!router) {
      const { peers, attempts } = this;
      const { clock, random } = this.ports;
      const nodes = () => this.offered(name).map(({ id }) => id);
      const cutOff = () => this.isCutOff();
      router = new Router({ clock, random, peers, attempts, self: this.broker.nodeID, nodes, classify, cutOff });
      this.routers.set(name, router);
    }
    return router;
  }

  /** Resolves when a node offers the action. @throws ParleyError UNAVAILABLE at the deadline (wall-clock milliseconds) */
  async offer(name: string, deadline: number): Promise<void> {
    const { clock, random } = this.ports;
    const backoff = new Backoff(clock, random, { firstMs: 20, maxMs: 200 });
    while (this.offered(name).length === 0) {
      if (clock.now() >= deadline || this.isCutOff()) throw new ParleyError("UNAVAILABLE");
      await backoff.wait();
    }
  }

  /** Is this node the home of an actor with this action, or may be for want of another one? */
  isHome(name: string, id: string): boolean {
    return this.offered(name).length <= 1 || this.routerOf(name).home(id) === this.broker.nodeID;
  }

  /** Does this node not serve while another one does? */
  isElsewhere(name: string): boolean {
    if (this.state.serves) return false;
    return this.peers.anyServes(othersOffering(this.broker, name));
  }

  /** Counts a call as under way until it is answered; then, before anybody hears of it, `after` runs. */
  count<T>(answer: Promise<T>, after?: () => void): Promise<T> {
    const done = (): void => {
      this.underWay--;
      after?.();
    };
    this.underWay++;
    answer.then(done, done);
    return answer;
  }

  /** Resolves when what other nodes asked is answered; not later than their deadlines. */
  async finish(): Promise<void> {
    const { clock, timeoutMs } = this.ports;
    await lifecycleOf(this.broker).drain((error) => this.broker.logger.error("draining failed", { error }));
    const end = clock.now() + timeoutMs;
    while (this.underWay > 0 && clock.now() < end) await pause(clock, FINISH_LOOK_MS);
  }

  /** A connection that comes back within a moment is waited for. */
  private isCutOff(): boolean {
    if (transporterIsUp(this.broker)) {
      this.downSince = undefined;
      return false;
    }
    this.downSince ??= this.ports.clock.now();
    return this.ports.clock.now() - this.downSince >= CUT_OFF_MS;
  }

  private async ping(node: string): Promise<boolean> {
    if (node === this.broker.nodeID) return true;
    try {
      return (await this.broker.ping(node, PING_MS)) !== null;
    } catch {
      return false;
    }
  }
}

const byBroker = new WeakMap<ServiceBroker, Routing>();

/** The routing of a broker's node; `make` makes it once. Throws when it was not made before. */
export function routingOf(broker: ServiceBroker, make?: () => Routing): Routing {
  let routing = byBroker.get(broker);
  if (!routing) {
    if (!make) throw new Error("this broker has no routing: list routingMiddleware among its middlewares");
    byBroker.set(broker, (routing = make()));
  }
  return routing;
}

const NOT_RUN = new Set(["SERVICE_NOT_FOUND", "SERVICE_NOT_AVAILABLE", "REQUEST_SKIPPED"]);
const NO_ANSWER = new Set(["REQUEST_TIMEOUT", "REQUEST_REJECTED"]);

function classify(error: unknown): Failure {
  const type = (error as { type?: unknown } | null)?.type;
  if (typeof type !== "string") return "answered";
  if (NOT_RUN.has(type)) return "not run";
  if (type === "NOT_HOME") return "moved";
  return NO_ANSWER.has(type) ? "no answer" : "answered";
}

/** With the wait before it, callers of a node that died are answered by the next home within a second. */
const PING_MS = 500;
const CUT_OFF_MS = 1_500;
const FINISH_LOOK_MS = 5;
