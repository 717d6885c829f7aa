import { MemoryStore } from "../../../lib/store/memory";
import { KeywordStore, MAX_KEYWORDS } from "../../../services/topics/keywords.store";

const FRAUD = { id: "fraud", words: ["fraud"], urgency: "urgent" } as const;

describe("keyword rules", () => {
  it("are the very same list until one changes", async () => {
    const keywords = new KeywordStore(new MemoryStore());
    await keywords.put(FRAUD);
    const first = await keywords.all();
    expect(first).toEqual([FRAUD]);
    expect(await keywords.all()).toBe(first);
    await keywords.put({ id: "fraud", words: ["fraud", "scam"], headStartMs: 5_000, topicId: "loan" });
    expect(await keywords.all()).toEqual([
      { id: "fraud", words: ["fraud", "scam"], headStartMs: 5_000, topicId: "loan" },
    ]);
    await keywords.delete("fraud");
    expect(await keywords.all()).toEqual([]);
  });

  it("are limited, but can be overwritten at the limit", async () => {
    const keywords = new KeywordStore(new MemoryStore());
    for (let n = 0; n < MAX_KEYWORDS; n++) await keywords.put({ ...FRAUD, id: `rule ${n}` });
    const tooMany = keywords.put(FRAUD);
    await expect(tooMany).rejects.toMatchObject({ type: "LIMIT_REACHED", data: { limit: MAX_KEYWORDS } });
    await keywords.put({ ...FRAUD, id: "rule 0", words: ["scam"] });
    expect((await keywords.all())[0]?.words).toEqual(["scam"]);
  });
});
