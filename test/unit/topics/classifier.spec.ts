import fc from "fast-check";
import { classify, type KeywordRule, wordsOf } from "../../../services/topics/classifier";

const rule = (
  id: string,
  words: readonly string[],
  rest: Partial<KeywordRule> = { headStartMs: 60_000 },
): KeywordRule => ({
  id,
  words,
  ...rest,
});
const FRAUD = rule("fraud", ["fraud", "stolen card"], { urgency: "urgent" });

describe("the classifier", () => {
  it.each([
    ["My CARD is Stolen, a Stolen  card!", true],
    ["fraud", true],
    ["(fraud)", true],
    ["defrauded", false],
    ["the card was stolen", false],
    ["stolen, card", true],
    ["", false],
  ])("in %j finds what it knows: %s", (text, found) => {
    expect(classify([text], [FRAUD])?.rule).toBe(found ? "fraud" : undefined);
  });

  it.each([
    ["Grüße aus Köln", "KOLN"],
    ["STRASSE", "straße"],
    ["dispositivo está roto", "esta roto"],
    ["ﬁle lost", "FILE"],
    ["ΟΔΟΣ", "οδος"],
    ["Моя карта украдена", "КАРТА украдена"],
    ["私の口座が凍結されました", "凍結"],
    ["บัญชีของฉันถูกระงับ", "ระงับ"],
    ["मेरा कार्ड चोरी हो गया", "चोरी"],
    ["don’t wait", "don't wait"],
  ])("in %j finds %j", (text, word) => {
    expect(classify([text], [rule("r", [word])])?.rule).toBe("r");
  });

  it("tells vowels apart where they are marks", () => {
    expect(classify(["चोरी"], [rule("r", ["चीरा"])])).toBeUndefined();
  });

  it("does not join words of two messages", () => {
    expect(classify(["it was stolen", "card number 5"], [FRAUD])).toBeUndefined();
  });

  it("lifts to an urgency, and no further", () => {
    const text = ["fraud"];
    expect(classify(text, [FRAUD], { urgency: "high" })).toEqual({
      rule: "fraud",
      keywordMs: 2_700_000,
      urgency: "urgent",
    });
    expect(classify(text, [FRAUD], { urgency: "urgent" })).toBeUndefined();
    expect(classify(text, [rule("calm", ["fraud"], { urgency: "low" })], { urgency: "normal" })).toBeUndefined();
  });

  it("adds a head start whatever the class", () => {
    expect(classify(["vip"], [rule("vip", ["vip"])], { urgency: "high" })).toEqual({
      rule: "vip",
      keywordMs: 60_000,
      urgency: "high",
    });
  });

  it("keeps a topic's rule to its topic", () => {
    const rules = [rule("r", ["rate"], { headStartMs: 5_000, topicId: "loan" })];
    expect(classify(["rate"], rules, { id: "loan", urgency: "normal" })?.rule).toBe("r");
    expect(classify(["rate"], rules, { id: "other", urgency: "normal" })).toBeUndefined();
    expect(classify(["rate"], rules)).toBeUndefined();
  });
});

const words = fc.array(fc.constantFrom("a", "b", "c", "Ä", "x1"), { minLength: 1, maxLength: 3 });
const rules = fc
  .array(
    fc
      .record({ phrase: words, headStartMs: fc.integer({ min: 1_000, max: 3_000 }) })
      .map(({ phrase, headStartMs }) => [phrase.join(" "), headStartMs] as const),
    { maxLength: 6 },
  )
  .map((list) => list.map(([phrase, headStartMs], index) => rule(`r${index}`, [phrase], { headStartMs })));
const texts = fc.array(fc.array(fc.constantFrom("a", "B", "c", "ä", "x1", "zz"), { maxLength: 8 }), { maxLength: 4 });

describe("any rules", () => {
  it("are found as a reader with patience finds them, the strongest first", () => {
    fc.assert(
      fc.property(rules, texts, (all, spoken) => {
        const says = (phrase: string) =>
          spoken.some((text) =>
            ` ${text.join(" ").toLowerCase().replaceAll("ä", "a")} `.includes(
              ` ${phrase.toLowerCase().replaceAll("ä", "a")} `,
            ),
          );
        const matching = all.filter(({ words: [phrase = ""] }) => says(phrase));
        const strongest = Math.max(0, ...matching.map(({ headStartMs = 0 }) => headStartMs));
        const expected = matching.find(({ headStartMs }) => headStartMs === strongest);
        const found = classify(
          spoken.map((text) => text.join(", ")),
          all,
        );
        expect([found?.rule, found?.keywordMs]).toEqual([expected?.id, expected?.headStartMs]);
      }),
      { numRuns: 500 },
    );
  });

  it("do not hang on their order, and more of them never take away", () => {
    fc.assert(
      fc.property(rules, rules, texts, (some, more, spoken) => {
        const said = spoken.map((text) => text.join(" "));
        const others = more.map((each) => ({ ...each, id: `more ${each.id}` }));
        const found = classify(said, [...some, ...others]);
        expect(classify(said, [...others, ...some])).toEqual(found);
        expect(found?.keywordMs ?? 0).toBeGreaterThanOrEqual(classify(said, some)?.keywordMs ?? 0);
      }),
    );
  });

  it("take any text, and find in it each of its own words", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
        for (const word of wordsOf(text)) expect(wordsOf(word)).toEqual([word]);
      }),
      { numRuns: 2_000 },
    );
  });
});
