import { type EventPublisher, PUBLISHERS } from "../../services/publishers";

/** A publisher that wants every message, and tells the standard output of each: `told <event id>`. */
const publisher: EventPublisher = {
  name: "told",
  wants: ({ type, _id }) => (type === "message.created" ? { id: _id } : undefined),
  deliver: ({ payload }) => {
    process.stdout.write(`told ${(payload as { id: string }).id}\n`);
    return Promise.resolve();
  },
};

/** The program, on a node of which every message is published. */
PUBLISHERS.push(() => publisher);
if (require.main === module) void import("../../bin/parley");
