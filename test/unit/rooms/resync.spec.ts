import type { StoredEvent } from "../../../actors/conversation/conversation.events";
import { Bench } from "./support";

const BEAT_MS = 500;

/** Alice and bob are live in `c`, and two core nodes are heard of. */
async function connected(): Promise<Bench> {
  const bench = new Bench({ youngMs: 0 });
  const created = bench.log.append("conversation.created", { kind: "group", members: ["alice", "bob"] });
  bench.member("alice", 1);
  bench.member("bob", 1);
  bench.table.coreHeard("core", 1);
  bench.table.coreHeard("core-2", 0);
  bench.flush([created]);
  await bench.connect("alice");
  await bench.connect("bob");
  return bench;
}

/** Beats of these nodes for so long. */
async function beats(bench: Bench, ms: number, ...cores: string[]): Promise<void> {
  for (let at = 0; at < ms; at += BEAT_MS) {
    for (const incarnation of cores) bench.table.receiveBeat({ incarnation, flush: incarnation === "core" ? 1 : 0 });
    await bench.clock.advance(BEAT_MS);
  }
}

/** What a core node did in a life that this node heard nothing of: a message in `c`, and a group with bob. */
function unheardLife(bench: Bench): StoredEvent {
  const life = { incarnation: "unheard", flush: 1 };
  bench.log.append("message.created", { text: "acknowledged" }, life);
  const born = bench.log.append(
    "conversation.created",
    { kind: "group", members: ["ann", "bob"] },
    { ...life, conversationId: "y" },
  );
  bench.members.get("bob")?.push({ conversationId: "y", standing: "all", since: 1, through: 1 });
  return born;
}

describe("a core node whose whole life was not heard of", () => {
  async function expectMadeGood(bench: Bench): Promise<void> {
    expect(bench.seqs("alice")).toEqual([2]);
    expect(bench.seqs("bob")).toEqual([2]);
    expect(bench.seqs("bob", "y")).toEqual([1]);
    // And whoever writes there later is heard.
    bench.flush([bench.log.append("message.created", { text: "hello" }, { conversationId: "y" })], 2);
    await bench.clock.advance(0);
    expect(bench.seqs("bob", "y")).toEqual([1, 2]);
    bench.table.stop();
  }

  it("is made good when all were silent and one is heard again", async () => {
    const bench = await connected();
    unheardLife(bench);
    await bench.clock.advance(3_500);
    await beats(bench, 1_000, "core");
    await expectMadeGood(bench);
  });

  it("is made good when all were silent and a new one is heard", async () => {
    const bench = await connected();
    unheardLife(bench);
    await bench.clock.advance(3_500);
    await beats(bench, 1_000, "core-3");
    await expectMadeGood(bench);
  });

  it("is made good when a part of them was silent and is heard again", async () => {
    const bench = await connected();
    await beats(bench, 1_000, "core", "core-2");
    unheardLife(bench);
    await beats(bench, 4_000, "core");
    expect(bench.seqs("bob")).toEqual([]);
    await beats(bench, 1_000, "core", "core-2");
    await expectMadeGood(bench);
  });

  it("is made good when this node knows by itself that it was cut off", async () => {
    const bench = await connected();
    unheardLife(bench);
    bench.table.resync();
    await bench.clock.advance(100);
    await expectMadeGood(bench);
  });
});

describe("bringing everything up to date", () => {
  it("does not happen while every core node is heard", async () => {
    const bench = await connected();
    const { memberships } = bench.reads;
    await beats(bench, 20_000, "core", "core-2");
    expect(bench.reads.memberships).toBe(memberships);
    bench.table.stop();
  });

  it("tells nobody anything when nothing was missed, and reads little at once", async () => {
    const bench = await connected();
    for (let n = 0; n < 100; n++) {
      bench.member(`user-${n}`, 1);
      await bench.connect(`user-${n}`);
    }
    let open = (): void => undefined;
    bench.gate = new Promise((resolve) => (open = resolve));
    const { memberships, events } = bench.reads;
    bench.table.resync();
    bench.table.resync();
    await bench.clock.advance(100);
    expect([bench.reads.memberships - memberships, bench.reads.events - events]).toEqual([0, 1]);
    open();
    await bench.clock.advance(0);
    expect(bench.reads.memberships - memberships).toBe(10);
    await bench.clock.advance(600);
    expect(bench.reads.memberships - memberships).toBeGreaterThanOrEqual(102);
    expect(bench.received.size).toBe(0);
    bench.table.stop();
  });

  it("happens once more for what was missed since it began", async () => {
    const bench = await connected();
    bench.table.resync();
    await bench.clock.advance(0);
    unheardLife(bench);
    bench.table.resync();
    await bench.clock.advance(200);
    expect(bench.seqs("bob")).toEqual([2]);
    expect(bench.seqs("bob", "y")).toEqual([1]);
    bench.table.stop();
  });
});
