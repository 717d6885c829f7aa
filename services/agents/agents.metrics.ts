import type { ServiceBroker } from "moleculer";
import { metricsOf, type PlainCounter } from "../../lib/metrics";

export interface AgentMetrics {
  readonly pushed: PlainCounter;
  readonly slotsTaken: PlainCounter;
  readonly returned: PlainCounter;
}

/** The metrics of giving sessions to agents. */
export function agentMetrics(broker: ServiceBroker): AgentMetrics {
  const metrics = metricsOf(broker);
  return {
    pushed: metrics.counter("parley_sessions_pushed_total", "Sessions that were given to an agent"),
    slotsTaken: metrics.counter("parley_push_slots_taken_total", "Slots of agents that somebody else took first"),
    returned: metrics.counter("parley_sessions_offline_total", "Sessions given back because their agent was gone"),
  };
}
