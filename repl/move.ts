import type { ServiceBroker } from "moleculer";
import { routingOf } from "../lib/routing";
import { callRoom } from "../services/room/room.internal";
import type { Command } from "./command";

/** Takes a conversation away from a node that suffers from it, or away from one that suffers. */
export const move: Command = {
  command: "move <id> [node]",
  description: "Make another node a conversation's home for ten minutes: move <id> core-2",
  options: [],
  async run({ broker, args }) {
    const { id = "", node } = args;
    if (!(await callRoom(broker, "room.inspect", { conversationId: id, limit: 1 })))
      return "There is no such conversation.";
    const to = node === undefined ? {} : { to: node };
    const moved = await callRoom(broker, "room.move", { conversationId: id, ...to }).catch(unlessNotFound);
    if (!moved) return `There is no other core node${node === undefined ? "" : ` ${node}`}. ${candidates(broker)}`;
    return `Moved from ${moved.from} to ${moved.to}.\nNothing is lost or refused meanwhile. It ends by itself in ten minutes.`;
  },
};

function candidates(broker: ServiceBroker): string {
  const nodes = routingOf(broker).offered("room.move");
  const names = nodes.map(({ id }) => id).sort();
  return `There ${names.length === 1 ? "is" : "are"}: ${names.join(", ")}.`;
}

function unlessNotFound(error: unknown): undefined {
  if ((error as { type?: unknown }).type !== "NOT_FOUND") throw error;
}
