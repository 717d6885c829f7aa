import { rendezvous } from "../../../lib/actor/rendezvous";

const KEYS = Array.from({ length: 3_000 }, (_, i) => `conversation-${i}`);
const NODES = ["core-1", "core-2", "core-3", "core-4", "core-5"];
const homes = (nodes: readonly string[]) => new Map(KEYS.map((key) => [key, rendezvous(key, nodes)]));

describe("rendezvous", () => {
  it("knows no home without nodes, and the only one with one", () => {
    expect(rendezvous("a", [])).toBeUndefined();
    expect(rendezvous("a", ["core"])).toBe("core");
  });

  it("gives every node about its share", () => {
    const counts = new Map<string | undefined, number>();
    for (const home of homes(NODES).values()) counts.set(home, (counts.get(home) ?? 0) + 1);
    for (const node of NODES) {
      expect(counts.get(node)).toBeGreaterThan((KEYS.length / NODES.length) * 0.85);
      expect(counts.get(node)).toBeLessThan((KEYS.length / NODES.length) * 1.15);
    }
  });

  it("does not depend on the order in which the nodes are known", () => {
    const [known, reversed] = [homes(NODES), homes([...NODES].reverse())];
    expect(KEYS.filter((key) => known.get(key) !== reversed.get(key))).toEqual([]);
  });

  it.each(NODES)("moves only the keys of %s when it leaves", (gone) => {
    const before = homes(NODES);
    const after = homes(NODES.filter((node) => node !== gone));
    const moved = KEYS.filter((key) => after.get(key) !== before.get(key));
    expect(moved).toEqual(KEYS.filter((key) => before.get(key) === gone));
  });

  it("moves keys only to a node that joins", () => {
    const before = homes(NODES);
    const after = homes([...NODES, "core-6"]);
    const moved = KEYS.filter((key) => after.get(key) !== before.get(key));
    expect(moved.every((key) => after.get(key) === "core-6")).toBe(true);
    expect(moved.length).toBeGreaterThan((KEYS.length / 6) * 0.85);
    expect(moved.length).toBeLessThan((KEYS.length / 6) * 1.15);
  });
});
