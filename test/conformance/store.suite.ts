/** What every implementation of the store port must do. Run it with a function that opens an empty store. */
import type { Store } from "../../lib/store/collection";
import { bulkCases } from "./store/bulk.cases";
import { type Ability, event, Fixture } from "./store/fixture";
import { insertCases } from "./store/insert.cases";
import { queryCases } from "./store/query.cases";
import { refusedCases } from "./store/refused.cases";
import { updateCases } from "./store/update.cases";

export interface OpenStore {
  readonly store: Store;
  readonly close: () => Promise<void>;
}

export function storeSuite(name: string, open: () => Promise<OpenStore>, lacking: readonly Ability[] = []): void {
  describe(`${name}: store port`, () => {
    const at = new Fixture(lacking);
    let opened: OpenStore;
    beforeEach(async () => {
      opened = await open();
      at.use(opened.store);
    });
    afterEach(() => opened.close());

    insertCases(at);
    queryCases(at);
    updateCases(at);
    bulkCases(at);
    refusedCases(at);

    it("keeps text as valid Unicode, with zero characters", async () => {
      await at.log.insertMany([event("a\0b", 1), event("c\ud800", 2)]);
      expect(await at.log.count({ stream: "a\0b" }, 10)).toBe(1);
      expect(await at.log.count({ stream: { $in: ["a\0b", "a"] } }, 10)).toBe(1);
      expect((await at.log.findOne({ stream: "c\ud801" }))?.stream).toBe("c\ufffd");
    });

    it("answers a ping, and refuses calls after it was closed", async () => {
      await at.store.ping();
      await at.store.close();
      await expect(at.store.ping()).rejects.toThrow("closed");
    });
  });
}
