/** What statistics and the audit ask of a store. Run it with a function that opens an empty one. */
import type { Store } from "../../lib/store/collection";
import { nextTimer } from "../../actors/conversation/conversation.timers";
import { type FactsDocument, FactsStore, SPANS_MS } from "../../services/statistics/facts.store";
import { documentOf } from "../../services/statistics/measures";
import { Desk } from "../unit/statistics/desk";

const HOUR_MS = 3_600_000;

export function statisticsSuite(name: string, open: () => Promise<Store>): void {
  describe(`${name}: the facts of sessions`, () => {
    let opened: Store;
    beforeEach(async () => {
      opened = await open();
    });

    it("are found by every period that they overlap, and long ago ended ones are not read", async () => {
      const [store, day] = [new FactsStore(opened), 86_400_000];
      const stays = Array.from({ length: 400 }, (_, n) => ({ from: n * day, to: n * day + (n % 90) * (day / 3) }));
      for (const [n, { from, to }] of stays.entries()) await store.put(stay(`s${n}`, from, to));
      await store.put(stay("open", 5 * day, undefined));
      for (const [from, to] of [
        [0, day],
        [200 * day, 207 * day],
        [399 * day, 500 * day],
        [50 * day, 51 * day],
      ] as const) {
        const found: string[] = [];
        for await (const page of store.touching(from, to)) found.push(...page.map(({ _id }) => _id));
        const overlapping = stays.flatMap((one, n) => (one.from < to && one.to >= from ? [`s${n}`] : []));
        expect(found).toEqual(expect.arrayContaining([...overlapping, ...(to > 5 * day ? ["open"] : [])]));
        expect(new Set(found).size).toBe(found.length);
        expect(found.length).toBeLessThan(4 * overlapping.length + 30);
      }
      expect(SPANS_MS.at(-1)).toBe(Infinity);
    });

    it("are read a page at a time, also of sessions that were opened at the same time", async () => {
      const store = new FactsStore(opened);
      for (let n = 0; n < 700; n++) await store.put(stay(`s${n}`, 1_000 + (n % 3), 2_000));
      const pages: number[] = [];
      const found = new Set<string>();
      for await (const page of store.touching(0, 10_000)) {
        pages.push(page.length);
        for (const { _id } of page) found.add(_id);
      }
      expect([found.size, pages]).toEqual([700, [300, 300, 100]]);
    });

    it("are overwritten by what is newer, rewritten by what is as new, and removed if nobody wrote meanwhile", async () => {
      const store = new FactsStore(opened);
      const written = (seq: number, to: number) => ({ ...stay("s", 0, to), seq });
      await store.put(written(5, 50));
      await store.put(written(5, 55));
      await store.put(written(4, 40));
      expect(await store.get("s")).toEqual(written(5, 50));
      await store.rewrite(written(4, 44));
      await store.rewrite(written(5, 56));
      expect(await store.get("s")).toEqual(written(5, 56));
      await store.remove(written(4, 40));
      expect(await store.get("s")).toBeDefined();
      await store.remove(written(5, 0));
      expect(await store.get("s")).toBeUndefined();
      await store.rewrite(written(1, 10));
      expect(await store.get("s")).toEqual(written(1, 10));
    });

    it("and timers are put right by the audit, which counts nothing else", async () => {
      const desk = new Desk(opened);
      for (const id of ["right", "unarmed", "unknown"]) {
        desk.give(id, [`${id}-customer`, "open", { topic: "loan", urgency: "normal" }]);
        if (id === "right") desk.give(id, ["sue", "push", { agentId: "ada", slot: 1 }]);
        await desk.settle(id, { ...(id === "unarmed" && { timer: true }), ...(id === "unknown" && { facts: true }) });
      }
      await desk.clock.advance(HOUR_MS);
      const none = { unarmed: 0, overdue: 0, twice: 0, slot: 0, facts: 0, repaired: 0 };
      expect(await desk.audit()).toEqual({ ...none, unarmed: 1, facts: 1, repaired: 2 });
      expect(await desk.audit()).toEqual(none);
      const [row] = await desk.timers.rows.find({ conversationId: "unarmed" });
      expect(row?.dueAt).toBe(nextTimer(desk.world.state("unarmed"))?.dueAt);
      expect(await desk.facts.get("unknown")).toMatchObject({ seq: 1 });
    });
  });
}

const always = () => undefined;

function stay(id: string, from: number, to: number | undefined): FactsDocument {
  const segment = { topic: "loan", from, began: "opened" as const, said: { customer: 0, staff: 0 } };
  const segments = [to === undefined ? segment : { ...segment, to, ended: "closed" as const }];
  return documentOf(id, 1, { customerId: "carl", openedAt: from, segments, dropped: 0, staff: [] }, always);
}
