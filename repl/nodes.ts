import type { NodeState } from "../lib/node-service";
import type { Command } from "./command";
import { knownNodes, rolesOf, stateOf } from "./known-nodes";

const COLUMNS = [
  { title: "Node", overflow: "id" },
  { title: "Runs", overflow: "cut" },
  { title: "State", overflow: "wrap" },
  { title: "Process", align: "right" },
  { title: "Up", align: "right" },
  { title: "Memory", align: "right" },
] as const;

const MEGABYTE = 1_048_576;
const MINUTE_S = 60;
const HOUR_S = 3_600;
const DAY_S = 86_400;

/** Its phase, and what it depends on and does not reach. */
function describe({ parts }: NodeState): string {
  const { node = "", ...others } = parts;
  const down = Object.entries(others).flatMap(([part, state]) => (state === "up" ? [] : [`${part} ${state}`]));
  return [node, ...down].join(", ");
}

function uptime(seconds: number): string {
  if (seconds < MINUTE_S) return `${seconds} s`;
  if (seconds < HOUR_S) return `${Math.floor(seconds / MINUTE_S)} min`;
  return seconds < DAY_S ? `${Math.floor(seconds / HOUR_S)} h` : `${Math.floor(seconds / DAY_S)} d`;
}

export const nodes: Command = {
  command: "nodes",
  description: "List the nodes of the cluster: what each runs, and how it is",
  options: [],
  async run({ broker, table }) {
    const known = await knownNodes(broker);
    const rows = known.map(async (node) => {
      const state = await stateOf(broker, node.id);
      if (!state) return [node.id, rolesOf(node), "does not answer", "-", "-", "-"];
      const { pid, uptimeSeconds, memoryBytes } = state;
      const memory = `${Math.round(memoryBytes / MEGABYTE)} MB`;
      return [node.id, rolesOf(node), describe(state), String(pid), uptime(uptimeSeconds), memory];
    });
    return known.length === 0 ? "There are no nodes." : table(COLUMNS, await Promise.all(rows));
  },
};
