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
  for (const text of texts) find(wordsOf(text), phrasesOf(rules), found);
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

/** A trie of phrases, word by word: a text is looked through once, however many rules there are. */
interface Phrases {
  readonly next: Map<string, Phrases>;
  /** Of which a phrase ends here. */
  readonly rules: KeywordRule[];
}

const tries = new WeakMap<readonly KeywordRule[], Phrases>();

function phrasesOf(rules: readonly KeywordRule[]): Phrases {
  let phrases = tries.get(rules);
  if (!phrases) tries.set(rules, (phrases = compile(rules)));
  return phrases;
}

function compile(rules: readonly KeywordRule[]): Phrases {
  const root: Phrases = { next: new Map(), rules: [] };
  for (const rule of rules) {
    for (const phrase of rule.words) {
      let place = root;
      for (const word of wordsOf(phrase)) {
        let next = place.next.get(word);
        if (!next) place.next.set(word, (next = { next: new Map(), rules: [] }));
        place = next;
      }
      if (place !== root) place.rules.push(rule);
    }
  }
  return root;
}

function find(text: readonly string[], phrases: Phrases, found: Set<KeywordRule>): void {
  for (let start = 0; start < text.length; start++) {
    let place = phrases.next.get(text[start] ?? "");
    for (let end = start + 1; place; end++) {
      for (const rule of place.rules) found.add(rule);
      place = place.next.get(text[end] ?? "");
    }
  }
}
