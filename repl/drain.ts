import type { Command } from "./command";

export const drain: Command = {
  command: "drain",
  description: "Take this node out of service: its clients are told to reconnect, bit by bit. Needs --yes",
  options: [{ option: "--yes", description: "Really do it; there is no way back but a restart" }],
  async run({ broker, options }) {
    if (options.yes !== true)
      return `This sends every client of ${broker.nodeID} away and takes no new ones until a restart.\nTo do it: drain --yes`;
    await broker.call("io.drain", {}, { nodeID: broker.nodeID, timeout: 0 });
    return "Drained. Nobody is connected here any more; leave with: quit";
  },
};
