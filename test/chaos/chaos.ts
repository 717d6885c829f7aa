import { Prng } from "../simulation/prng";
import { until } from "../support/wait";
import { type Calls, quantile } from "./ack-log";
import { Counters } from "./counters";
import { type Kill, Killer, type Kind } from "./killer";
import { Load } from "./load";
import { Stage } from "./stage";
import { verdict } from "./verdict";

export interface ChaosOptions {
  readonly seed: number;
  /** Kills until the end. */
  readonly kills: number;
  /** It ends after so long, however many were killed. */
  readonly minutes: number;
  readonly rate: number;
  log?(line: string): void;
}

/** Milliseconds. */
interface Recovery {
  readonly kills: number;
  readonly p50: number;
  readonly p95: number;
  readonly longest: number;
}

export interface ChaosReport {
  readonly seed: number;
  readonly kills: number;
  /** By kind: the longest that any command waited after a kill, of those sent before the system was whole again. */
  readonly recovery: Readonly<Partial<Record<Kind | "nodes" | "stores" | "all", Recovery>>>;
  readonly acks: number;
  readonly seconds: number;
  readonly calls: Calls;
  /** Attempts that failed and were made again, by event and error type. */
  readonly repeated: Load["failures"];
  /** Events that came to a client again, and were dropped. */
  readonly duplicates: number;
  /** Claims that were refused, and done later by an attempt that was held up on its way. */
  readonly lateClaims: number;
  readonly fenceHits: number;
  readonly storeErrors: number;
  /** Nodes that ended by themselves. */
  readonly ends: readonly string[];
  /** What was wrong; empty when every promise was kept. */
  readonly violations: readonly string[];
}

/** From a stop of the load or a kill to the next acknowledgement of everybody, at most. */
const FLOWING_MS = 60_000;
const COUNTERS = ["parley_fence_hits_total", "parley_store_errors_total"];

/** Load on a cluster of real processes, of which one after another is killed, and the oracle's word at the end. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { log = () => undefined } = options;
  log("starting servers and nodes");
  const stage = await Stage.start();
  let load: Load | undefined;
  try {
    log("signing up, connecting");
    load = await Load.prepare({ server: stage.cluster, rate: options.rate, seed: options.seed });
    return await kill(stage, load, options);
  } catch (error) {
    const context = [load?.problems.join("\n") ?? "", stage.cluster.logs.slice(-8_000)].join("\n");
    throw new Error(`${String(error)}\n${context}`, { cause: error });
  } finally {
    load?.close();
    await stage.stop();
  }
}

async function kill(stage: Stage, load: Load, options: ChaosOptions): Promise<ChaosReport> {
  const { log = () => undefined, kills, minutes, seed } = options;
  const counters = new Counters(stage.cluster.of("core"), COUNTERS).start();
  const killer = new Killer(stage, new Prng(seed)).start();
  const begunAt = performance.now();
  load.start();
  await flows(load);
  try {
    while (killer.kills.length < kills && performance.now() - begunAt < minutes * 60_000) {
      if (load.problems.length > 0) break;
      const { id, kind } = await killer.next();
      await killer.rest();
      if (kind === "mongo" || kind === "nats") await flows(load);
      log(`kill ${killer.kills.length}: ${id}; ${load.acks.count} acks, ${Math.round(seconds(begunAt))} s`);
    }
  } finally {
    await killer.stop();
  }
  await flows(load);
  const endedAt = performance.now();
  await load.stop();
  await counters.stop();
  log("quiet; asking the oracle");
  const violations = await verdict(load, stage.mongoUri);
  return {
    seed,
    kills: killer.kills.length,
    recovery: recoveries(load, killer.kills),
    acks: load.acks.count,
    seconds: (endedAt - begunAt) / 1_000,
    calls: load.acks.between(begunAt, endedAt),
    repeated: load.failures,
    duplicates: load.clients.reduce((sum, { view }) => sum + view.duplicates, 0),
    lateClaims: load.desks.reduce((sum, { late }) => sum + late.length, 0),
    fenceHits: counters.total("parley_fence_hits_total"),
    storeErrors: counters.total("parley_store_errors_total"),
    ends: killer.ends,
    violations,
  };
}

const seconds = (since: number): number => (performance.now() - since) / 1_000;

/** Resolves when whatever was sent before now is acknowledged. */
async function flows({ acks, problems }: Load): Promise<void> {
  const now = performance.now();
  await until("all that was sent is acknowledged", () => problems.length > 0 || !acks.isWaiting(now), FLOWING_MS);
}

function recoveries({ acks }: Load, kills: readonly Kill[]): ChaosReport["recovery"] {
  const times = kills.map(({ kind, at, backAt }) => ({ kind, ms: acks.longestWait(at, backAt) }));
  const of = (kinds: readonly Kind[]): Recovery => {
    const ms = times.flatMap((each) => (kinds.includes(each.kind) ? [each.ms] : [])).sort((a, b) => a - b);
    return { kills: ms.length, p50: quantile(ms, 0.5), p95: quantile(ms, 0.95), longest: ms.at(-1) ?? 0 };
  };
  const [nodes, stores] = [
    ["gateway", "io", "core", "scheduler"],
    ["nats", "redis", "mongo"],
  ] as const;
  const all = [...nodes, ...stores];
  return {
    ...Object.fromEntries(all.map((kind) => [kind, of([kind])])),
    nodes: of(nodes),
    stores: of(stores),
    all: of(all),
  };
}
