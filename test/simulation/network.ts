import type { Faults } from "./faults";
import type { Life } from "./life";
import type { World } from "./world";

const HEARTBEAT_MS = 1_000;
const GONE_AFTER_MS = 3_200;
const PING_MS = 1_500;
const PING_FRESH_MS = 5_000;
const ATTEMPT_MS = 1_500;

interface Seen {
  readonly incarnation: string;
  readonly at: number;
  readonly serves: boolean;
}

/** A process as its peers see it. */
export interface Peer {
  readonly life: Life;
  readonly kind: "core" | "io" | "scheduler";
  /** Resolves after a store round trip. */
  ping?(): Promise<void>;
  /** The node's registry lost sight of an incarnation. */
  lostSight?(incarnation: string): void;
}

/**
 * The broker between the processes: messages that are delayed, lost, doubled and overtaken, partitions, and each
 * node's own view of who is alive, from heartbeats.
 */
export class Network {
  disturbed = true;
  private readonly peers = new Map<string, Peer>();
  private readonly views = new Map<Life, Map<string, Seen>>();
  private readonly pinged = new Map<Life, number>();
  private cut = new Set<string>();

  constructor(
    private readonly world: World,
    private readonly faults: Faults,
  ) {}

  /** Connects a started process, in the place of an earlier one of that name. */
  connect(peer: Peer): void {
    this.peers.set(peer.life.name, peer);
    this.views.set(peer.life, new Map());
    this.beat(peer);
    if (peer.ping) this.ping(peer);
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

  heal(): void {
    this.cut = new Set();
    this.world.trace("heal");
  }

  /** The peers that this process believes to be alive. */
  alive(viewer: Life): Map<string, Seen> {
    return this.views.get(viewer) ?? new Map<string, Seen>();
  }

  /** The names of the core nodes that may be homes, as this process sees it. */
  homes(viewer: Life): string[] {
    return [...this.alive(viewer)].filter(([, seen]) => seen.serves).map(([name]) => name);
  }

  /** To whatever life has this name when the message arrives. Arrives late, twice or never. */
  send(from: Life, to: string, arrive: (peer: Peer) => void): void {
    const { random } = this.world;
    const times = !this.disturbed ? 1 : random.chance(this.faults.messageLost) ? 0 : 1;
    const doubled = times === 1 && this.disturbed && random.chance(this.faults.messageDoubled) ? 1 : 0;
    for (let i = 0; i < times + doubled; i++) this.transmit(from, to, arrive);
  }

  /** To every other process of a kind. */
  broadcast(from: Life, kind: Peer["kind"], arrive: (peer: Peer) => void): void {
    for (const [name, peer] of this.peers) if (peer.kind === kind && name !== from.name) this.send(from, name, arrive);
  }

  /**
   * Calls a process; rejects when no answer came in time.
   * @param handle runs over there, possibly twice
   */
  call<R>(from: Life, to: string, handle: (peer: Peer) => Promise<R>, timeoutMs = ATTEMPT_MS): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      const cancel = from.setTimeout(() => reject(new Error("call timed out")), timeoutMs);
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

  private transmit(from: Life, to: string, arrive: (peer: Peer) => void): void {
    if (this.cut.has(`${from.name} ${to}`)) return;
    this.world.schedule(this.delay(), () => {
      if (this.cut.has(`${from.name} ${to}`)) return;
      const peer = this.peers.get(to);
      peer?.life.deliver(() => arrive(peer));
    });
  }

  private beat(peer: Peer): void {
    const { life, kind } = peer;
    const serves = kind === "core" && this.world.now - (this.pinged.get(life) ?? -Infinity) < PING_FRESH_MS;
    for (const name of this.peers.keys()) {
      if (name === life.name) continue;
      this.send(life, name, (other) => this.heard(other, life, serves));
    }
    this.forgetSilent(peer);
    life.setTimeout(() => this.beat(peer), HEARTBEAT_MS);
  }

  private heard(viewer: Peer, from: Life, serves: boolean): void {
    const view = this.alive(viewer.life);
    const before = view.get(from.name);
    if (before && before.incarnation !== from.incarnation) {
      if (before.incarnation > from.incarnation) return;
      viewer.lostSight?.(before.incarnation);
    }
    view.set(from.name, { incarnation: from.incarnation, at: this.world.now, serves });
  }

  private forgetSilent(viewer: Peer): void {
    const view = this.alive(viewer.life);
    for (const [name, seen] of view) {
      if (this.world.now - seen.at < GONE_AFTER_MS) continue;
      view.delete(name);
      viewer.lostSight?.(seen.incarnation);
    }
  }

  private ping(peer: Peer): void {
    peer.ping?.().then(
      () => this.pinged.set(peer.life, this.world.now),
      () => undefined,
    );
    peer.life.setTimeout(() => this.ping(peer), PING_MS);
  }

  private delay(): number {
    const [low, high] = this.faults.networkMs;
    return this.world.random.between(low, this.disturbed ? high : 2);
  }
}
