import { lifecycleOf } from "../lib/lifecycle";
import type { Command } from "./command";

/** What SIGTERM does, without the end: the node is not ready, sends its clients away and finishes what is in flight. */
export const drain: Command = {
  command: "drain",
  description: "Take this node out of service: its clients are told to reconnect, bit by bit. Needs --yes",
  options: [{ option: "--yes", description: "Really do it; there is no way back but a restart" }],
  async run({ broker, options }) {
    if (options.yes !== true)
      return `This sends every client of ${broker.nodeID} away and takes no new ones until a restart.\nTo do it: drain --yes`;
    await lifecycleOf(broker).drain((error) => broker.logger.error("draining failed", { error }));
    return "Drained. Nobody is connected here any more; leave with: quit";
  },
};
