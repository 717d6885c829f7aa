import { ConversationStore } from "../../actors/conversation/conversation.store";
import { Client } from "./client";
import { CoreNode } from "./core-node";
import { withNotes, withoutTime } from "./environment";
import { Deliveries } from "./deliveries";
import { drawFaults, type Faults } from "./faults";
import { IoNode } from "./io-node";
import { Life } from "./life";
import type { Request } from "./messages";
import { Network, type Peer } from "./network";
import { Oracle } from "./oracle";
import { SchedulerNode } from "./scheduler-node";
import { SimStore } from "./sim-store";
import { Workload, type User } from "./workload";
import { World } from "./world";

export interface Outcome {
  readonly seed: number;
  /** What was broken; undefined for a clean history. */
  readonly failure: string | undefined;
  /** Equal for equal histories. */
  readonly digest: string;
  readonly steps: number;
  readonly events: number;
  readonly history: readonly string[];
}

const SETTLE_MS = 120_000;

interface Machine {
  readonly name: string;
  readonly kind: "core" | "io" | "scheduler";
  lives: number;
  peer: Peer | undefined;
}

/** One history: some processes, users and faults, all drawn from the seed. */
export class Simulation {
  readonly world: World;
  readonly faults: Faults;
  readonly store: SimStore;
  readonly network: Network;
  readonly oracle: Oracle;
  private readonly publishes: boolean;
  private readonly deliveries: Deliveries;
  private readonly machines: Machine[] = [];
  private readonly users: User[] = [];
  private readonly clients: Client[] = [];
  private readonly limits;
  private disturbed = true;

  constructor(seed: number, verbose = false) {
    this.world = new World(seed, verbose);
    const { random } = this.world;
    this.faults = drawFaults(random);
    const largeGroups = random.chance(0.05);
    this.limits = {
      members: largeGroups ? 1_000 : random.chance(0.3) ? 4 : 100,
      reactions: random.chance(0.3) ? 1 : 20,
      mailbox: random.chance(0.2) ? 3 : 100,
      activations: random.chance(0.2) ? 80 : 1_000,
    };
    this.store = new SimStore(this.world, this.faults);
    this.network = new Network(this.world, this.faults);
    this.oracle = new Oracle(this.world, this.limits);
    this.store.onCommitted = (documents) => this.oracle.committed(documents);
    for (let i = 1 + random.int(3); i > 0; i--) this.addMachine("core", `core${i}`);
    for (let i = 1 + random.int(2); i > 0; i--) this.addMachine("io", `io${i}`);
    this.publishes = random.chance(0.4);
    this.deliveries = new Deliveries(this.world, this.oracle, () => this.schedulers(), random.between(0, 0.3));
    if (this.publishes) for (const name of ["scheduler1", "scheduler2"]) this.addMachine("scheduler", name);
    this.addUsers();
    this.workload = new Workload(this.world, this.oracle, this.users, this.clients, largeGroups);
  }

  private readonly workload: Workload;

  async run(): Promise<Outcome> {
    const { world } = this;
    const { random } = world;
    for (const machine of this.machines) this.start(machine);
    if (this.publishes) this.deliveries.watch();
    for (const client of this.clients) world.schedule(random.between(0, 3_000), () => client.connect());
    const end = random.between(8_000, 25_000);
    const actions = 20 + random.int(120);
    for (let i = 0; i < actions; i++) world.schedule(random.between(1_500, end), () => this.workload.act());
    this.scheduleFaults(end);
    await world.runUntil(end);
    this.calm();
    await this.settle(end + SETTLE_MS);
    if (random.chance(0.3) && !world.failure) {
      this.workload.knock();
      await this.settle(world.now + SETTLE_MS);
    }
    if (!world.failure) await this.checkSnapshots();
    return this.outcome();
  }

  private schedulers(): SchedulerNode[] {
    return this.machines.flatMap(({ kind, peer }) =>
      kind === "scheduler" && peer?.life.alive ? [peer as SchedulerNode] : [],
    );
  }

  private addMachine(kind: Machine["kind"], name: string): void {
    this.machines.push({ name, kind, lives: 0, peer: undefined });
  }

