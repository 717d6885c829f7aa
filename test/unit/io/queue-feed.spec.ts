import fc from "fast-check";
import type { StoredEvent } from "../../../actors/conversation/conversation.events";
import type { SessionState } from "../../../actors/conversation/conversation.session-state";
import type { SessionView } from "../../../services/conversation-views";
import type { ClientSocket } from "../../../services/io/client-socket";
import { QueueFeed } from "../../../services/io/queue-feed";
import type { QueueChange } from "../../../services/session/queue";
import { sessionState } from "../../support/session-state";
import { VirtualClock } from "../../support/virtual-clock";

const event = (conversationId: string, seq: number, status: SessionState["status"], topic = "t"): StoredEvent =>
  ({
    conversationId,
    seq,
    session: sessionState({ status, topic, customerId: "u", openedAt: seq, enteredAt: seq, rank: seq }),
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

interface Told extends QueueChange {
  readonly epoch?: string;
  readonly topic?: string;
}

/** A subscriber, who keeps the queue as a client does. */
class Agent {
  readonly waiting = new Map<string, SessionView>();
  readonly frames: Told[] = [];
  seq = 0;
  epoch: string | undefined;
  readonly socket = {
    connected: true,
    data: { user: { id: "ada", roles: ["agent"], guest: false, family: "f" } },
    conn: { write: (text: string) => this.take(text) },
  } as unknown as ClientSocket;

  constructor(readonly topic?: string) {}

  async subscribe(feed: QueueFeed): Promise<void> {
    const { sessions, seq, epoch } = await feed.subscribe(this.socket, this.topic);
    for (const one of sessions) this.waiting.set(one.id, one);
    [this.seq, this.epoch] = [seq, epoch];
  }

  get ids(): string[] {
    return [...this.waiting.keys()].sort();
  }

  private take(data: string): void {
    const [, change] = JSON.parse(data.slice(data.indexOf("["))) as [string, Told];
    if (change.prevSeq !== this.seq || change.epoch !== this.epoch) throw new Error("a gap");
    this.frames.push(change);
    this.seq = change.seq;
    for (const one of [...change.added, ...change.changed]) this.waiting.set(one.id, one);
    for (const id of change.removed) this.waiting.delete(id);
  }
}

/** A feed with one subscriber of the whole queue. */
class Rig {
  readonly clock = new VirtualClock();
  readonly agent = new Agent();
  listed: SessionView[] = [];
  failures = 0;
  epochs = 0;
  readonly feed = new QueueFeed({
    clock: this.clock,
    newEpoch: () => `epoch ${++this.epochs}`,
    list: () => {
      if (this.failures-- > 0) return Promise.reject(new Error("no core node answers"));
      return Promise.resolve({ sessions: this.listed });
    },
  });

  subscribe(): Promise<void> {
    return this.agent.subscribe(this.feed);
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
    expect(rig.agent.ids).toEqual(["new here", "opened", "stays"]);
  });

  it("believes an event that comes while the list is read rather than the list", async () => {
    const rig = new Rig();
    rig.listed = [view("a", 1), view("b", 1)];
    await rig.subscribe();
    rig.listed = [view("a", 1)];
    rig.feed.refresh();
    rig.feed.received([event("a", 2, "assigned"), event("b", 3, "unassigned")]);
    await rig.clock.advance(1_000);
    expect(rig.agent.ids).toEqual(["b"]);
  });

  it("tells of a flush in one frame, and of nothing when it comes to nothing", async () => {
    const rig = new Rig();
    rig.listed = [view("a", 1)];
    await rig.subscribe();
    rig.feed.received([event("a", 2, "assigned"), event("b", 1, "unassigned"), event("c", 1, "unassigned")]);
    expect(rig.agent.frames).toMatchObject([{ seq: 1, prevSeq: 0, removed: ["a"], added: [{ id: "b" }, { id: "c" }] }]);
    rig.feed.received([event("d", 1, "unassigned"), event("d", 2, "assigned")]);
    expect(rig.agent.frames).toHaveLength(1);
  });

  it("tells whoever names a topic of that topic only, in a numbering and an epoch of its own", async () => {
    const rig = new Rig();
    const [loans, others] = [new Agent("loan"), new Agent("t")];
    rig.listed = [view("a", 1), { ...view("b", 1), topic: "loan" }];
    await Promise.all([rig.subscribe(), loans.subscribe(rig.feed), others.subscribe(rig.feed)]);
    expect([rig.agent.ids, loans.ids, others.ids]).toEqual([["a", "b"], ["b"], ["a"]]);
    expect([rig.agent.epoch, new Set([loans.epoch, others.epoch]).size]).toEqual([undefined, 2]);
    rig.feed.received([event("a", 2, "unassigned", "loan")]);
    expect(rig.agent.frames).toMatchObject([{ changed: [{ id: "a", topic: "loan" }] }]);
    expect(loans.frames).toMatchObject([{ topic: "loan", epoch: loans.epoch, seq: 1, added: [{ id: "a" }] }]);
    expect(others.frames).toMatchObject([{ topic: "t", seq: 1, added: [], removed: ["a"] }]);
    rig.feed.received([event("c", 1, "unassigned", "loan")]);
    expect([loans.frames.at(-1)?.seq, others.frames.at(-1)?.seq]).toEqual([2, 1]);
  });

  it("ends a subscription to one topic or to all, and begins a new epoch with the next one", async () => {
    const rig = new Rig();
    const agent = new Agent("t");
    rig.listed = [view("a", 1)];
    await agent.subscribe(rig.feed);
    const { epoch } = agent;
    rig.feed.unsubscribe(agent.socket, "loan");
    rig.feed.received([event("b", 1, "unassigned")]);
    expect(agent.ids).toEqual(["a", "b"]);
    rig.feed.unsubscribe(agent.socket);
    rig.feed.received([event("c", 1, "unassigned")]);
    expect(agent.frames).toHaveLength(1);
    await agent.subscribe(rig.feed);
    expect([agent.seq, agent.epoch === epoch, agent.ids]).toEqual([0, false, ["a", "b", "c"]]);
  });

  it("keeps every subscriber's view what a fresh one gets, whatever happens in whatever order", async () => {
    const topics = ["t", "loan"] as const;
    const statuses = ["unassigned", "assigned", "closed"] as const;
    const change = fc.record({
      id: fc.constantFrom("a", "b", "c", "d"),
      seq: fc.integer({ min: 1, max: 9 }),
      status: fc.constantFrom(...statuses),
      topic: fc.constantFrom(...topics),
    });
    // Of one session and seq there is one event.
    const history = fc.uniqueArray(change, { selector: ({ id, seq }) => `${id}/${seq}` });
    const flushes = fc.tuple(history, fc.infiniteStream(fc.nat(3)));
    await fc.assert(
      fc.asyncProperty(flushes, async ([changes, sizes]) => {
        const rig = new Rig();
        const agents = [rig.agent, ...topics.map((topic) => new Agent(topic))];
        for (const agent of agents) await agent.subscribe(rig.feed);
        const events = changes.map(({ id, seq, status, topic }) => event(id, seq, status, topic));
        while (events.length > 0) rig.feed.received(events.splice(0, 1 + (sizes.next().value as number)));
        for (const agent of agents) {
          const late = new Agent(agent.topic);
          await late.subscribe(rig.feed);
          expect(new Map([...agent.waiting].sort())).toEqual(new Map([...late.waiting].sort()));
        }
      }),
      { numRuns: 50 },
    );
  });
});
