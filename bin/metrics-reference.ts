import { readConfig } from "../lib/config";
import { MemoryKv } from "../lib/kv/memory";
import { type MetricInfo, metricsOf } from "../lib/metrics";
import { createNode } from "../lib/node";
import { metricsPage } from "../lib/reference";
import { MemoryStore } from "../lib/store/memory";
import { systemClock } from "../lib/actor/ports";
import { ROLES } from "../services/roles";

/** What a process of each role measures, by role. The processes are made, and not started. */
export async function metricsByRole(): Promise<ReadonlyMap<string, readonly MetricInfo[]>> {
  const byRole = new Map<string, readonly MetricInfo[]>();
  for (const [role, services] of Object.entries(ROLES)) {
    const node = await createNode({
      config: readConfig({ SERVICES: services.join(","), LOG_LEVEL: "silent" }),
      store: new MemoryStore(),
      kv: new MemoryKv({ clock: systemClock }),
    });
    byRole.set(role, await metricsOf(node.broker).describe());
    await node.stop();
  }
  return byRole;
}

/** `docs/metrics.md`. */
export const metricsReference = async (): Promise<string> => metricsPage(await metricsByRole());
