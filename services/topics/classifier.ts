import { URGENCIES, type Urgency } from "../schemas";
import { CLASS_MS } from "./head-start";

/** A rule of the classifier; it has either an urgency, up to which it lifts, or a head start of its own. */
export interface KeywordRule {
  readonly id: string;
  /** Words, and phrases of several words: any of them is enough. */
  readonly words: readonly string[];
  readonly urgency?: Urgency;
  /** Milliseconds, added to the head start of the topic's class. */
  readonly headStartMs?: number;
  /** Only in sessions of this topic. */
  readonly topicId?: string;
}

export interface Classification {
  /** Id of the rule. */
  readonly rule: string;
  /** What it adds to the head start of the topic's class, more than 0. */
  readonly keywordMs: number;
  /** The topic's urgency, or that of the rule when it is higher. */
  readonly urgency: Urgency;
}

/**
 * Looks for the words of the rules in texts: as whole words, whatever their case and accents. Of the rules found the
 * one that adds most wins, of equal ones the first by id; undefined when none adds anything. Pure.
 */
export function classify(
  texts: readonly string[],
  rules: readonly KeywordRule[],
  topic: { readonly id?: string; readonly urgency: Urgency } = { urgency: "low" },
): Classification | undefined {
  const found = new Set<KeywordRule>();
  for (const text of texts) find(wordsOf(text), indexOf(rules), found);
  const candidates = [...found]
    .filter(({ topicId }) => topicId === undefined || topicId === topic.id)
    .map((rule) => ({ rule: rule.id, keywordMs: gainOf(rule, topic.urgency), urgency: higher(topic.urgency, rule) }))
    .filter(({ keywordMs }) => keywordMs > 0);
  return candidates.sort((a, b) => b.keywordMs - a.keywordMs || (a.rule < b.rule ? -1 : 1))[0];
}

const gainOf = ({ urgency, headStartMs = 0 }: KeywordRule, from: Urgency): number =>
  urgency === undefined ? headStartMs : Math.max(0, CLASS_MS[urgency] - CLASS_MS[from]);

const higher = (a: Urgency, { urgency: b = a }: KeywordRule): Urgency =>
  URGENCIES.indexOf(b) > URGENCIES.indexOf(a) ? b : a;

/** Scripts that put no space between words: each of their characters counts as a word. */
const UNSPACED =
  "\\p{scx=Han}\\p{scx=Hiragana}\\p{scx=Katakana}\\p{scx=Thai}\\p{scx=Lao}\\p{scx=Khmer}\\p{scx=Myanmar}";
const WORD = new RegExp(
  `[\\p{L}&&[${UNSPACED}]]\\p{M}*|[[\\p{L}\\p{N}]--[${UNSPACED}]][[\\p{L}\\p{N}\\p{M}]--[${UNSPACED}]]*`,
  "gv",
);

/** The words of a text, without what differs between spellings: case, accents, forms of the same letter. */
export const wordsOf = (text: string): string[] => fold(text).match(WORD) ?? [];

const fold = (text: string): string =>
  text
    .normalize("NFKD")
    .toUpperCase()
    .toLowerCase()
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .replace(/ς/g, "σ");

/** Phrases by their first word. */
type Index = ReadonlyMap<string, ReadonlyArray<{ readonly words: readonly string[]; readonly rule: KeywordRule }>>;

const indexes = new WeakMap<readonly KeywordRule[], Index>();

function indexOf(rules: readonly KeywordRule[]): Index {
  let index = indexes.get(rules);
  if (!index) indexes.set(rules, (index = compile(rules)));
  return index;
}

function compile(rules: readonly KeywordRule[]): Index {
  const index = new Map<string, Array<{ words: readonly string[]; rule: KeywordRule }>>();
  for (const rule of rules) {
    for (const words of rule.words.map(wordsOf)) {
      const [first] = words;
      if (first === undefined) continue;
      const phrases = index.get(first) ?? [];
      index.set(first, [...phrases, { words, rule }]);
    }
  }
  return index;
}

function find(text: readonly string[], index: Index, found: Set<KeywordRule>): void {
  text.forEach((word, at) => {
    for (const { words, rule } of index.get(word) ?? []) {
      if (words.every((each, offset) => text[at + offset] === each)) found.add(rule);
    }
  });
}
