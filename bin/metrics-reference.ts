import { randomUUID } from "node:crypto";
import { systemClock } from "../lib/actor/ports";
import { readConfig } from "../lib/config";
import { MemoryKv } from "../lib/kv/memory";
import { type MetricInfo, metricsOf } from "../lib/metrics";
import { createNode, type Node } from "../lib/node";
import { metricsPage } from "../lib/reference";
import { MemoryStore } from "../lib/store/memory";
import { ROLES } from "../services/roles";

/** Services of the core are waited for by the others. */
const ORDER = ["core", "io", "gateway", "scheduler"] as const satisfies ReadonlyArray<keyof typeof ROLES>;

/** What a process of each role measures, by role: from a cluster in this process that is stopped again. */
export async function metricsByRole(): Promise<ReadonlyMap<string, readonly MetricInfo[]>> {
  const store = new MemoryStore();
  const kv = new MemoryKv({ clock: systemClock });
  const env = {
    NAMESPACE: `metrics-${randomUUID().slice(0, 8)}`,
    AUTH_KEYS: `metrics:${Buffer.alloc(32, randomUUID()).toString("base64")}`,
    ADMIN_PASSWORD: randomUUID(),
    LOG_LEVEL: "silent",
    PORT: "0",
    DRAIN_SECONDS: "0",
  };
  const nodes: Node[] = [];
  const byRole = new Map<string, readonly MetricInfo[]>();
  try {
    for (const role of ORDER) {
      const config = readConfig({ ...env, NODE_ID: role, SERVICES: ROLES[role].join(",") });
      const node = await createNode({ config, store: shared(store), kv: shared(kv), transporter: "Fake" });
      nodes.unshift(node);
      await node.start();
      byRole.set(role, await metricsOf(node.broker).describe());
    }
  } finally {
    for (const node of nodes) await node.stop();
    await Promise.all([store.close(), kv.close()]);
  }
  return byRole;
}

/** The same, but a node that stops does not close it for the others. */
const shared = <T extends { close(): Promise<void> }>(part: T): T =>
  new Proxy(part, {
    get(target, key) {
      if (key === "close") return () => Promise.resolve();
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });

/** `docs/metrics.md`. */
export const metricsReference = async (): Promise<string> => metricsPage(await metricsByRole());
