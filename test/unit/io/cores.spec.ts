import type { Caller } from "../../../lib/call";
import type { Offering } from "../../../lib/offers";
import { Cores } from "../../../services/io/cores";
import { settle, VirtualClock } from "../../support/virtual-clock";

/** Core nodes as one io node's broker sees them, and what it hears of them. */
class Rig {
  readonly clock = new VirtualClock();
  /** Node to incarnation and number; a function never answers, or fails. */
  readonly nodes = new Map<string, { incarnation: string; flush: number } | (() => Promise<never>)>();
  readonly heard: string[] = [];
  readonly asked: string[] = [];
  readonly cores: Cores;

  constructor(self = "io") {
    const actions = { get: () => ({ endpoints: [...this.nodes.keys()].map((id) => ({ id })) }) };
    const broker: Offering & Caller = {
      nodeID: self,
      registry: { actions },
      call: async (name, _params, options) => {
        const nodeID = options?.nodeID ?? "?";
        this.asked.push(nodeID);
        const node = this.nodes.get(nodeID);
        if (typeof node === "function") return Promise.race([node(), this.timeout(options?.timeout ?? 0)]);
        return name === "room.progress" ? node : { from: nodeID };
      },
    };
    this.cores = new Cores(broker, this.clock, {
      coreHeard: (incarnation, flush) => void this.heard.push(`${incarnation}=${flush}`),
      coreLost: (incarnation) => void this.heard.push(`${incarnation} lost`),
    });
  }

  add(node: string, incarnation = `${node}/1`, flush = 7): void {
    this.nodes.set(node, { incarnation, flush });
  }

  hang(node: string): void {
    this.nodes.set(node, () => new Promise(() => undefined));
  }

  private timeout(ms: number): Promise<never> {
    return new Promise((_resolve, reject) => void this.clock.setTimeout(() => reject(new Error("timeout")), ms));
  }
}

const READ = ["room.memberships", { userId: "u" }] as const;

describe("core nodes", () => {
  it("are all asked for their numbers, and one that hangs is not waited for longer than two seconds", async () => {
    const rig = new Rig();
    rig.add("a");
    rig.hang("b");
    rig.add("c", "c/1", 9);
    let heard = false;
    void rig.cores.hearAll().then(() => (heard = true));
    await rig.clock.advance(1_999);
    expect(heard).toBe(false);
    await rig.clock.advance(1);
    expect(heard).toBe(true);
    expect(rig.heard.sort()).toEqual(["a/1=7", "c/1=9"]);
  });

  it("that come later are asked when they come; other nodes are not", async () => {
    const rig = new Rig();
    await rig.cores.changed("gateway");
    rig.add("late", "late/1", 0);
    await rig.cores.changed("late");
    expect(rig.heard).toEqual(["late/1=0"]);
    expect(rig.asked).toEqual(["late"]);
  });

  it("are lost with their node", async () => {
    const rig = new Rig();
    rig.add("a");
    await rig.cores.hearAll();
    rig.cores.lost("a");
    rig.cores.lost("a");
    expect(rig.heard).toEqual(["a/1=7", "a/1 lost"]);
  });

  it("that start again under their old name have lost their earlier life, although the name never left", async () => {
    const rig = new Rig();
    rig.add("a", "a/1");
    await rig.cores.hearAll();
    rig.cores.met("a", "a/1");
    rig.cores.met("a", "a/2");
    rig.cores.met("a", "a/2");
    expect(rig.heard).toEqual(["a/1=7", "a/1 lost"]);
    rig.cores.lost("a");
    expect(rig.heard.at(-1)).toBe("a/2 lost");
  });
});

describe("a read", () => {
  it("goes to this node alone when it is a core node itself", async () => {
    const rig = new Rig("a");
    rig.add("a");
    rig.add("b");
    expect(await rig.cores.read(...READ)).toEqual({ from: "a" });
    await rig.cores.read(...READ);
    expect(rig.asked).toEqual(["a", "a"]);
  });

  it("goes to each in its turn", async () => {
    const rig = new Rig();
    rig.add("a");
    rig.add("b");
    for (let n = 0; n < 4; n++) await rig.cores.read(...READ);
    expect(rig.asked).toEqual(["a", "b", "a", "b"]);
  });

  it("that gets no answer within a second goes to another node, and for a while there first", async () => {
    const rig = new Rig();
    rig.hang("a");
    rig.add("b");
    const reading = rig.cores.read(...READ);
    await rig.clock.advance(1_000);
    expect(await reading).toEqual({ from: "b" });
    await rig.cores.read(...READ);
    await rig.cores.read(...READ);
    expect(rig.asked).toEqual(["a", "b", "b", "b"]);
    rig.add("a");
    await rig.clock.advance(3_000);
    await rig.cores.read(...READ);
    await rig.cores.read(...READ);
    expect(rig.asked.slice(4).sort()).toEqual(["a", "b"]);
  });

  it("of what a node wrote asks the others first: that node may be dead", async () => {
    const rig = new Rig();
    rig.add("a");
    rig.add("b");
    await rig.cores.hearAll();
    rig.asked.length = 0;
    const params = { incarnation: "a/1", from: 1, to: 2, part: 0 };
    for (let n = 0; n < 3; n++) await rig.cores.read("room.flushes", params, "a/1");
    expect(rig.asked).toEqual(["b", "b", "b"]);
  });

  it("fails with what the last node said, and at once when there is none", async () => {
    const rig = new Rig();
    await expect(rig.cores.read(...READ)).rejects.toMatchObject({ type: "UNAVAILABLE" });
    rig.nodes.set("a", () => Promise.reject(new Error("the store is down")));
    rig.nodes.set("b", () => Promise.reject(new Error("the store is down")));
    await expect(rig.cores.read(...READ)).rejects.toThrow("the store is down");
    await settle();
    expect(rig.asked.sort()).toEqual(["a", "b"]);
  });
});
