import type { StoredEvent } from "../../../actors/conversation/conversation.events";
import type { ClientSocket } from "../../../services/io/client-socket";
import { QueueFeed } from "../../../services/io/queue-feed";
import { VirtualClock } from "../../support/virtual-clock";

const session = { status: "unassigned", topic: "t", customerId: "carl", openedAt: 0, enteredAt: 0, rank: 0 };
const opened = { conversationId: "s1", seq: 1, session } as unknown as StoredEvent;

/** An agent's socket, and what was written to it. */
function agent(): { socket: ClientSocket; written: string[] } {
  const written: string[] = [];
  const socket = {
    connected: true,
    data: { user: { id: "ada", roles: ["agent"], guest: false, family: "f" } },
    conn: { write: (text: string) => void written.push(text) },
  };
  return { socket: socket as unknown as ClientSocket, written };
}

describe("who is refused the queue", () => {
  it("does not end it for those who asked at the same time", async () => {
    const list = () => Promise.resolve({ sessions: [] });
    const feed = new QueueFeed({ clock: new VirtualClock(), list, newEpoch: () => "epoch" });
    const [gone, stays] = [agent(), agent()];
    const refused = expect(feed.subscribe(gone.socket)).rejects.toMatchObject({ type: "FORBIDDEN" });
    const subscribed = feed.subscribe(stays.socket);
    Object.assign(gone.socket, { connected: false });
    await Promise.all([refused, subscribed]);
    feed.received([opened]);
    expect(stays.written).toHaveLength(1);
  });
});