  private addUsers(): void {
    const { random } = this.world;
    const add = (role: User["role"], most: number): void => {
      for (let i = 1 + random.int(most); i > 0; i--) {
        const id = `${role}${i}`;
        this.users.push({ id, role });
        for (let device = random.chance(0.2) ? 2 : 1; device > 0; device--) this.addClient(id, `${id}/${device}`);
      }
    };
    add("customer", 3);
    add("agent", 3);
    if (random.chance(0.5)) add("supervisor", 1);
  }

  private addClient(userId: string, name: string): void {
    this.clients.push(new Client(this.world, this.faults, this.oracle, userId, name, () => this.pickIo()));
  }

  private pickIo(): IoNode | undefined {
    const up = this.machines.filter(({ kind, peer }) => kind === "io" && peer?.life.alive);
    return up.length > 0 ? (this.world.random.pick(up).peer as IoNode) : undefined;
  }

  private start(machine: Machine): void {
    const { world, network } = this;
    if (machine.peer?.life.alive) return;
    machine.lives += 1;
    const life = new Life(world, machine.name, `${machine.name}.${String(machine.lives).padStart(4, "0")}`);
    if (this.disturbed) life.skew = world.random.between(-500, 500);
    world.trace("start", life.incarnation);
    const store = this.store.client(life);
    if (machine.kind === "scheduler") {
      const scheduler = new SchedulerNode(life, store, (row) => this.deliveries.receive(row));
      machine.peer = scheduler;
      return scheduler.start();
    }
    if (machine.kind === "core") {
      const { limits, publishes } = this;
      const core = new CoreNode({ life, store, network, limits, publishes, onLost: () => this.crash(machine) });
      machine.peer = core;
      void core.start();
    } else {
      const narrow = world.random.chance(0.3) ? { page: 3, queue: 4, missingFlushes: 5 } : {};
      const limits = world.random.chance(0.3) ? { ...narrow, youngMs: 2_500 } : narrow;
      const misroutes = (): boolean => this.disturbed && world.random.chance(this.faults.misrouted);
      const onAsked = (request: Request): void => this.oracle.asked(request);
      const { requestMs } = this.faults;
      const io = new IoNode({ life, store, network, limits, requestMs, misroutes, onAsked });
      machine.peer = io;
      io.start();
    }
    network.connect(machine.peer);
  }

  private crash(machine: Machine): void {
    const { random } = this.world;
    const { peer } = machine;
    if (!peer?.life.alive) return;
    peer.life.kill();
    for (const { link } of this.clients) if (link?.io.life === peer.life) link.break();
    this.world.schedule(random.logBetween(50, 8_000), () => this.start(machine));
  }

  private pause(machine: Machine): void {
    const life = machine.peer?.life;
    if (!life?.running) return;
    life.pause();
    this.world.schedule(this.world.random.logBetween(100, 45_000), () => life.wake());
  }

  private partition(): void {
    const { random } = this.world;
    const names = this.machines.filter(() => random.chance(0.4)).map(({ name }) => name);
    this.network.partition(names, random.chance(0.5));
    this.world.schedule(random.logBetween(200, 10_000), () => this.network.heal());
  }

  private jump(): void {
    const { random } = this.world;
    const { peer } = random.pick(this.machines);
    if (!peer) return;
    peer.life.skew += random.between(-10_000, random.chance(0.2) ? 45_000 : 10_000);
    this.world.trace("clock", peer.life.incarnation, Math.round(peer.life.skew));
  }

  private scheduleFaults(end: number): void {
    const { world, faults } = this;
    const { random } = world;
    const kinds: Array<[number, () => void]> = [
      [faults.every.crash, () => this.crash(random.pick(this.machines))],
      [faults.every.pause, () => this.pause(random.pick(this.machines))],
      [faults.every.partition, () => this.partition()],
      [faults.every.failOver, () => this.store.failOver()],
      [faults.every.outage, () => this.store.outage(random.logBetween(100, 8_000))],
      [faults.every.disconnect, () => random.pick(this.clients).link?.break()],
      [faults.every.clockJump, () => this.jump()],
    ];
    for (const [mean, happen] of kinds)
      for (let at = mean * random.float() * 2; at < end; at += mean * random.between(0.2, 1.8))
        world.schedule(at, happen);
  }

