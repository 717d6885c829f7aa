import type { ServiceBroker } from "moleculer";
import { callNode, type KnownNode, knownNodes, type NodeState } from "../lib/node-service";
import { NODE_ROLES, ROLES } from "../services/roles";

const ANSWER_MS = 2_000;
/** Every node has them; they say nothing about what it is for. */
const EVERYWHERE = new Set(["$node", "node", "routing"]);

/** The nodes that this one knows, without consoles and the like, which serve nothing. */
export async function servingNodes(broker: ServiceBroker): Promise<KnownNode[]> {
  return (await knownNodes(broker))
    .map(({ id, services }) => ({ id, services: services.filter((name) => !EVERYWHERE.has(name)) }))
    .filter(({ services }) => services.length > 0);
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
