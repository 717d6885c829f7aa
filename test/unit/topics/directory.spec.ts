import { SEEDS, type Topic } from "../../../services/topics/topic";
import { TopicDirectory } from "../../../services/topics/topics.directory";
import { until } from "../../support/wait";

const [LOAN] = SEEDS.map((topic): Topic => ({ ...topic, version: 1, updatedAt: 0 }));

/** A directory whose reads are answered by the test, in the order it likes. */
class Rig {
  now = 1_000_000;
  readonly reads: Array<{ answer: (topics: readonly Topic[]) => void; fail: (error: Error) => void }> = [];
  readonly directory = new TopicDirectory({
    clock: { now: () => this.now },
    topics: () => new Promise((answer, fail) => this.reads.push({ answer, fail })),
    keywords: () => Promise.resolve([]),
  });

  async name(id = "loan"): Promise<string> {
    return (await this.directory.get(id)).name;
  }

  answer(read: number, name: string): void {
    this.reads[read]?.answer(LOAN ? [{ ...LOAN, name }] : []);
  }
}

describe("the directory of topics", () => {
  it("shares one read among all who ask", async () => {
    const rig = new Rig();
    const names = [rig.name(), rig.name(), rig.name("nothing")];
    rig.answer(0, "Loans");
    expect(await Promise.all(names)).toEqual(["Loans", "Loans", "nothing"]);
    expect(await rig.name()).toBe("Loans");
    expect(rig.reads).toHaveLength(1);
  });

  it("treats a topic that nobody described as other is on a new server", async () => {
    const rig = new Rig();
    const asked = rig.directory.get("anything");
    rig.answer(0, "Loans");
    const other = SEEDS.find(({ id }) => id === "other");
    expect(await asked).toMatchObject({ urgency: other?.urgency, mode: other?.mode, rules: other?.rules, version: 0 });
  });

  it("reads again when what it knows is 30 s old, or from the future", async () => {
    const rig = new Rig();
    const first = rig.name();
    rig.now += 5_000;
    rig.answer(0, "old");
    expect(await first).toBe("old");
    rig.now += 24_999;
    expect(await rig.name()).toBe("old");
    rig.now += 1;
    const second = rig.name();
    rig.answer(1, "new");
    expect(await second).toBe("new");
    rig.now -= 3_600_000;
    const third = rig.name();
    rig.answer(2, "newer");
    expect(await third).toBe("newer");
  });

  it("does not answer with what was being read when a change was heard of", async () => {
    const rig = new Rig();
    const asked = rig.name();
    rig.directory.drop();
    rig.answer(0, "before");
    await until("it reads again", () => rig.reads.length === 2);
    rig.answer(1, "after");
    expect(await asked).toBe("after");
  });

  it("says at once whether there are keyword rules, as long as it knows, and else reads for the next who asks", async () => {
    const rig = new Rig();
    expect([rig.directory.hasKeywords, rig.directory.hasKeywords]).toEqual([undefined, undefined]);
    expect(rig.reads).toHaveLength(1);
    rig.answer(0, "Loans");
    await until("it knows", () => rig.directory.hasKeywords === false);
    rig.directory.drop();
    expect(rig.directory.hasKeywords).toBeUndefined();
    rig.reads[1]?.fail(new Error("away"));
    await until("it reads again", () => rig.directory.hasKeywords === undefined && rig.reads.length === 3);
  });

  it("tells of a failed read, and reads again for the next who asks", async () => {
    const rig = new Rig();
    const failed = rig.name();
    rig.reads[0]?.fail(new Error("away"));
    await expect(failed).rejects.toThrow("away");
    const next = rig.name();
    rig.answer(1, "Loans");
    expect(await next).toBe("Loans");
  });
});
