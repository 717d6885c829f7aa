import type { Faults } from "./faults";
import type { Life } from "./life";
import type { SimBroker } from "./sim-broker";
import type { World } from "./world";

const HEARTBEAT_MS = 1_000;
const GONE_AFTER_MS = 3_200;
const ATTEMPT_MS = 1_500;

interface Seen {
  readonly incarnation: string;
  readonly kind: string;
  readonly at: number;
}

/** A process as its peers see it. */
export interface Peer {
  readonly life: Life;
  readonly kind: "core" | "io" | "scheduler";
  readonly broker: SimBroker;
  /** A broadcast arrives. */
  told?(name: string, data: never, from: Life): void;
  /** A process came, or came back, as far as this one's registry knows. */
  met?(name: string): void;
  /** The registry lost sight of a process. */
  lost?(name: string): void;
}

export class CallTimeout extends Error {
  override readonly name = "CallTimeout";
}

/**
 * The network between the processes: messages that are delayed, lost, doubled and overtaken, partitions, and each
 * node's own registry of who is alive, from heartbeats.
 */
export class Network {
  disturbed = true;
  private readonly peers = new Map<string, Peer>();
  private readonly views = new Map<Life, Map<string, Seen>>();
  private cut = new Set<string>();
  private readonly severed = new Set<string>();

  constructor(
    private readonly world: World,
    private readonly faults: Faults,
  ) {}

  /** Connects a started process, in the place of an earlier one of that name. */
  connect(peer: Peer): void {
    this.peers.set(peer.life.name, peer);
    this.views.set(peer.life, new Map());
    this.beat(peer);
  }

  /** Separates these processes from all others, in one direction or both. */
  partition(names: readonly string[], bothWays: boolean): void {
    this.cut = new Set();
    for (const a of names)
      for (const b of this.peers.keys()) {
        if (names.includes(b)) continue;
        this.cut.add(`${a} ${b}`);
        if (bothWays) this.cut.add(`${b} ${a}`);
      }
    this.world.trace("partition", names.join(","), bothWays ? "both" : "one");
  }

  /** Separates two processes, and whatever follows them under their names; the function returned joins them again. */
  split(a: string, b: string): () => void {
    const pairs = [`${a} ${b}`, `${b} ${a}`];
    this.world.trace("split", a, b);
    for (const pair of pairs) this.severed.add(pair);
    return () => {
      this.world.trace("join", a, b);
      for (const pair of pairs) this.severed.delete(pair);
    };
  }

  /** No more faults. */
  calm(): void {
    this.disturbed = false;
    this.severed.clear();
    this.heal();
  }

  heal(): void {
    this.cut = new Set();
    this.world.trace("heal");
  }

  /** The names of the others of a kind that this process believes to be alive. */
  alive(viewer: Life, kind: string): string[] {
    const names: string[] = [];
    for (const [name, seen] of this.views.get(viewer) ?? []) if (seen.kind === kind) names.push(name);
    return names;
  }

  /** Tells the others at once what a process says of itself. */
  say(peer: Peer): void {
    const { life } = peer;
    const { state } = peer.broker;
    for (const name of this.peers.keys()) {
      if (name !== life.name) this.send(life, name, (other) => this.heard(other, peer, state));
    }
  }

  /** A process takes its leave. */
  leave({ life }: Peer): void {
    for (const name of this.peers.keys()) {
      if (name === life.name) continue;
      this.send(life, name, (other) => {
        const view = this.views.get(other.life);
        if (view?.get(life.name)?.incarnation === life.incarnation) this.forget(other, life.name);
      });
    }
  }

  /** To whatever life has this name when the message arrives. Arrives late, twice or never. */
  send(from: Life, to: string, arrive: (peer: Peer) => void): void {
    if (!from.alive) return;
    const { random } = this.world;
    const times = !this.disturbed ? 1 : random.chance(this.faults.messageLost) ? 0 : 1;
    const doubled = times === 1 && this.disturbed && random.chance(this.faults.messageDoubled) ? 1 : 0;
    for (let i = 0; i < times + doubled; i++) this.transmit(from, to, arrive);
  }

  /** To every process of a kind, the sender included. */
  broadcast(from: Life, kind: string, arrive: (peer: Peer) => void): void {
    for (const [name, peer] of this.peers) {
      if (peer.kind !== kind) continue;
      if (name === from.name) from.deliver(() => arrive(peer));
      else this.send(from, name, arrive);
    }
  }

  /**
   * Calls a process; rejects when no answer came in time.
   * @param handle runs over there, possibly twice
   * @throws CallTimeout
   */
  call<R>(from: Life, to: string, handle: (peer: Peer) => Promise<R>, timeoutMs = ATTEMPT_MS): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      const cancel = from.setTimeout(() => reject(new CallTimeout("call timed out")), timeoutMs);
      const answer = (settle: () => void) => (peer: Peer) => () =>
        this.send(peer.life, from.name, (caller) => {
          if (caller.life !== from) return;
          cancel();
          settle();
        });
      this.send(from, to, (peer) => {
        handle(peer).then(
          (result) => answer(() => resolve(result))(peer)(),
          (error: unknown) => answer(() => reject(error instanceof Error ? error : new Error(String(error))))(peer)(),
        );
      });
    });
  }

  /** Does a process answer at all? */
  ping(from: Life, to: string, timeoutMs: number): Promise<boolean> {
    return this.call(from, to, () => Promise.resolve(true), timeoutMs).catch(() => false);
  }

  private transmit(from: Life, to: string, arrive: (peer: Peer) => void): void {
    const path = `${from.name} ${to}`;
    if (this.isCut(path)) return;
    this.world.schedule(this.delay(), () => {
      if (this.isCut(path)) return;
      const peer = this.peers.get(to);
      peer?.life.deliver(() => arrive(peer));
    });
  }

  private isCut(path: string): boolean {
    return this.cut.has(path) || this.severed.has(path);
  }

  private beat(peer: Peer): void {
    this.say(peer);
    this.forgetSilent(peer);
    peer.life.setTimeout(() => this.beat(peer), HEARTBEAT_MS);
  }

  private heard(viewer: Peer, { life, kind }: Peer, state: SimBroker["state"]): void {
    const view = this.views.get(viewer.life);
    const before = view?.get(life.name);
    if (!view || (before && before.incarnation > life.incarnation)) return;
    view.set(life.name, { incarnation: life.incarnation, kind, at: this.world.now });
    viewer.broker.peers.heard(life.name, state);
    if (before?.incarnation !== life.incarnation) viewer.met?.(life.name);
  }

  private forgetSilent(viewer: Peer): void {
    for (const [name, seen] of this.views.get(viewer.life) ?? [])
      if (this.world.now - seen.at >= GONE_AFTER_MS) this.forget(viewer, name);
  }

  private forget(viewer: Peer, name: string): void {
    this.views.get(viewer.life)?.delete(name);
    viewer.broker.peers.gone(name);
    viewer.lost?.(name);
  }

  private delay(): number {
    const [low, high] = this.faults.networkMs;
    return this.world.random.between(low, this.disturbed ? high : 2);
  }
}
