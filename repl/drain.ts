import { callNode } from "../lib/node-service";
import type { Command } from "./command";
import { servingNodes } from "./serving-nodes";

/** What SIGTERM does, without the end: the node is not ready, sends its clients away and finishes what is in flight. */
export const drain: Command = {
  command: "drain [node]",
  description: "Take a node out of service: clients leave it bit by bit, homes move. drain core-2 --yes",
  options: [{ option: "--yes", description: "Really do it; there is no way back but a restart" }],
  async run({ broker, args, options }) {
    const known = (await servingNodes(broker)).map(({ id }) => id);
    const node = args.node ?? (known.includes(broker.nodeID) ? broker.nodeID : undefined);
    if (node === undefined || !known.includes(node)) return `Which one? There are: ${known.join(", ")}.`;
    if (options.yes !== true)
      return [
        `This takes ${node} out of service until a restart.`,
        "Its clients and homes go to other nodes.",
        `To do it: drain ${node} --yes`,
      ].join("\n");
    await callNode(broker, "node.drain", {}, { nodeID: node });
    return `${node} drains: nothing new reaches it, its clients leave.\nSee how it is with: nodes`;
  },
};
