import { ConversationStore } from "../../actors/conversation/conversation.store";
import { Client } from "./client";
import { Cluster } from "./cluster";
import { Deliveries } from "./deliveries";
import { withNotes, withoutTime } from "./environment";
import { drawFaults, type Faults } from "./faults";
import type { IoNode } from "./io-node";
import { EPOCH, type Life } from "./life";
import { Logins } from "./logins";
import { Oracle } from "./oracle";
import { PresenceTruth } from "./presence";
import { Reads } from "./reads";
import type { SchedulerNode } from "./scheduler-node";
import { TimedSessions } from "./timed-sessions";
import { Timers } from "./timers";
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
/** Whatever came to be too late for what was armed for it has been looked at again. */
const LOOKED_AGAIN_MS = 120_000;
/** Longer than the lease of a connection. */
const STAY_MS = 85_000;
/** Whoever was killed is back by then, and whoever does not hear of it any more has noticed. */
const RESTART_MS = 9_000;
/** Everybody sees what was said within so long. */
const PROMPT_MS = 3_000;
const PRESENCE_LAG_MS = 5_000;
/** Whatever was down has come back by then. */
const PUNCTUAL_AFTER_MS = 15_000;

/** One history: some processes, users and faults, all drawn from the seed. */
export class Simulation {
  readonly world: World;
  readonly faults: Faults;
  readonly cluster: Cluster;
  readonly oracle: Oracle;
  private readonly publishes: boolean;
  private readonly deliveries: Deliveries;
  private readonly users: User[] = [];
  private readonly clients: Client[] = [];
  private readonly workload: Workload;
  private readonly logins: Logins;
  private readonly reads: Reads;
  private readonly timers: Timers;
  private readonly timedSessions: TimedSessions | undefined;
  private readonly presence: PresenceTruth | undefined;

  constructor(seed: number, verbose = false) {
    this.world = new World(seed, verbose);
    const { random } = this.world;
    this.faults = drawFaults(random);
    const largeGroups = random.chance(0.05);
    const limits = {
      members: largeGroups ? 1_000 : random.chance(0.3) ? 4 : 100,
      reactions: random.chance(0.3) ? 1 : 20,
      mailbox: random.chance(0.2) ? 3 : 100,
      activations: random.chance(0.2) ? 80 : 1_000,
    };
    this.oracle = new Oracle(this.world, limits);
    this.publishes = random.chance(0.4);
    const presence = random.chance(0.15);
    // Not drawn: the histories of the other seeds stay what they were.
    const timed = seed % 4 === 3;
    this.logins = new Logins(this.world, this.oracle, () => this.pickIo());
    const schedulers = (): SchedulerNode[] => this.cluster.alive<SchedulerNode>("scheduler");
    this.deliveries = new Deliveries(this.world, this.oracle, schedulers, random.between(0, 0.3));
    this.cluster = new Cluster({
      world: this.world,
      faults: this.faults,
      oracle: this.oracle,
      limits,
      receive: this.publishes ? (row) => this.deliveries.receive(row) : undefined,
      presence,
      timed,
      onAct: (user) => this.logins.acted(user),
      onRevoked: (entries) => this.logins.committed(entries),
      onRefused: (timer) => this.timers.refuse(timer),
      onKilled: (life) => this.cut(life),
    });
    const { store, kv } = this.cluster;
    this.reads = new Reads(this.world, this.oracle, store.durable);
    this.timers = new Timers(this.world, this.oracle, store);
    this.timedSessions = timed ? new TimedSessions(this.world, this.oracle) : undefined;
    this.cluster.add("core", 1 + random.int(3));
    this.cluster.add("io", 1 + random.int(2));
    this.cluster.add("scheduler", 1 + random.int(2));
    this.addUsers();
    const userIds = this.users.map(({ id }) => id);
    const ios = (): IoNode[] => this.cluster.alive<IoNode>("io");
    this.presence = presence ? new PresenceTruth(kv, userIds, ios) : undefined;
    this.workload = new Workload(
      this.world,
      this.oracle,
      this.users,
      this.clients,
      largeGroups,
      [
        (client) => this.reads.act(client),
        (client) => this.reads.act(client),
        (client) => this.logins.act(client),
        (client) => this.timers.plan(client.userId),
      ],
      this.timedSessions,
    );
  }

  async run(): Promise<Outcome> {
    const { world, cluster } = this;
    const { random } = world;
    cluster.start();
    this.deliveries.watch();
    for (const client of this.clients) world.schedule(random.between(0, 3_000), () => client.connect());
    const end = random.between(8_000, 25_000);
    const actions = 20 + random.int(120);
    for (let i = 0; i < actions; i++) world.schedule(random.between(1_500, end), () => this.workload.act());
    this.scheduleFaults(end);
    await world.runUntil(end);
    this.calm();
    await this.settle(end + SETTLE_MS + (this.timedSessions ? LOOKED_AGAIN_MS : 0));
    if (random.chance(0.3) && !world.failure) {
      this.workload.knock();
      await this.settle(world.now + SETTLE_MS);
    }
    const several = cluster.count("core") > 1 && cluster.count("io") > 1;
    if (several && random.chance(0.5) && !world.failure) await this.liveUnheard();
    if (this.presence && !world.failure) await this.stay(this.presence);
    if (!world.failure) await this.checkSnapshots();
    return this.outcome();
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
    const pickIo = (): IoNode | undefined => this.pickIo();
    const tokenOf = (client: Client): string => this.logins.tokenOf(client);
    this.clients.push(new Client(this.world, this.faults, this.oracle, userId, name, pickIo, tokenOf));
  }

