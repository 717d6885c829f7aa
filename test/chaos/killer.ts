import { setTimeout as pause } from "node:timers/promises";
import type { Prng } from "../simulation/prng";
import type { ClusterNode } from "../support/cluster-node";
import type { ServerProcess } from "../support/servers/process";
import { until } from "../support/wait";
import type { Stage } from "./stage";

export type Kind = "gateway" | "io" | "core" | "scheduler" | "nats" | "redis" | "mongo";

/** Ended with SIGKILL, or standing still with its connections open (SIGSTOP). */
export type Fault = "killed" | "suspended";

/** Something that was killed; times are milliseconds of `performance.now()`. */
export interface Kill {
  readonly kind: Kind;
  readonly id: string;
  readonly at: number;
  /** When it was ready again. */
  backAt: number;
}

interface Victim {
  readonly kind: Kind;
  readonly id: string;
  readonly process: Pick<ClusterNode | ServerProcess, "kill" | "start" | "running" | "suspend" | "resume">;
}

const DOWN_MS: readonly [number, number] = [100, 4_000];
const REST_MS: readonly [number, number] = [500, 2_500];
/** The chance that the next one falls while this one is down. */
const OVERLAP = 0.3;
const RESTART_MS = 90_000;
const WATCH_MS = 250;

/**
 * Kills with SIGKILL, in an order that the seed decides: every process of the stage once before any a second time. Two
 * nodes may be down at once, a store never together with anything. A node that ends by itself is started again, as
 * whoever runs a cluster would.
 */
export class Killer {
  readonly kills: Kill[] = [];
  /** Nodes that ended without having been killed. */
  readonly ends: string[] = [];
  private readonly busy = new Set<string>();
  private readonly restarts = new Set<Promise<void>>();
  private readonly victims: readonly Victim[];
  private bag: Victim[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(
    stage: Stage,
    private readonly random: Prng,
  ) {
    const { nats, redis, mongo } = stage.servers;
    this.victims = [
      ...stage.cluster.nodes.map((node): Victim => ({ kind: node.role, id: node.id, process: node })),
      { kind: "nats", id: "nats", process: nats },
      { kind: "redis", id: "redis", process: redis },
      ...(mongo ? [{ kind: "mongo" as const, id: "mongo", process: mongo }] : []),
    ];
  }

  /** Watches over nodes that end by themselves, until `stop`. */
  start(): this {
    this.timer = setInterval(() => this.lookAfter(), WATCH_MS);
    return this;
  }

  /** Kills the next one; resolves when one more may be killed. */
  async next(): Promise<Kill> {
    const victim = this.draw();
    if (isStore(victim)) await this.whole();
    const kill = await this.strike(victim);
    const restart = this.revive(victim, kill);
    const overlaps = !isStore(victim) && this.random.chance(OVERLAP);
    if (overlaps) await pause(this.random.between(...DOWN_MS) / 4);
    else await restart;
    return kill;
  }

  /** Takes one process down for `ms` while everything else is up; resolves when it is ready again. */
  async down(id: string, ms: number, fault: Fault = "killed"): Promise<Kill> {
    const victim = this.victims.find((each) => each.id === id);
    if (!victim) throw new Error(`there is no ${id}`);
    await this.whole();
    const kill = await this.strike(victim, fault);
    await this.track(victim, async () => {
      await pause(ms);
      await (fault === "killed" ? startAgain(victim) : victim.process.resume());
      kill.backAt = performance.now();
    });
    return kill;
  }

  /** Resolves when all that were killed are ready again. */
  async whole(): Promise<void> {
    while (this.restarts.size > 0) await Promise.all(this.restarts);
  }

  /** Resolves after a rest that the seed decides. */
  rest(): Promise<void> {
    return pause(this.random.between(...REST_MS));
  }

  async stop(): Promise<void> {
    await this.whole();
    clearInterval(this.timer);
    await this.whole();
  }

  private draw(): Victim {
    if (this.bag.length === 0) this.bag = [...this.victims];
    const free = this.bag.filter(({ id }) => !this.busy.has(id));
    const victim = this.random.pick(free.length > 0 ? free : this.victims.filter(({ id }) => !this.busy.has(id)));
    this.bag = this.bag.filter((each) => each !== victim);
    return victim;
  }

  private async strike({ kind, id, process }: Victim, fault: Fault = "killed"): Promise<Kill> {
    this.busy.add(id);
    const kill = { kind, id, at: performance.now(), backAt: Infinity };
    await (fault === "killed" ? process.kill("SIGKILL") : process.suspend());
    this.kills.push(kill);
    return kill;
  }

  private revive(victim: Victim, kill: Kill): Promise<void> {
    const downMs = this.random.between(...DOWN_MS);
    return this.track(victim, async () => {
      await pause(downMs);
      await startAgain(victim);
      kill.backAt = performance.now();
    });
  }

  private lookAfter(): void {
    for (const victim of this.victims) {
      if (this.busy.has(victim.id) || victim.process.running) continue;
      this.busy.add(victim.id);
      this.ends.push(victim.id);
      void this.track(victim, () => startAgain(victim)).catch(() => undefined);
    }
  }

  private track({ id }: Victim, work: () => Promise<void>): Promise<void> {
    const restart = work().finally(() => {
      this.restarts.delete(restart);
      this.busy.delete(id);
    });
    this.restarts.add(restart);
    // Whoever waits for it hears of it.
    restart.catch(() => undefined);
    return restart;
  }
}

const isStore = ({ kind }: Victim): boolean => kind === "nats" || kind === "redis" || kind === "mongo";

/** A node that starts while a store is away may give up: then it is started once more. */
const startAgain = async ({ id, process }: Victim): Promise<void> => {
  let last: unknown;
  const starts = (): Promise<boolean> =>
    process.start().then(
      () => true,
      (error: unknown) => {
        last = error;
        return false;
      },
    );
  await until(`${id} starts again`, starts, RESTART_MS).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${String(last)}`);
  });
};
