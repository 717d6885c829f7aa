import { routingOf } from "../lib/routing";
import { callRoom } from "../services/room/room.internal";
import type { Command } from "./command";

const COLUMNS = [
  { title: "Order", align: "right" },
  { title: "Node", overflow: "id" },
  { title: "State" },
  { title: "", overflow: "wrap" },
] as const;

/** Any action of conversations: all of them have the same homes. */
const ACTION = "room.inspect";

export const homes: Command = {
  command: "homes <id>",
  description: "Show which node is a conversation's home, and which would be next: homes <id>",
  options: [],
  async run({ broker, args, table }) {
    const id = args.id ?? "";
    const { peers } = routingOf(broker);
    const offering = routingOf(broker)
      .offered(ACTION)
      .map((node) => node.id);
    const order: string[] = [];
    for (;;) {
      const next = peers.home(
        id,
        offering.filter((node) => !order.includes(node)),
      );
      if (next === undefined) break;
      order.push(next);
    }
    if (order.length === 0) return "No core node is there.";
    const found = await callRoom(broker, ACTION, { conversationId: id, limit: 1 });
    if (!found) return "There is no such conversation.";
    const rows = order.map((node, at) => [String(at + 1), node, peers.stateOf(node), remark(node, at, found)]);
    return table(COLUMNS, rows);
  },
};

function remark(node: string, at: number, { home, activated }: { home: string; activated: boolean }): string {
  if (node === home) return activated ? "answered, active in memory" : "answered, was not in memory";
  return at === 0 ? "the home as seen from here" : "";
}
