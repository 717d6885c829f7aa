import { Counters } from "./counters";
import { Prng } from "../simulation/prng";
import { until } from "../support/wait";
import type { Calls } from "./ack-log";
import { type Kill, Killer } from "./killer";
import { type Failures, Load } from "./load";
import { Stage } from "./stage";
import { type Finding, verdict } from "./verdict";

export interface RehearsalOptions {
  readonly seed: number;
  /** Of acknowledged messages a second, as long as nothing is slow. */
  readonly rate: number;
  log?(line: string): void;
}

/** What every kind of run reports. */
export interface Outcome {
  readonly seed: number;
  readonly rate: number;
  readonly seconds: number;
  readonly acks: number;
  readonly calls: Calls;
  /** Attempts that failed and were made again, by event and error type. */
  readonly repeated: Readonly<Record<string, Failures>>;
  /** Events that came to a client again, and were dropped. */
  readonly duplicates: number;
  readonly fenceHits: number;
  readonly storeErrors: number;
  readonly kills: readonly Kill[];
  /** Nodes that ended by themselves. */
  readonly ends: readonly string[];
  /** What was wrong; empty when every promise was kept. */
  readonly violations: readonly Finding[];
}

/** What a run that is under way works with. */
export interface Scene {
  readonly load: Load;
  readonly killer: Killer;
  readonly log: (line: string) => void;
  /** Milliseconds since the load began. */
  elapsed(): number;
  /** Resolves when whatever was sent before now is acknowledged, or something is wrong already. */
  flows(): Promise<void>;
}

/** From a stop of the load or a kill to the next acknowledgement of everybody, at most. */
const FLOWING_MS = 60_000;
const FENCE_HITS = "parley_fence_hits_total";
const STORE_ERRORS = "parley_store_errors_total";

/** Load on a cluster of real processes, something bad that happens to it, and the oracle's word at the end. */
export async function rehearse<T>(
  options: RehearsalOptions,
  act: (scene: Scene) => Promise<T>,
): Promise<[outcome: Outcome, result: T]> {
  const { log = () => undefined, rate, seed } = options;
  log("starting servers and nodes");
  const stage = await Stage.start();
  let load: Load | undefined;
  try {
    log("signing up, connecting");
    load = await Load.prepare({ server: stage.cluster, rate, seed });
    return await perform(stage, load, { ...options, log }, act);
  } catch (error) {
    const context = [load?.problems.join("\n") ?? "", stage.cluster.logs.slice(-8_000)].join("\n");
    throw new Error(`${String(error)}\n${context}`, { cause: error });
  } finally {
    load?.close();
    await stage.stop();
  }
}

async function perform<T>(
  stage: Stage,
  load: Load,
  { log, rate, seed }: Required<RehearsalOptions>,
  act: (scene: Scene) => Promise<T>,
): Promise<[Outcome, T]> {
  const counters = new Counters(stage.cluster.of("core"), [FENCE_HITS, STORE_ERRORS]).start();
  const killer = new Killer(stage, new Prng(seed)).start();
  const begunAt = performance.now();
  const flows = (): Promise<void> => flowing(load);
  load.start();
  await flows();
  const result = await act({ load, killer, log, flows, elapsed: () => performance.now() - begunAt }).finally(() =>
    killer.stop(),
  );
  await flows();
  const endedAt = performance.now();
  await load.stop();
  await counters.stop();
  log("quiet; asking the oracle");
  const violations = await verdict(load, stage.mongoUri);
  const outcome = {
    seed,
    rate,
    seconds: (endedAt - begunAt) / 1_000,
    acks: load.acks.count,
    calls: load.acks.during(begunAt, endedAt),
    repeated: load.failures,
    duplicates: load.clients.reduce((sum, { view }) => sum + view.duplicates, 0),
    fenceHits: counters.total(FENCE_HITS),
    storeErrors: counters.total(STORE_ERRORS),
    kills: killer.kills,
    ends: killer.ends,
    violations,
  };
  return [outcome, result];
}

async function flowing({ acks, problems }: Load): Promise<void> {
  const now = performance.now();
  await until("all that was sent is acknowledged", () => problems.length > 0 || !acks.isWaiting(now), FLOWING_MS);
}
