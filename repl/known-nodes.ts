import type { ServiceBroker } from "moleculer";
import { callNode, type NodeState } from "../lib/node-service";
import { NODE_ROLES, ROLES } from "../services/roles";

/** A node as the registry knows it. */
export interface KnownNode {
  readonly id: string;
  readonly services: readonly string[];
}

interface Listed {
  readonly id: string;
  readonly available: boolean;
  readonly services: ReadonlyArray<{ readonly name: string }>;
}

const ANSWER_MS = 2_000;
/** Every node has them; they say nothing about what it is for. */
const EVERYWHERE = new Set(["$node", "node", "routing"]);

/** The nodes that this one knows, by name; without consoles and the like, which serve nothing. */
export async function knownNodes(broker: ServiceBroker): Promise<KnownNode[]> {
  const listed = await broker.call<Listed[], object>("$node.list", { withServices: true, onlyAvailable: true });
  return listed
    .map(({ id, services }) => ({
      id,
      services: services.map(({ name }) => name).filter((name) => !EVERYWHERE.has(name)),
    }))
    .filter(({ services }) => services.length > 0)
    .sort((a, b) => a.id.localeCompare(b.id));
}

/** What a node says of itself; undefined when it does not answer. */
export const stateOf = (broker: ServiceBroker, nodeID: string): Promise<NodeState | undefined> =>
  callNode(broker, "node.state", {}, { nodeID, timeout: ANSWER_MS }).catch(() => undefined);

/** The kinds of which a node runs every service, or else its services. */
export function rolesOf({ services }: KnownNode): string {
  const roles = NODE_ROLES.filter((role) => ROLES[role].every((name) => services.includes(name)));
  if (roles.length === NODE_ROLES.length) return "everything";
  return roles.length > 0 ? roles.join(" ") : services.join(" ");
}
