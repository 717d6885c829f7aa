import { conditionOf, type NodeState } from "../lib/node-service";
import { span } from "../lib/span";
import type { Command } from "./command";
import { rolesOf, servingNodes, stateOf } from "./serving-nodes";

const COLUMNS = [
  { title: "Node", overflow: "id" },
  { title: "Runs", overflow: "cut" },
  { title: "State", overflow: "wrap" },
  { title: "Process", align: "right" },
  { title: "Up", align: "right" },
  { title: "Memory", align: "right" },
] as const;

const MEGABYTE = 1_048_576;

/** Its phase, and what it depends on and does not reach. */
function describe(state: NodeState): string {
  const { phase, down } = conditionOf(state);
  return [phase, ...down.map((part) => `${part} down`)].join(", ");
}

export const nodes: Command = {
  command: "nodes",
  description: "List the nodes of the cluster: what each runs, and how it is",
  options: [],
  async run({ broker, table }) {
    const known = await servingNodes(broker);
    const rows = known.map(async (node) => {
      const state = await stateOf(broker, node.id);
      if (!state) return [node.id, rolesOf(node), "does not answer", "-", "-", "-"];
      const { pid, uptimeSeconds, memoryBytes } = state;
      const memory = `${Math.round(memoryBytes / MEGABYTE)} MB`;
      return [node.id, rolesOf(node), describe(state), String(pid), span(uptimeSeconds * 1_000), memory];
    });
    return known.length === 0 ? "There are no nodes." : table(COLUMNS, await Promise.all(rows));
  },
};
