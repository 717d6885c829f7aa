import fc from "fast-check";
import { Receipts } from "../../../actors/conversation/conversation.receipts";
import { type Watermark, WATERMARKS } from "../../../actors/conversation/conversation.watermarks";
import { MemoryStore } from "../../../lib/store/memory";
import { SeededRandom, settle, VirtualClock } from "../../support/virtual-clock";

function rig() {
  const store = new MemoryStore();
  const clock = new VirtualClock();
  const told: Array<readonly Watermark[]> = [];
  const receipts = new Receipts(store, clock, new SeededRandom("receipts"), (_id, watermarks) => told.push(watermarks));
  return { clock, told, receipts, watermarks: store.collection<Watermark>(WATERMARKS) };
}

describe("watermarks", () => {
  it("only grow, and what is read is delivered", async () => {
    const raise = fc.record({
      userId: fc.constantFrom("ann", "bob"),
      kind: fc.constantFrom("read" as const, "delivered" as const),
      seq: fc.nat(50),
      wait: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(raise, { maxLength: 30 }), async (raises) => {
        const { receipts } = rig();
        const highest: Record<string, { read: number; delivered: number }> = {};
        const pending: Array<Promise<void>> = [];
        for (const { userId, kind, seq, wait } of raises) {
          const before = (highest[userId] ??= { read: 0, delivered: 0 });
          if (kind === "read") before.read = Math.max(before.read, seq);
          before.delivered = Math.max(before.delivered, seq);
          const least = { ...before };
          pending.push(
            receipts.raise("c", userId, kind, seq).then(({ readSeq, deliveredSeq }) => {
              expect(readSeq).toBeGreaterThanOrEqual(least.read);
              expect(deliveredSeq).toBeGreaterThanOrEqual(least.delivered);
              expect(deliveredSeq).toBeGreaterThanOrEqual(readSeq);
            }),
          );
          if (wait) await settle();
        }
        await Promise.all(pending);
        for (const [userId, { read, delivered }] of Object.entries(highest))
          expect(await receipts.of(userId, ["c"])).toMatchObject([{ readSeq: read, deliveredSeq: delivered }]);
      }),
      { numRuns: 50 },
    );
  });

  it("are told once a write, and never before it", async () => {
    const { told, receipts, watermarks } = rig();
    const write = jest.spyOn(watermarks, "bulkWrite");
    const raised = [1, 2, 3].map((seq) => receipts.raise("c", "ann", "read", seq));
    expect(told).toEqual([]);
    expect((await Promise.all(raised)).map(({ readSeq }) => readSeq)).toEqual([3, 3, 3]);
    expect([write.mock.calls.length, told.length]).toEqual([1, 1]);
  });

  it("survive a store that fails for a moment, and are UNAVAILABLE when it goes on", async () => {
    const { clock, receipts, watermarks } = rig();
    const write = jest.spyOn(watermarks, "bulkWrite").mockRejectedValueOnce(new Error("time-out"));
    const raised = receipts.raise("c", "ann", "read", 7);
    await clock.advance(1_000);
    expect((await raised).readSeq).toBe(7);
    write.mockRejectedValue(new Error("time-out"));
    const refused = expect(receipts.raise("c", "ann", "read", 9)).rejects.toMatchObject({ type: "UNAVAILABLE" });
    await clock.advance(10_000);
    await refused;
  });
});
