import { quantile } from "./ack-log";
import type { Kill, Kind } from "./killer";
import type { Load } from "./load";
import { type Outcome, rehearse, type RehearsalOptions } from "./rehearsal";

export interface ChaosOptions extends RehearsalOptions {
  /** Kills until the end. */
  readonly kills: number;
  /** It ends after so long, however many were killed. */
  readonly minutes: number;
}

/** Milliseconds. */
export interface Recovery {
  readonly kills: number;
  readonly p50: number;
  readonly p95: number;
  readonly longest: number;
}

/** By kind: the longest that any command waited after a kill, of those sent before the system was whole again. */
export type Recoveries = Readonly<Partial<Record<Kind | "nodes" | "stores" | "all", Recovery>>>;

export interface ChaosReport extends Outcome {
  readonly recovery: Recoveries;
}

/** One process after another is killed at random, stores included. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { kills, minutes } = options;
  const [outcome, recovery] = await rehearse(options, async ({ load, killer, log, elapsed, flows }) => {
    while (killer.kills.length < kills && elapsed() < minutes * 60_000 && load.problems.length === 0) {
      const { id, kind } = await killer.next();
      await killer.rest();
      if (kind === "mongo" || kind === "nats") await flows();
      log(`kill ${killer.kills.length}: ${id}; ${load.acks.count} acks, ${Math.round(elapsed() / 1_000)} s`);
    }
    await killer.whole();
    await flows();
    return recoveries(load, killer.kills);
  });
  return { ...outcome, recovery };
}

function recoveries({ acks }: Load, kills: readonly Kill[]): Recoveries {
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
