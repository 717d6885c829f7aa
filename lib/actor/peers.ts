import { keepNewest } from "../keep-newest";
import type { Clock } from "./ports";
import { rendezvous } from "./rendezvous";

/** What a node says of itself: only one that serves is chosen as a home while there is one. */
export type PeerState = "serving" | "draining" | "storeless";

/** What a node has lost, and with it what it was asked. */
export type Loss = "store" | "life";

export interface PeersPorts {
  readonly clock: Clock;
  /** Does the node answer at all? */
  ping(node: string): Promise<boolean>;
  /** A node failed a ping. */
  readonly onLost?: (node: string) => void;
}

/** The order in which nodes are fit to be a home; those that sent a call away are asked again only after a while. */
const RANKS: Readonly<Record<PeerState | "lost", number>> = { serving: 0, draining: 1, storeless: 2, lost: 3 };
const UNFIT = 4;

/** What this node knows of the nodes that may be homes. */
export class Peers {
  /** Those that do not serve. */
  private readonly states = new Map<string, PeerState>();
  /** Nodes that failed a ping, until when they are passed over. */
  private readonly lost = new Map<string, number>();
  /** Nodes that sent a call away, until when they are not asked. */
  private readonly moved = new Map<string, number>();
  private readonly pins = new Map<string, { readonly node: string; readonly until: number }>();
  private readonly pings = new Map<string, Promise<boolean>>();
  private readonly listeners = new Set<(node: string, loss: Loss) => void>();

  constructor(private readonly ports: PeersPorts) {}

  /** The home of an actor among these nodes; undefined when none of them may be asked. */
  home(id: string, nodes: readonly string[]): string | undefined {
    const candidates = this.candidates(nodes);
    const pin = this.pins.size > 0 ? this.pins.get(id) : undefined;
    if (pin && pin.until > this.ports.clock.now() && candidates.includes(pin.node)) return pin.node;
    return rendezvous(id, candidates);
  }

  /** The fittest of these nodes: those that serve; without one those that drain, and so on. */
  candidates(nodes: readonly string[]): readonly string[] {
    if (this.states.size === 0 && this.lost.size === 0 && this.moved.size === 0) return nodes;
    const now = this.ports.clock.now();
    let best: string[] = [];
    let least = UNFIT;
    for (const node of nodes) {
      const rank = this.rank(node, now);
      if (rank < least) {
        least = rank;
        best = [node];
      } else if (rank === least && rank < UNFIT) best.push(node);
    }
    return best;
  }

  stateOf(node: string): PeerState {
    return this.states.get(node) ?? "serving";
  }

  /** Does one of these nodes serve, as far as this node knows? */
  anyServes(nodes: readonly string[]): boolean {
    const now = this.ports.clock.now();
    return nodes.some((node) => this.rank(node, now) === RANKS.serving);
  }

  /** A node told its state; what it said before is void. */
  heard(node: string, state: PeerState): void {
    this.moved.delete(node);
    const before = this.stateOf(node);
    if (state === "serving") this.states.delete(node);
    else this.states.set(node, state);
    if (state === "storeless" && before !== state) this.tell(node, "store");
  }

  /** The node is another life of itself: it answers nothing that the one before was asked. */
  restarted(node: string): void {
    this.gone(node);
    this.tell(node, "life");
  }

  /** What is sent to the node reaches nobody: it answers nothing that it was asked, and is passed over for a while. */
  unreached(node: string): void {
    this.lost.set(node, this.ports.clock.now() + UNREACHED_MS);
    this.tell(node, "life");
  }

  /** A node left; one of that name that comes back is a new one. */
  gone(node: string): void {
    this.states.delete(node);
    this.lost.delete(node);
    this.moved.delete(node);
  }

  /** The node sent a call away: it is not the home any more. */
  sentAway(node: string): void {
    this.moved.set(node, this.ports.clock.now() + MOVED_MS);
  }

  /** Makes a node the home of an actor for a while, as long as it serves. */
  pin(id: string, node: string, ms: number): void {
    this.pins.delete(id);
    this.pins.set(id, { node, until: this.ports.clock.now() + ms });
    keepNewest(this.pins, MAX_PINS);
  }

  /** Pings a node that gave no answer, and passes it over for a while when it does not answer that either. */
  suspect(node: string): Promise<boolean> {
    let ping = this.pings.get(node);
    if (!ping) {
      ping = this.ping(node).finally(() => this.pings.delete(node));
      this.pings.set(node, ping);
    }
    return ping;
  }

  /** Tells of each node that lost its store or its life, until the function returned is called. */
  onLoss(listener: (node: string, loss: Loss) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  private tell(node: string, loss: Loss): void {
    for (const listener of this.listeners) listener(node, loss);
  }

  private async ping(node: string): Promise<boolean> {
    const alive = await this.ports.ping(node);
    if (alive) this.lost.delete(node);
    else {
      this.lost.set(node, this.ports.clock.now() + LOST_MS);
      this.ports.onLost?.(node);
    }
    return alive;
  }

  private rank(node: string, now: number): number {
    if (!isPast(this.moved, node, now)) return UNFIT;
    return isPast(this.lost, node, now) ? RANKS[this.stateOf(node)] : RANKS.lost;
  }
}

/** Is the entry's time over, or was there none? Forgets it then. */
function isPast(until: Map<string, number>, node: string, now: number): boolean {
  const time = until.get(node);
  if (time === undefined) return true;
  if (time > now) return false;
  until.delete(node);
  return true;
}

const LOST_MS = 3_000;
/** Who asks it again afterwards learns at once when it still is. */
const UNREACHED_MS = 1_000;
const MOVED_MS = 500;
const MAX_PINS = 1_000;
