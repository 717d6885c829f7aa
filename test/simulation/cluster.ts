import type { RoomLimits } from "../../services/io/rooms/ports";
import type { OutboxRow } from "../../lib/outbox/outbox.store";
import type { Principal } from "../../services/auth/principal";
import type { Revocation } from "../../services/auth/revocations";
import { CoreNode } from "./core-node";
import type { Faults } from "./faults";
import { IoNode } from "./io-node";
import { Life } from "./life";
import { Network, type Peer } from "./network";
import type { Oracle } from "./oracle";
import { SchedulerNode } from "./scheduler-node";
import { SimKv } from "./sim-kv";
import { SimStore } from "./sim-store";
import type { Timer } from "./timers";
import type { World } from "./world";

export interface ClusterLimits {
  readonly members: number;
  readonly reactions: number;
  readonly mailbox: number;
  readonly activations: number;
}

interface Machine {
  readonly name: string;
  readonly kind: Peer["kind"];
  lives: number;
  peer: Peer | undefined;
}

export interface ClusterOptions {
  readonly world: World;
  readonly faults: Faults;
  readonly oracle: Oracle;
  readonly limits: ClusterLimits;
  /** Takes rows of the outbox; absent where nobody wants to know of messages. */
  readonly receive: ((row: OutboxRow) => Promise<void>) | undefined;
  /** Presence is kept. */
  readonly presence: boolean;
  /** Time does things to sessions. */
  readonly timed: boolean;
  readonly onAct: (user: Principal) => void;
  /** Entries of the list of revocations became durable. */
  readonly onRevoked: (entries: readonly Revocation[]) => void;
  readonly onRefused: (timer: Timer) => void;
  /** A process was killed: what hangs on it is cut. */
  readonly onKilled: (life: Life) => void;
}

/** Longer than projections lag while the store loses most of what it is sent. */
const OLD_AFTER_MS = 20_000;
/** A core node that drains gives up after so many milliseconds. */
const DRAIN_MS = 5_000;

/** The machines, their store, their key-value server and their network, and what may happen to them. */
export class Cluster {
  readonly store: SimStore;
  readonly kv: SimKv;
  readonly network: Network;
  private readonly machines: Machine[] = [];
  private disturbed = true;

  constructor(private readonly options: ClusterOptions) {
    const { world, faults, oracle } = options;
    this.store = new SimStore(world, faults);
    this.kv = new SimKv(world, faults);
    this.network = new Network(world, faults);
    this.store.onCommitted.set("events", (documents) => oracle.committed(documents));
    this.store.onCommitted.set("revocations", (documents) => options.onRevoked(documents));
  }

  /** So many machines of a kind. */
  add(kind: Peer["kind"], count: number): void {
    for (let i = count; i > 0; i--) this.machines.push({ name: `${kind}${i}`, kind, lives: 0, peer: undefined });
  }

  start(): void {
    for (const machine of this.machines) this.startOne(machine);
  }

  /** The processes of a kind that run, or are stopped but alive. */
  alive<P extends Peer>(kind: P["kind"]): P[] {
    return this.machines.flatMap(({ peer }) => (peer?.kind === kind && peer.life.alive ? [peer as P] : []));
  }

  /** How many machines of a kind there are. */
  count(kind: Peer["kind"]): number {
    return this.machines.filter((machine) => machine.kind === kind).length;
  }

  /** What may happen, and how many milliseconds lie between two times, in the mean. */
  get mishaps(): Array<[everyMs: number, happen: () => void]> {
    const { every } = this.options.faults;
    const { random } = this.options.world;
    return [
      [every.crash, () => this.crash(random.pick(this.machines))],
      [every.pause, () => this.pause(random.pick(this.machines))],
      [every.drain, () => this.drain(random.pick(this.machines))],
      [every.blackout, () => this.blackout()],
      [every.partition, () => this.partition()],
      [every.split, () => this.split()],
      [every.failOver, () => this.store.failOver()],
      [every.outage, () => this.store.outage(random.logBetween(100, 8_000))],
      [every.kvOutage, () => this.kv.outage(random.logBetween(100, 8_000))],
      [every.kvLoss, () => this.kv.lose()],
      [every.clockJump, () => this.jump()],
    ];
  }

  /** No more faults, but perhaps a last one: whatever is down comes back. */
  calm(): void {
    const { random } = this.options.world;
    this.disturbed = false;
    this.store.disturbed = false;
    this.kv.disturbed = false;
    this.network.calm();
    for (const machine of this.machines) {
      const life = machine.peer?.life;
      if (life) life.skew = 0;
      life?.wake();
      this.startOne(machine);
    }
    if (random.chance(0.3)) this.crash(random.pick(this.machines));
  }

