import { OutboxDelivery } from "../../../lib/outbox/delivery";
import { OUTBOX, type OutboxRow, OutboxStore } from "../../../lib/outbox/outbox.store";
import { Outbox } from "../../../lib/outbox/publisher";
import { MemoryStore } from "../../../lib/store/memory";
import { SeededRandom, VirtualClock } from "../../support/virtual-clock";

interface Happened {
  readonly _id: string;
  readonly stream: string;
  readonly seq: number;
  readonly loud: boolean;
}

const HOUR_MS = 3_600_000;
const always = { live: () => true };
const happened = (stream: string, ...seqs: number[]): Happened[] =>
  seqs.map((seq) => ({ _id: `${stream}${seq}`, stream, seq, loud: true }));

class World {
  readonly clock = new VirtualClock();
  readonly store = new MemoryStore();
  readonly rows = new OutboxStore(this.store);
  readonly delivered: string[] = [];
  readonly added: number[] = [];
  readonly count = { failed: 0, died: 0 };
  /** Rows whose delivery fails. */
  readonly failing = new Set<string>();
  readonly publisher = {
    name: "hook",
    wants: ({ loud, seq }: Happened) => (loud ? { seq } : undefined),
    deliver: async ({ _id }: OutboxRow): Promise<void> => {
      await Promise.resolve();
      if (this.failing.has(_id)) throw new Error("refused");
      this.delivered.push(_id);
    },
  };
  readonly outbox = new Outbox<Happened>(
    [this.publisher],
    ({ stream }) => stream,
    this.store,
    this.clock,
    () => void this.added.push(this.clock.now()),
  );

  /** A node that delivers; what another one remembers it does not know. */
  delivery(publisher: Pick<World["publisher"], "name" | "deliver"> = this.publisher): OutboxDelivery {
    const probe = {
      delivered: () => undefined,
      failed: () => void this.count.failed++,
      died: () => void this.count.died++,
    };
    return new OutboxDelivery({ publisher, rows: this.rows, clock: this.clock, random: new SeededRandom("d"), probe });
  }

  async runFor(ms: number, delivery = this.delivery(), stepMs = 1_000): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      await delivery.run(always);
      await this.clock.advance(stepMs);
    }
  }

  states(): Promise<Array<[string, string]>> {
    return this.store
      .collection<OutboxRow>(OUTBOX)
      .find({}, { sort: { lane: 1, seq: 1 } })
      .then((rows) => rows.map(({ _id, state }) => [_id, state]));
  }
}

