import type { ServiceBroker, ServiceSchema } from "moleculer";
import { callerOf } from "./call";
import { healthOf } from "./health";
import { keyFingerprints } from "./key-fingerprints";
import { lifecycleOf } from "./lifecycle";
import { resourcesOf } from "./resources";

export interface NodeState {
  readonly ready: boolean;
  /** The node's phase, and `up` or `down` for what it depends on. */
  readonly parts: Readonly<Record<string, string>>;
  readonly pid: number;
  readonly uptimeSeconds: number;
  readonly memoryBytes: number;
  /** Wall-clock milliseconds, as this node sees them. */
  readonly now: number;
  /** Fingerprints of AUTH_KEYS, the key that signs first; absent without that setting. */
  readonly keys?: readonly string[];
}

/** A node that is up, as another one's registry knows it. */
export interface KnownNode {
  readonly id: string;
  /** Names of the services that it runs. */
  readonly services: readonly string[];
}

/** What operators ask of one node. Each node answers for itself: call them with its `nodeID`. */
export type NodeInternal = {
  "node.state": { params: object; result: NodeState };
  /** Begins what SIGTERM does without the end: nothing new, clients sent away, homes handed over. Answers at once. */
  "node.drain": { params: object; result: null };
};

/** Calls an internal action of a node. */
export const callNode = callerOf<NodeInternal>();

/** The nodes that a broker's node knows, in the order of their ids; itself is one of them. */
export async function knownNodes(broker: ServiceBroker): Promise<KnownNode[]> {
  const listed = await broker.call<Listed[], object>("$node.list", { withServices: true, onlyAvailable: true });
  return listed
    .map(({ id, services }) => ({ id, services: services.map(({ name }) => name) }))
    .sort((a, b) => a.id.localeCompare(b.id));
}

interface Listed {
  readonly id: string;
  readonly services: ReadonlyArray<{ readonly name: string }>;
}

/** A node's phase, and what it depends on and does not reach. */
export function conditionOf({ parts }: NodeState): { readonly phase: string; readonly down: string[] } {
  const { node: phase = "", ...others } = parts;
  return { phase, down: Object.entries(others).flatMap(([part, is]) => (is === "up" ? [] : [part])) };
}

/** The service by which operators ask and tell a node; every node has it. */
export function nodeService(broker: ServiceBroker): ServiceSchema {
  const lifecycle = lifecycleOf(broker);
  const health = healthOf(broker);
  const { AUTH_KEYS: keys } = resourcesOf(broker).config;
  const told = keys === undefined ? {} : { keys: keyFingerprints(keys) };
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
          ...told,
        };
      },
      async drain(): Promise<null> {
        void lifecycle.drain((error) => broker.logger.error("draining failed", { error }));
        return null;
      },
    },
  };
}
