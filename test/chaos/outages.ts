import { setTimeout as pause } from "node:timers/promises";
import type { Fault, Kill } from "./killer";
import type { Load } from "./load";
import { type Outcome, rehearse, type RehearsalOptions } from "./rehearsal";

export interface OutagesOptions extends RehearsalOptions {
  /** How long each server is away. */
  readonly downSeconds: number;
}

/** What one server's absence was to the clients. Milliseconds. */
export interface Outage {
  readonly server: string;
  readonly fault: Fault;
  /** Attempts that failed, from the fault until all was back. */
  readonly errors: number;
  /** From the fault to the first of them; undefined when there was none. */
  readonly firstError: number | undefined;
  /** The longest that any of them took to say so. */
  readonly slowestError: number;
  /** Those that were never answered. */
  readonly unanswered: number;
  /** Acknowledgements while it was away. */
  readonly acks: number;
  /** From its return to the first acknowledgement. */
  readonly firstAck: number;
  /** From its return until all was acknowledged that had been sent before. */
  readonly recovered: number;
}

export interface OutagesReport extends Outcome {
  readonly downSeconds: number;
  readonly outages: readonly Outage[];
}

const SERVERS = ["nats", "redis", "mongo"] as const;
const FAULTS: readonly Fault[] = ["killed", "suspended"];
const STEADY_MS = 3_000;

/** One server after another is away for long, killed and then suspended, while all nodes stay up. */
export async function runOutages(options: OutagesOptions): Promise<OutagesReport> {
  const { downSeconds } = options;
  const [outcome, outages] = await rehearse(options, async ({ load, killer, log, flows }) => {
    const seen: Outage[] = [];
    for (const server of SERVERS)
      for (const fault of FAULTS) {
        await pause(STEADY_MS);
        const kill = await killer.down(server, downSeconds * 1_000, fault);
        await flows();
        seen.push(outageOf(kill, fault, load));
        log(`${server} ${fault} for ${downSeconds} s: all goes on after ${Math.round(seen.at(-1)?.recovered ?? 0)} ms`);
      }
    return seen;
  });
  return { ...outcome, outages, downSeconds };
}

function outageOf({ id, at, backAt }: Kill, fault: Fault, load: Load): Outage {
  const { acks } = load;
  const failed = load.failed(at);
  const first = failed.reduce((least, failure) => Math.min(least, failure.at), Infinity);
  return {
    server: id,
    fault,
    errors: failed.length,
    firstError: first === Infinity ? undefined : first - at,
    slowestError: failed.reduce((most, { ms }) => Math.max(most, ms), 0),
    unanswered: failed.filter(({ type }) => type === "NO_ANSWER").length,
    acks: acks.acked(at, backAt),
    firstAck: (acks.firstAfter(backAt) ?? Infinity) - backAt,
    recovered: acks.longestWait(backAt, backAt),
  };
}
