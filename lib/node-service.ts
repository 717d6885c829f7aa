import type { ServiceBroker, ServiceSchema } from "moleculer";
import { callerOf } from "./call";
import { healthOf } from "./health";
import { lifecycleOf } from "./lifecycle";

export interface NodeState {
  readonly ready: boolean;
  /** The node's phase, and `up` or `down` for what it depends on. */
  readonly parts: Readonly<Record<string, string>>;
  readonly pid: number;
  readonly uptimeSeconds: number;
  readonly memoryBytes: number;
  /** Wall-clock milliseconds, as this node sees them. */
  readonly now: number;
}

/** What operators ask of one node. Each node answers for itself: call them with its `nodeID`. */
export type NodeInternal = {
  "node.state": { params: object; result: NodeState };
  /** Begins what SIGTERM does without the end: nothing new, clients sent away, homes handed over. Answers at once. */
  "node.drain": { params: object; result: null };
};

/** Calls an internal action of a node. */
export const callNode = callerOf<NodeInternal>();

/** The service by which operators ask and tell a node; every node has it. */
export function nodeService(broker: ServiceBroker): ServiceSchema {
  const lifecycle = lifecycleOf(broker);
  const health = healthOf(broker);
  return {
    name: "node",
    actions: {
      async state(): Promise<NodeState> {
        return {
          ...(await health.readiness()),
          pid: process.pid,
          uptimeSeconds: Math.floor(process.uptime()),
          memoryBytes: process.memoryUsage.rss(),
          now: Date.now(),
        };
      },
      async drain(): Promise<null> {
        void lifecycle.drain((error) => broker.logger.error("draining failed", { error }));
        return null;
      },
    },
  };
}