  private startOne(machine: Machine): void {
    const { world } = this.options;
    if (machine.peer?.life.alive) return;
    machine.lives += 1;
    const life = new Life(world, machine.name, `${machine.name}.${String(machine.lives).padStart(4, "0")}`);
    if (this.disturbed) life.skew = world.random.between(-500, 500);
    world.trace("start", life.incarnation);
    const peer = this.make(machine, life);
    machine.peer = peer;
    void peer.start();
    this.network.connect(peer);
  }

  private make(machine: Machine, life: Life): CoreNode | IoNode | SchedulerNode {
    const { network } = this;
    const { world, faults, oracle, limits, receive, presence, timed, onAct, onRefused } = this.options;
    const misroutes = (): boolean => this.disturbed && world.random.chance(faults.misrouted);
    const store = this.store.client(life);
    if (machine.kind === "scheduler")
      return new SchedulerNode({ life, store, network, presence, timed, onRefused, ...(receive && { receive }) });
    if (machine.kind === "io") {
      const { requestMs } = faults;
      return new IoNode({ life, store, network, limits: this.roomLimits(), requestMs, misroutes, onAct, presence });
    }
    return new CoreNode({
      life,
      store,
      kv: this.kv.client(life),
      network,
      limits,
      misroutes,
      publishes: receive !== undefined,
      presence,
      timed,
      onRun: ({ conversationId, command }, incarnation, send) => {
        if (command.action === "due") oracle.asks({ ...command, conversationId });
        return oracle.commands.runs({ ...command, conversationId }, incarnation, send);
      },
      onLost: () => this.crash(machine),
    });
  }

  private roomLimits(): Partial<RoomLimits> {
    const { random } = this.options.world;
    const narrow = random.chance(0.3) ? { page: 3, queue: 4, missingFlushes: 5 } : {};
    return random.chance(0.3) ? { ...narrow, youngMs: OLD_AFTER_MS } : narrow;
  }

  private crash(machine: Machine): void {
    const { world } = this.options;
    if (this.kill(machine.peer)) world.schedule(world.random.logBetween(50, 8_000), () => this.startOne(machine));
  }

  private kill(peer: Peer | undefined): boolean {
    if (!peer?.life.alive) return false;
    peer.life.kill();
    this.options.onKilled(peer.life);
    return true;
  }

  /** SIGTERM; the process ends by itself, if nothing worse happens to it before. */
  private drain(machine: Machine): void {
    const { world } = this.options;
    const { peer } = machine;
    if (!peer?.life.running) return;
    void (peer as CoreNode | IoNode | SchedulerNode).drain(DRAIN_MS).then(() => {
      if (this.kill(peer)) world.schedule(world.random.logBetween(50, 8_000), () => this.startOne(machine));
    });
  }

  /** Everything stops at once; in half of the cases the key-value server loses what it had. */
  private blackout(): void {
    const { random } = this.options.world;
    this.options.world.trace("blackout");
    if (random.chance(0.5)) this.kv.lose();
    for (const machine of this.machines) this.crash(machine);
  }

  private pause(machine: Machine): void {
    const { world } = this.options;
    const life = machine.peer?.life;
    if (!life?.running) return;
    life.pause();
    world.schedule(world.random.logBetween(100, 45_000), () => life.wake());
  }

  private partition(): void {
    const { world } = this.options;
    const names = this.machines.filter(() => world.random.chance(0.4)).map(({ name }) => name);
    this.network.partition(names, world.random.chance(0.5));
    world.schedule(world.random.logBetween(200, 10_000), () => this.network.heal());
  }

  /**
   * Some core node ends, and an io node does not hear its next life. Answers what ends that life, too, and then lets
   * them hear each other again.
   */
  splitLife(): () => void {
    const { random } = this.options.world;
    const of = (kind: Peer["kind"]): Machine => random.pick(this.machines.filter((machine) => machine.kind === kind));
    const core = of("core");
    const join = this.network.split(core.name, of("io").name);
    this.crash(core);
    return () => {
      if (random.chance(0.7)) this.drain(core);
      else this.crash(core);
      this.options.world.schedule(random.between(0, 2_000), join);
    };
  }

  private split(): void {
    const { random } = this.options.world;
    const end = this.splitLife();
    this.options.world.schedule(random.logBetween(2_000, 20_000), () => this.disturbed && end());
  }

  private jump(): void {
    const { world } = this.options;
    const { peer } = world.random.pick(this.machines);
    if (!peer) return;
    peer.life.skew += world.random.between(-10_000, world.random.chance(0.2) ? 45_000 : 10_000);
    world.trace("clock", peer.life.incarnation, Math.round(peer.life.skew));
  }
}