  private pickIo(): IoNode | undefined {
    const up = this.cluster.alive<IoNode>("io");
    return up.length > 0 ? this.world.random.pick(up) : undefined;
  }

  private cut(life: Life): void {
    for (const { link } of this.clients) if (link?.io.life === life) link.break();
  }

  private scheduleFaults(end: number): void {
    const { world, faults, cluster } = this;
    const { random } = world;
    const disconnect = (): void => random.pick(this.clients).link?.break();
    for (const [mean, happen] of [...cluster.mishaps, [faults.every.disconnect, disconnect] as const])
      for (let at = mean * random.float() * 2; at < end; at += mean * random.between(0.2, 1.8))
        world.schedule(at, happen);
  }

  /** No more faults: whatever is down comes back. */
  private calm(): void {
    this.world.trace("calm");
    this.deliveries.disturbed = false;
    this.cluster.calm();
    this.timers.calm(PUNCTUAL_AFTER_MS);
    this.timedSessions?.calm(PUNCTUAL_AFTER_MS);
    for (const client of this.clients) client.patient = true;
    if (this.presence) this.sendAway();
  }

  private async settle(latest: number): Promise<void> {
    const { world } = this;
    let calmChecks = 0;
    while (!world.failure && calmChecks < 3) {
      const open = this.unsettled() ?? (await this.wrong());
      calmChecks = open === undefined ? calmChecks + 1 : 0;
      if (open !== undefined && world.now >= latest) return world.fail(`S: not settled two minutes after: ${open}`);
      await world.runUntil(world.now + 500);
    }
  }

  /** While all else is well, an io node does not hear a core node, for the whole of a life of that. */
  private async liveUnheard(): Promise<void> {
    const { world, cluster, workload } = this;
    const endLife = cluster.splitLife();
    await world.runUntil(world.now + RESTART_MS);
    workload.knock();
    const end = world.random.between(500, 6_000);
    world.schedule(end, endLife);
    for (const last = world.now + end + PROMPT_MS; world.now < last && !world.failure;) {
      await world.runUntil(world.now + 500);
      const late = this.late();
      if (late !== undefined) world.fail(`V: ${late}`);
    }
    await this.settle(world.now + SETTLE_MS);
  }

  /** What somebody should have seen by now. */
  private late(): string | undefined {
    const before = EPOCH + this.world.now - PROMPT_MS;
    for (const client of this.clients.filter(({ live }) => live)) {
      for (const id of this.oracle.histories.keys()) {
        const standing = this.oracle.standing(id, client.userId);
        if (standing === "none") continue;
        const due = this.oracle.visible(id, standing).filter(({ at }) => at < before).length;
        const taken = client.taken(id).length;
        if (taken < due) return `${client.name} has ${taken} of ${due} events of ${id} that are ${PROMPT_MS} ms old`;
      }
    }
    return undefined;
  }

  private sendAway(): void {
    const gone = this.users.filter(() => this.world.random.chance(0.3)).map(({ id }) => id);
    for (const client of this.clients) if (gone.includes(client.userId)) client.goAway();
  }

  /** While nothing happens nobody comes or goes: leases are renewed. */
  private async stay(presence: PresenceTruth): Promise<void> {
    const { world } = this;
    const end = world.now + STAY_MS;
    let rightAt = world.now;
    while (world.now < end && !world.failure) {
      await world.runUntil(world.now + 1_000);
      const wrong = await presence.wrong();
      if (wrong === undefined) rightAt = world.now;
      else if (world.now - rightAt > PRESENCE_LAG_MS) world.fail(`P: ${wrong}`);
    }
  }

  /** The same, of what only the servers know. */
  private async wrong(): Promise<string | undefined> {
    const { timers, timedSessions, reads, presence } = this;
    return (
      (await timers.wrong()) ??
      timedSessions?.wrong() ??
      (await reads.wrong()) ??
      (await presence?.wrong()) ??
      (await this.behind())
    );
  }

  /** A conversation whose snapshot lags behind the log. */
  private async behind(): Promise<string | undefined> {
    const snapshots = await new ConversationStore(this.cluster.store.durable).conversations.find({});
    const applied = new Map(snapshots.map(({ _id, appliedSeq }) => [_id, appliedSeq]));
    for (const id of this.oracle.histories.keys()) {
      const seq = applied.get(id) ?? 0;
      if (seq < this.oracle.head(id)) return `${id} is projected through ${seq} of ${this.oracle.head(id)}`;
    }
    return undefined;
  }

  /** What is not yet as it must be in the end. */
  private unsettled(): string | undefined {
    if (this.cluster.store.landing > 0) return "inserts under way";
    const late = this.publishes ? this.deliveries.missing() : undefined;
    if (late) return `${late.conversationId}/${late.seq} was not delivered`;
    for (const client of this.clients) {
      if (client.away) continue;
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
    const store = new ConversationStore(this.cluster.store.durable);
    for (const id of this.oracle.histories.keys()) {
      const { state } = await store.load(id);
      const truth = this.oracle.state(id);
      // The state of a large conversation lists only members that changed since its snapshot.
      const comparable = truth.listed ? state : { ...state, members: truth.members, complete: truth.complete };
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
