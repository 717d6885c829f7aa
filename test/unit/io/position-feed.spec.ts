import type { SessionView } from "../../../services/conversation-views";
import type { ClientSocket } from "../../../services/io/client-socket";
import { PositionFeed } from "../../../services/io/position-feed";
import type { Flow } from "../../../services/session/estimate";
import { QueueView } from "../../../services/session/queue";
import { VirtualClock } from "../../support/virtual-clock";

const session = (at: number, more: Partial<SessionView> = {}): SessionView => ({
  id: `s${at}`,
  conversationId: `s${at}`,
  status: "unassigned",
  topic: "t",
  urgency: "normal",
  customerId: `c${at}`,
  openedAt: "2030-01-01T00:00:00.000Z",
  rank: at,
  lastSeq: 1,
  ...more,
});

/** A node whose customers c1, c2, ... wait in sessions s1, s2, ... in this order. */
class Rig {
  readonly clock = new VirtualClock();
  readonly view = new QueueView();
  readonly told: string[] = [];
  readonly asked: Array<readonly string[]> = [];
  readonly failures: unknown[] = [];
  readonly sockets = new Map<string, ClientSocket[]>();
  kept = 0;
  released = 0;
  broken = false;
  flow: Flow | null = null;
  readonly feed = new PositionFeed({
    clock: this.clock,
    connections: this.connections(),
    queue: {
      keep: () => {
        this.kept++;
        return this.broken ? Promise.reject(new Error("cannot be read")) : Promise.resolve(this.view);
      },
      release: () => void this.released++,
    },
    flows: (topics) => {
      this.asked.push(topics);
      return Promise.resolve(Object.fromEntries(topics.map((topic) => [topic, this.flow])));
    },
    failed: (error) => this.failures.push(error),
  });

  connect(...customers: string[]): void {
    for (const customer of customers) {
      const write = (text: string): void => {
        const [, news] = JSON.parse(text.slice(1)) as [string, { sessionId: string; from: number; to: number }];
        this.told.push(`${customer}: ${news.sessionId} ${news.from}-${news.to}`);
      };
      const socket = { conn: { write } } as unknown as ClientSocket;
      this.sockets.set(customer, [...(this.sockets.get(customer) ?? []), socket]);
    }
  }

  wait(count: number): void {
    for (let at = 1; at <= count; at++) this.view.put(session(at));
  }

  claim(at: number): void {
    this.view.put(session(at, { status: "assigned", lastSeq: 2 }));
  }

  /** What was told in the next turn. */
  async turn(): Promise<string[]> {
    await this.clock.advance(3_000);
    return this.told.splice(0);
  }

  private connections() {
    const { sockets } = this;
    return {
      get size() {
        return sockets.size;
      },
      ofUser: (id: string) => sockets.get(id) ?? [],
    };
  }
}

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
  rig.feed.start();
});
afterEach(() => rig.feed.stop());

describe("positions", () => {
  it("are told to who waits and is connected here, and again only when they changed", async () => {
    rig.wait(3);
    rig.connect("c1", "c3", "somebody");
    expect(await rig.turn()).toEqual(["c1: s1 1-1", "c3: s3 3-3"]);
    expect(await rig.turn()).toEqual([]);
    rig.claim(2);
    expect(await rig.turn()).toEqual(["c3: s3 2-2"]);
  });

  it("are told once for however many claims there were, and beyond ten only when the band changes", async () => {
    rig.wait(40);
    rig.connect("c12", "c40");
    expect(await rig.turn()).toEqual(["c12: s12 11-20", "c40: s40 21-50"]);
    rig.claim(1);
    expect(await rig.turn()).toEqual([]);
    for (let at = 2; at <= 5; at++) rig.claim(at);
    expect(await rig.turn()).toEqual(["c12: s12 7-7"]);
  });

  it("are told again when the estimate changes", async () => {
    rig.wait(1);
    rig.connect("c1");
    expect(await rig.turn()).toHaveLength(1);
    rig.flow = { taken: 10, overMs: 600_000 };
    expect(await rig.turn()).toHaveLength(1);
    rig.flow = { taken: 10, overMs: 590_000 };
    expect(await rig.turn()).toEqual([]);
  });

  it("are told to a socket that comes later, and of a session that is given back", async () => {
    rig.wait(1);
    rig.connect("c1");
    await rig.turn();
    rig.connect("c1");
    expect(await rig.turn()).toEqual(["c1: s1 1-1"]);
    rig.claim(1);
    expect(await rig.turn()).toEqual([]);
    rig.view.put(session(1, { lastSeq: 3 }));
    expect(await rig.turn()).toEqual(["c1: s1 1-1", "c1: s1 1-1"]);
  });

  it("cost nothing where nobody waits or nobody is connected", async () => {
    rig.wait(2);
    await rig.turn();
    expect([rig.kept, rig.released, rig.asked]).toEqual([0, 1, []]);
    rig.connect("agent");
    await rig.turn();
    expect([rig.kept, rig.asked]).toEqual([1, []]);
  });

  it("go on after the queue could not be read", async () => {
    rig.wait(1);
    rig.connect("c1");
    rig.broken = true;
    expect(await rig.turn()).toEqual([]);
    expect(rig.failures).toHaveLength(1);
    rig.broken = false;
    expect(await rig.turn()).toEqual(["c1: s1 1-1"]);
  });
});
