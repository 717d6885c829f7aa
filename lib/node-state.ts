import type { ServiceBroker } from "moleculer";
import type { Peers, PeerState } from "./actor/peers";
import type { Clock } from "./actor/ports";
import { pause } from "./actor/time";

/** To all nodes: what a node says of itself, on change and once a second. */
interface StateEvent {
  readonly nodeID: string;
  readonly state: PeerState;
}

/** To all nodes: an actor's home for the time being. */
interface PinEvent {
  readonly id: string;
  readonly nodeID: string;
  readonly forMs: number;
}

interface KnownNode {
  readonly id: string;
  readonly instanceID?: string;
}

/**
 * What this node says of itself as a home of actors, and what it hears of the others. All of it is fire and forget: who
 * missed something asks the wrong node, and is sent away or served.
 */
export class NodeState {
  private hosts = false;
  private draining = false;
  private storeless = false;
  private cancelBeat: (() => void) | undefined;
  /** The life of each node, as far as it is known. */
  private readonly instances = new Map<string, string>();

  constructor(
    private readonly broker: ServiceBroker,
    private readonly clock: Clock,
    private readonly peers: Peers,
  ) {}

  get serves(): boolean {
    return !this.draining && !this.storeless;
  }

  /** This node offers an actor's action: the others want to know whether it serves. */
  setHost(): void {
    this.hosts = true;
  }

  /** Says whether this node's store answers. */
  setStoreless(storeless: boolean): void {
    if (this.storeless === storeless) return;
    this.storeless = storeless;
    this.say();
  }

  /** From here on the others choose other homes. Resolves when they have heard of it. */
  async drain(): Promise<void> {
    this.draining = true;
    this.say();
    if (this.broker.transit && this.hosts) await pause(this.clock, SPREAD_MS);
  }

  /** Tells all nodes that another one is an actor's home for a while. */
  pin(id: string, nodeID: string, forMs: number): void {
    this.peers.pin(id, nodeID, forMs);
    this.tell("routing.pin", { id, nodeID, forMs } satisfies PinEvent);
  }

  /** Hears what other nodes say of themselves, and who leaves. */
  listen(): void {
    const { broker, peers } = this;
    if (!broker.transit) return;
    broker.createService({
      name: "routing",
      events: {
        "routing.state": ({ params }: { params: StateEvent }) => peers.heard(params.nodeID, params.state),
        "routing.pin": ({ params }: { params: PinEvent }) => peers.pin(params.id, params.nodeID, params.forMs),
      },
    });
    broker.localBus.on("$node.connected", ({ node }: { node: KnownNode }) => this.saw(node));
    broker.localBus.on("$node.updated", ({ node }: { node: KnownNode }) => this.saw(node));
    broker.localBus.on("$transporter.unreached", ({ nodeID }: { nodeID: string }) => peers.unreached(nodeID));
    broker.localBus.on("$node.disconnected", ({ node }: { node: KnownNode }) => {
      this.instances.delete(node.id);
      peers.gone(node.id);
    });
  }

  /** Tells the others what this node is, now and once a second. */
  announce(): void {
    if (!this.broker.transit || !this.hosts || this.cancelBeat) return;
    this.say();
    const later = (): void => {
      this.cancelBeat = this.clock.setTimeout(() => {
        this.say();
        later();
      }, BEAT_MS);
    };
    later();
  }

  stop(): void {
    this.cancelBeat?.();
    this.cancelBeat = undefined;
  }

  /** A node that was killed and is back before anybody missed it answers nothing that it was asked before. */
  private saw({ id, instanceID = "" }: KnownNode): void {
    const before = this.instances.get(id);
    this.instances.set(id, instanceID);
    if (before !== undefined && before !== instanceID) this.peers.restarted(id);
  }

  private say(): void {
    const state: PeerState = this.draining ? "draining" : this.storeless ? "storeless" : "serving";
    const { nodeID } = this.broker;
    this.peers.heard(nodeID, state);
    if (this.hosts) this.tell("routing.state", { nodeID, state } satisfies StateEvent);
  }

  private tell(name: string, event: object): void {
    if (this.broker.transit) void this.broker.broadcast(name, event);
  }
}

const BEAT_MS = 1_000;
/** Time for the others to hear that this node drains. */
const SPREAD_MS = 100;