  /** No more faults: whatever is down comes back. */
  private calm(): void {
    this.world.trace("calm");
    this.disturbed = false;
    this.store.disturbed = false;
    this.network.disturbed = false;
    this.deliveries.disturbed = false;
    this.network.heal();
    for (const client of this.clients) client.patient = true;
    for (const machine of this.machines) {
      const life = machine.peer?.life;
      if (life) life.skew = 0;
      life?.wake();
      this.start(machine);
    }
  }

  private async settle(latest: number): Promise<void> {
    const { world } = this;
    let calmChecks = 0;
    while (!world.failure && calmChecks < 3) {
      const open = this.unsettled();
      calmChecks = open === undefined ? calmChecks + 1 : 0;
      if (open !== undefined && world.now >= latest) return world.fail(`S: not settled two minutes after: ${open}`);
      await world.runUntil(world.now + 500);
    }
  }

  /** What is not yet as it must be in the end. */
  private unsettled(): string | undefined {
    if (this.store.landing > 0) return "inserts under way";
    const late = this.publishes ? this.deliveries.missing() : undefined;
    if (late) return `${late.conversationId}/${late.seq} was not delivered`;
    for (const client of this.clients) {
      if (!client.quiet) return `${client.name} waits (${client.pending} commands)`;
      for (const id of this.oracle.histories.keys()) {
        const standing = this.oracle.standing(id, client.userId);
        const live = client.link?.io.table.audienceOf(client.link.id, id) ?? "none";
        if (live !== standing) return `${client.name} is ${live} in ${id}, should be ${standing}`;
        if (standing === "none") continue;
        const due = this.oracle.visible(id, standing).map(({ _id }) => _id);
        const taken = client.taken(id);
        if (due.length !== taken.length || due.some((event, at) => event !== taken[at]))
          return `${client.name} has ${taken.length} of ${due.length} events of ${id}`;
      }
    }
    return undefined;
  }

  /** Snapshot and later events give the fold of all events. */
  private async checkSnapshots(): Promise<void> {
    const store = new ConversationStore(this.store.durable);
    for (const id of this.oracle.histories.keys()) {
      const { state } = await store.load(id);
      const truth = this.oracle.state(id);
      // The state of a large conversation lists only members that changed since its snapshot.
      const comparable = truth.listed ? state : { ...state, members: truth.members, listed: truth.listed };
      if (textOf(comparable) !== textOf(truth))
        this.world.fail(`P: snapshot and later events of ${id} are ${textOf(state)}, its fold is ${textOf(truth)}`);
    }
  }

  private outcome(): Outcome {
    const { world, oracle } = this;
    let events = 0;
    for (const history of oracle.histories.values()) events += history.events.length;
    return {
      seed: world.seed,
      failure: world.failure && (world.failure.stack ?? world.failure.message),
      digest: (world.digest >>> 0).toString(16),
      steps: world.steps,
      events,
      history: world.history,
    };
  }
}

withNotes();

/** Runs the history of a seed. One at a time per process: what nobody awaits is laid at its door. */
export async function simulate(seed: number, verbose = false): Promise<Outcome> {
  // Whatever a loader left for the next turn of the event loop has its own clock.
  await new Promise((resolve) => setImmediate(resolve));
  const simulation = new Simulation(seed, verbose);
  const onRejection = (error: unknown): void =>
    simulation.world.fail(error instanceof Error ? error : new Error(String(error)));
  process.on("unhandledRejection", onRejection);
  const restore = withoutTime(simulation.world);
  try {
    return await simulation.run();
  } finally {
    restore();
    process.off("unhandledRejection", onRejection);
  }
}

/** The same text for the same state. */
function textOf(state: object): string {
  const sorted = Object.fromEntries(Object.entries(state).sort(([a], [b]) => (a < b ? -1 : 1)));
  return JSON.stringify(sorted, (_key, value: unknown) => (value instanceof Map ? [...value].sort() : value));
}
