import type { StoredEvent } from "../../../actors/conversation/conversation.events";
import { DEFAULT_RULES, type SessionState } from "../../../actors/conversation/conversation.session-state";
import type { SessionView } from "../../../services/conversation-views";
import type { ClientSocket } from "../../../services/io/client-socket";
import { QueueFeed } from "../../../services/io/queue-feed";
import type { QueueChange } from "../../../services/session/queue";
import { VirtualClock } from "../../support/virtual-clock";

const event = (conversationId: string, seq: number, status: SessionState["status"]): StoredEvent =>
  ({
    conversationId,
    seq,
    session: {
      status,
      topic: "t",
      urgency: "normal",
      customerId: "u",
      openedAt: seq,
      enteredAt: seq,
      rank: seq,
      headStart: { class: 0 },
      rules: DEFAULT_RULES,
      openKey: "k",
    },
  }) as StoredEvent;

const view = (id: string, lastSeq: number): SessionView => ({
  id,
  conversationId: id,
  status: "unassigned",
  topic: "t",
  urgency: "normal",
  customerId: "u",
  openedAt: "2030-01-01T00:00:00.000Z",
  lastSeq,
});

/** A feed with one subscriber, who keeps the queue as a client does. */
class Rig {
  readonly clock = new VirtualClock();
  listed: SessionView[] = [];
  failures = 0;
  readonly waiting = new Set<string>();
  readonly feed = new QueueFeed({
    clock: this.clock,
    list: () => {
      if (this.failures-- > 0) return Promise.reject(new Error("no core node answers"));
      return Promise.resolve({ sessions: this.listed });
    },
  });

  async subscribe(): Promise<void> {
    const user = { id: "ada", roles: ["agent"], guest: false, family: "f" };
    const conn = { write: (text: string) => this.take(text) };
    const socket = { connected: true, data: { user }, conn };
    for (const { id } of (await this.feed.subscribe(socket as unknown as ClientSocket)).sessions) this.waiting.add(id);
  }

  private take(data: string): void {
    const [, change] = JSON.parse(data.slice(data.indexOf("["))) as [string, QueueChange];
    for (const { id } of change.added) this.waiting.add(id);
    for (const id of change.removed) this.waiting.delete(id);
  }
}

describe("the queue on an io node", () => {
  it("takes in what was missed for good by reading the list again", async () => {
    const rig = new Rig();
    rig.listed = [view("stays", 1), view("claimed", 1)];
    await rig.subscribe();
    rig.feed.received([event("new here", 1, "unassigned")]);
    rig.listed = [view("stays", 1), view("opened", 1), view("new here", 1)];
    rig.failures = 2;
    rig.feed.refresh();
    await rig.clock.advance(1_000);
    expect([...rig.waiting].sort()).toEqual(["new here", "opened", "stays"]);
  });

  it("believes an event that comes while the list is read rather than the list", async () => {
    const rig = new Rig();
    rig.listed = [view("a", 1), view("b", 1)];
    await rig.subscribe();
    rig.listed = [view("a", 1)];
    rig.feed.refresh();
    rig.feed.received([event("a", 2, "assigned"), event("b", 3, "unassigned")]);
    await rig.clock.advance(1_000);
    expect([...rig.waiting]).toEqual(["b"]);
  });
});