describe("the outbox", () => {
  it("takes what a publisher wants, as it wants it, and says so", async () => {
    const world = new World();
    await world.outbox.publish([...happened("a", 1), { _id: "a2", stream: "a", seq: 2, loud: false }]);
    const rows = await world.rows.due("hook", world.clock.now(), 10);
    expect(rows).toMatchObject([{ _id: "hook:a1", lane: "hook/a", seq: 1, payload: { seq: 1 }, tries: 0 }]);
    expect(world.added).toHaveLength(1);
    await world.outbox.publish([{ _id: "a3", stream: "a", seq: 3, loud: false }]);
    expect(world.added).toHaveLength(1);
  });

  it("takes an event once, however often and beside whatever others it is published", async () => {
    const world = new World();
    await world.outbox.publish(happened("a", 1, 3));
    await world.delivery().run(always);
    await world.outbox.publish(happened("a", 1, 2, 3, 4));
    await Promise.all([world.outbox.publish(happened("a", 1, 2, 3, 4, 5)), world.outbox.publish(happened("a", 4, 5))]);
    await world.delivery().run(always);
    expect(world.delivered).toEqual(["hook:a1", "hook:a3", "hook:a2", "hook:a4", "hook:a5"]);
  });

  it("is delivered in the order of each stream", async () => {
    const world = new World();
    await world.outbox.publish([...happened("a", 3, 1), ...happened("b", 2)]);
    await world.outbox.publish([...happened("b", 1), ...happened("a", 2)]);
    await world.delivery().run(always);
    const of = (stream: string): string[] => world.delivered.filter((id) => id.startsWith(`hook:${stream}`));
    expect([of("a"), of("b")]).toEqual([
      ["hook:a1", "hook:a2", "hook:a3"],
      ["hook:b1", "hook:b2"],
    ]);
  });

  it("holds back what follows a row that fails, and nothing else, also on another node", async () => {
    const world = new World();
    world.failing.add("hook:a2");
    await world.outbox.publish([...happened("a", 1, 2, 3), ...happened("b", 1, 2)]);
    await world.delivery().run(always);
    expect([...world.delivered].sort()).toEqual(["hook:a1", "hook:b1", "hook:b2"]);
    // A later event of the same stream, and a node that knows nothing of the failure.
    await world.outbox.publish(happened("a", 4));
    await world.delivery().run(always);
    expect(world.delivered).toHaveLength(3);
    world.failing.clear();
    await world.runFor(5_000);
    expect(world.delivered.slice(3)).toEqual(["hook:a2", "hook:a3", "hook:a4"]);
  });

  it("tries again with growing pauses, then gives up for this row alone", async () => {
    const world = new World();
    world.failing.add("hook:a1");
    await world.outbox.publish(happened("a", 1, 2));
    await world.runFor(60_000);
    // 1, 2, 4, 8, 16, 32 s and their half.
    expect(world.count.failed).toBeGreaterThan(5);
    expect(world.count.failed).toBeLessThan(10);
    await world.runFor(60 * HOUR_MS, world.delivery(), 600_000);
    expect(world.count).toEqual({ failed: 48, died: 1 });
    expect(await world.states()).toEqual([
      ["hook:a1", "dead"],
      ["hook:a2", "delivered"],
    ]);
    expect(await world.rows.count("hook", "dead", 10)).toBe(1);
  });

  it("gets past a lane with very many rows that wait", async () => {
    const world = new World();
    world.failing.add("hook:a1");
    await world.outbox.publish(happened("a", ...Array.from({ length: 1_200 }, (_, i) => i + 1)));
    await world.clock.advance(1);
    await world.outbox.publish(happened("b", 1));
    await world.delivery().run(always);
    expect(world.delivered).toEqual(["hook:b1"]);
    world.failing.clear();
    await world.runFor(3_000);
    expect(world.delivered).toHaveLength(1_201);
    expect(world.delivered.slice(1)).toEqual(Array.from({ length: 1_200 }, (_, i) => `hook:a${i + 1}`));
  });

  it("does not wait for ever for a receiver that does not answer", async () => {
    const world = new World();
    await world.outbox.publish([...happened("a", 1), ...happened("b", 1)]);
    const { deliver } = world.publisher;
    const silent = (row: OutboxRow): Promise<void> =>
      row._id === "hook:a1" ? new Promise<void>(() => undefined) : deliver(row);
    const run = world.delivery({ name: "hook", deliver: silent }).run(always);
    await world.clock.advance(10_100);
    await run;
    expect([world.delivered, world.count.failed]).toEqual([["hook:b1"], 1]);
  });

  it("stops with its turn, and what was delivered until then is known", async () => {
    const world = new World();
    await world.outbox.publish(happened("a", ...Array.from({ length: 30 }, (_, i) => i + 1)));
    await world.delivery().run({ live: () => world.delivered.length < 7 });
    expect(world.delivered).toHaveLength(7);
    await world.delivery().run(always);
    expect(world.delivered).toHaveLength(30);
  });

  it("is delivered at least once by two nodes at a time, and each row ends as delivered", async () => {
    const world = new World();
    await world.outbox.publish([...happened("a", 1, 2, 3), ...happened("b", 1, 2, 3)]);
    await Promise.all([world.delivery().run(always), world.delivery().run(always)]);
    expect(new Set(world.delivered).size).toBe(6);
    expect((await world.states()).map(([, state]) => state)).toEqual(Array<string>(6).fill("delivered"));
  });

  it("forgets after a week what was delivered, but not what was given up", async () => {
    const world = new World();
    await world.outbox.publish(happened("a", 1, 2));
    await world.delivery().run(always);
    await world.rows.add([{ ...(await row(world)), _id: "hook:x", lane: "hook/x", state: "dead" }]);
    await world.clock.advance(7 * 24 * HOUR_MS - 1_000);
    await world.delivery().clean(always);
    expect(await world.states()).toHaveLength(3);
    await world.clock.advance(2_000);
    await world.delivery().clean(always);
    expect(await world.states()).toEqual([["hook:x", "dead"]]);
  });
});

async function row(world: World): Promise<OutboxRow> {
  const found = await world.store.collection<OutboxRow>(OUTBOX).findOne({ _id: "hook:a1" });
  if (!found) throw new Error("there is no such row");
  return found;
}
