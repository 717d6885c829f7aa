import type { ConversationStore } from "../../../actors/conversation/conversation.store";
import type { Clock } from "../../../lib/actor/ports";
import type { TimerStore } from "../../timers";
import type { FactsStore } from "../facts.store";
import type { FoldPorts } from "../folding";

/**
 * What must not be at the desk. `unarmed`: nothing would look at a session when its next timer is due. `overdue`: that was
 * a while ago. `twice`: a customer has two open sessions of one topic. `slot`: an agent's slot is held by a session that
 * the agent no longer has. `facts`: they differ from the log, or are behind.
 */
export const ANOMALIES = ["unarmed", "overdue", "twice", "slot", "facts"] as const;
export type Anomaly = (typeof ANOMALIES)[number];

/** How many of each were found in one step, and how many of them put right. */
export type Findings = Readonly<Record<Anomaly, number>> & { readonly repaired: number };

export const NO_FINDINGS: Findings = { unarmed: 0, overdue: 0, twice: 0, slot: 0, facts: 0, repaired: 0 };

export function sumOf(all: readonly Findings[]): Findings {
  const sum = { ...NO_FINDINGS };
  for (const findings of all) for (const kind of [...ANOMALIES, "repaired"] as const) sum[kind] += findings[kind];
  return sum;
}

export interface AuditPorts extends FoldPorts {
  readonly log: ConversationStore;
  readonly facts: FactsStore;
  readonly timers: Pick<TimerStore, "rows" | "keep">;
  readonly clock: Pick<Clock, "now">;
  /** Agents with an id above `after`, by id. */
  agents(after: string, limit: number): Promise<ReadonlyArray<{ readonly id: string; readonly capacity: number }>>;
}

/** What is younger may still be under way. */
export const SETTLED_MS = 60_000;
/** Sessions that are looked at side by side. */
export const AT_ONCE = 8;
