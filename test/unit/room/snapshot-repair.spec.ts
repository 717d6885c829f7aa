import type { Snapshot } from "../../../actors/conversation/conversation.snapshot";
import { ConversationStore } from "../../../actors/conversation/conversation.store";
import type { StoredEvent } from "../../../actors/conversation/conversation.events";
import { systemIdAt } from "../../../lib/actor/system";
import { MemoryStore } from "../../../lib/store/memory";
import { repairStep } from "../../../services/room/snapshot-repair";
import { VirtualClock } from "../../support/virtual-clock";

const MINUTE_MS = 60_000;

class World {
  readonly clock = new VirtualClock();
  readonly store = new ConversationStore(new MemoryStore());
  readonly projected: string[] = [];
  private cursors = { event: "", conversation: "" };
  private written = 0;

  /** A conversation with so many events, the last of them written `agoMs` ago, and a snapshot through `applied`. */
  async add(id: string, events: number, agoMs: number, applied: number | undefined): Promise<void> {
    const at = this.clock.now() - agoMs;
    const event = (seq: number) =>
      ({
        _id: `${systemIdAt(at)}${String(++this.written).padStart(8, "0")}`,
        conversationId: id,
        seq,
        at,
        by: "ada",
        commandId: `c${seq}`,
      }) as StoredEvent;
    await this.store.insert(Array.from({ length: events }, (_, i) => event(i + 1)));
    if (applied !== undefined)
      await this.store.conversations.insertMany([{ _id: id, appliedSeq: applied } as Snapshot]);
  }

  async step(): Promise<number> {
    const project = (id: string): Promise<void> => {
      this.projected.push(id);
      return Promise.resolve();
    };
    const { repaired, ...cursors } = await repairStep(this.cursors, { store: this.store, clock: this.clock, project });
    this.cursors = cursors;
    return repaired;
  }
}

describe("the repair of snapshots", () => {
  it("finds a snapshot that lags, and a conversation that has none", async () => {
    const world = new World();
    await world.add("lags", 5, MINUTE_MS, 3);
    await world.add("none", 1, MINUTE_MS, undefined);
    await world.add("fine", 5, MINUTE_MS, 5);
    expect(await world.step()).toBe(2);
    expect(world.projected.sort()).toEqual(["lags", "none"]);
  });

  it("leaves alone what the projections may still be about to do", async () => {
    const world = new World();
    await world.add("busy", 5, 3_000, 3);
    expect(await world.step()).toBe(0);
    await world.clock.advance(8_000);
    expect(await world.step()).toBe(1);
  });

  it("goes on where it stopped, through any number of events and conversations, and comes back", async () => {
    const world = new World();
    for (let i = 0; i < 120; i++)
      await world.add(`old${String(i).padStart(3, "0")}`, 2, 20 * MINUTE_MS, i === 110 ? 1 : 2);
    for (let i = 0; i < 12; i++) await world.add(`new${i}`, 100, MINUTE_MS, i === 11 ? undefined : 100);
    for (let i = 0; i < 3; i++) await world.step();
    expect(world.projected.sort()).toEqual(["new11", "old110"]);
    // Nobody repaired it: the next round over all conversations finds it again, and in bounded steps.
    for (let i = 0; i < 3; i++) await world.step();
    expect(world.projected.filter((id) => id === "old110")).toHaveLength(2);
  });
});
