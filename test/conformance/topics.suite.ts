/** What must be exclusive about topics, on whatever store. Run it with a function that opens it as several nodes do. */
import type { Collection, Document, Store } from "../../lib/store/collection";
import { SEEDS, type Topic, type TopicDescription } from "../../services/topics/topic";
import { TopicStore } from "../../services/topics/topics.store";

const AT = Date.parse("2026-01-01");
const [LOAN] = SEEDS as [TopicDescription, ...TopicDescription[]];
const AT_ONCE = 12;

/** @param open answers the stores of several nodes on one empty database, all called as often as there are cases */
export function topicsSuite(name: string, open: () => Promise<readonly Store[]>): void {
  describe(`${name}: topics`, () => {
    let stores: readonly Store[];
    let nodes: readonly TopicStore[];
    beforeEach(async () => {
      stores = await open();
      nodes = stores.map((store) => new TopicStore(store));
    });

    const each = <T>(run: (node: TopicStore, n: number) => Promise<T>): Promise<Array<PromiseSettledResult<T>>> =>
      Promise.allSettled(Array.from({ length: AT_ONCE }, (_, n) => run(nodes[n % nodes.length] as TopicStore, n)));
    const refusals = (results: ReadonlyArray<PromiseSettledResult<unknown>>): string[] =>
      results.flatMap((each) => (each.status === "rejected" ? [(each.reason as { type: string }).type] : []));
    const stored = async (): Promise<Topic[]> => ((await nodes[0]?.all()) ?? []).sort((a, b) => (a.id < b.id ? -1 : 1));
    const change = (topic: TopicDescription, replaces: number, by = "admin") => ({ topic, replaces, by, at: AT });

    it("are made once when several nodes start at once, and not again", async () => {
      await each((node) => node.seed(AT));
      expect((await stored()).map(({ id, number, version }) => [id, number, version])).toEqual([
        ["loan", 1, 1],
        ["other", 3, 1],
        ["payment", 2, 1],
      ]);
      await nodes[0]?.write(change({ ...LOAN, name: "Loans" }, 1));
      await each((node) => node.seed(AT));
      expect((await stored()).map(({ version }) => version)).toEqual([2, 1, 1]);
    });

    it("have one next version, whoever writes it", async () => {
      for (let version = 0; version < 3; version++) {
        const results = await each((node, n) =>
          node.write(change({ ...LOAN, name: `name ${n}` }, version, `admin ${n}`)),
        );
        expect(refusals(results)).toEqual(Array.from({ length: AT_ONCE - 1 }, () => "VERSION_CONFLICT"));
        const won = results.find((result) => result.status === "fulfilled")?.value;
        expect(won?.version).toBe(version + 1);
        expect(await stored()).toEqual([won]);
        expect(await nodes[1]?.get("loan")).toEqual(won);
      }
    });

    it("answer all repeats of one change alike", async () => {
      const results = await each((node) => node.write(change({ ...LOAN, name: "Loans" }, 0)));
      expect(refusals(results)).toEqual([]);
      const answers = results.map((result) => (result.status === "fulfilled" ? result.value : undefined));
      expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
      expect(await stored()).toEqual([answers[0]]);
    });

    it("never share a number", async () => {
      const results = await each((node, n) => node.write(change({ ...LOAN, id: `topic ${n}`, number: 7 }, 0)));
      expect(refusals(results)).toEqual(Array.from({ length: AT_ONCE - 1 }, () => "NUMBER_TAKEN"));
      expect(await stored()).toHaveLength(1);
    });

    it("keep a number that they had, and free of those that were refused", async () => {
      const [node] = nodes as [TopicStore];
      await node.write(change(LOAN, 0));
      await expect(node.write(change({ ...LOAN, number: 8 }, 5))).rejects.toMatchObject({ type: "VERSION_CONFLICT" });
      const other = { ...LOAN, id: "other" };
      expect(await node.write(change({ ...other, number: 8 }, 0))).toMatchObject({ number: 8, version: 1 });
      const { number: _number, ...without } = LOAN;
      await node.write(change(without, 1));
      await expect(node.write(change({ ...other, number: 1 }, 1))).rejects.toMatchObject({ type: "NUMBER_TAKEN" });
      expect(await node.write(change(LOAN, 2))).toMatchObject({ number: 1, version: 3 });
    });

    it("are their newest version when a node ended in the middle, and the repeat finds it written", async () => {
      const [store] = stores as [Store];
      const [node] = nodes as [TopicStore];
      const written = change({ ...LOAN, name: "Loans" }, 1);
      await node.write(change(LOAN, 0));
      await expect(new TopicStore(dying(store)).write(written)).rejects.toThrow("killed");
      expect(await stored()).toMatchObject([{ name: "Loans", version: 2 }]);
      expect(await node.write(written)).toMatchObject({ name: "Loans", version: 2 });
      expect(await node.write(change(LOAN, 2))).toMatchObject({ version: 3 });
      expect(await stored()).toMatchObject([{ name: "Loan", version: 3 }]);
    });

    it("are archived by the version that was seen", async () => {
      const [node] = nodes as [TopicStore];
      await node.write(change(LOAN, 0));
      await node.write(change({ ...LOAN, name: "Loans" }, 1));
      const by = { by: "admin", at: AT };
      await expect(node.archive("loan", { ...by, replaces: 1 })).rejects.toMatchObject({ data: { version: 2 } });
      expect(await node.archive("loan", { ...by, replaces: 2 })).toMatchObject({
        name: "Loans",
        archived: true,
        version: 3,
      });
      expect(await node.archive("loan", { ...by, replaces: 2 })).toMatchObject({ version: 3 });
      await expect(node.archive("none", { ...by, replaces: 1 })).rejects.toMatchObject({ type: "NOT_FOUND" });
    });
  });
}

/** A store whose node ends before it can update anything. */
function dying(store: Store): Store {
  const mortal = <T extends Document>(collection: Collection<T>): Collection<T> =>
    new Proxy(collection, {
      get: (target, name) => {
        if (name === "bulkWrite") return () => Promise.reject(new Error("killed"));
        const value: unknown = Reflect.get(target, name);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
  return {
    collection: (definition) => mortal(store.collection(definition)),
    ping: () => store.ping(),
    close: () => store.close(),
  };
}
