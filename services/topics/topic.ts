import type { Static } from "@sinclair/typebox";
import { DEFAULT_RULES, type SessionRules } from "../../actors/conversation/conversation.session-state";
import type { Urgency } from "../schemas";
import { nextOpening, type OpeningHours } from "./opening-hours";
import type { list, TopicDetail, Texts } from "./topics.contract";
import type { Result } from "../../lib/contract";

/** What a session is about, and how such sessions are served. */
export interface Topic {
  readonly id: string;
  /** Another name for it, that no other topic ever has. */
  readonly number?: number;
  readonly name: string;
  /** The class of its sessions in the queue. */
  readonly urgency: Urgency;
  /** What an agent must be able to do to be given its sessions. */
  readonly skills: readonly string[];
  /** Agents take sessions from the queue, or are given them. */
  readonly mode: "pull" | "push";
  /** Always open when absent. */
  readonly hours?: OpeningHours;
  readonly texts: Static<typeof Texts>;
  readonly rules: SessionRules;
  readonly archived: boolean;
  /** Counts its descriptions; 0 when nobody has described it. */
  readonly version: number;
  /** Wall-clock milliseconds. */
  readonly updatedAt: number;
}

/** What makes a topic what it is, whenever and by whomever it was described. */
export type TopicDescription = Omit<Topic, "version" | "updatedAt">;

const STANDARD = { urgency: "normal", skills: [], mode: "pull", texts: {}, rules: DEFAULT_RULES } as const;

/** The topics of a new server. */
export const SEEDS: readonly TopicDescription[] = [
  { ...STANDARD, id: "loan", number: 1, name: "Loan", archived: false },
  { ...STANDARD, id: "payment", number: 2, name: "Payment", urgency: "high", archived: false },
  { ...STANDARD, id: "other", number: 3, name: "Other", archived: false },
];

/** A topic that nobody has described: customers may open sessions in it all the same. */
export const undescribed = (id: string): Topic => ({
  ...STANDARD,
  id,
  name: id,
  archived: false,
  version: 0,
  updatedAt: 0,
});

/** The rules of a topic: the standard ones, or given ones, of which an absent limit is off. */
export function rulesOf(given: Partial<SessionRules> | undefined): SessionRules {
  if (!given) return DEFAULT_RULES;
  const { closingMs, noShowMs, offline, graceMs } = DEFAULT_RULES;
  return { closingMs, noShowMs, offline, graceMs, ...given };
}

/** By number, then by name, those without a number last. */
export const compareTopics = (a: Topic, b: Topic): number =>
  (a.number ?? Infinity) - (b.number ?? Infinity) || a.name.localeCompare(b.name, "en") || (a.id < b.id ? -1 : 1);

/** As admins and staff see it. */
export const detailOf = ({ updatedAt, skills, rules, ...topic }: Topic): Static<typeof TopicDetail> => ({
  ...topic,
  skills: [...skills],
  rules: { ...rules },
  updatedAt: new Date(updatedAt).toISOString(),
});

type Listed = Result<typeof list>["topics"][number];

/** As everybody sees it at this wall-clock millisecond. */
export function listedOf({ id, number, name, texts, hours }: Topic, now: number): Listed {
  const opensAt = nextOpening(hours, now);
  return {
    id,
    ...(number !== undefined && { number }),
    name,
    open: opensAt === now,
    ...(opensAt !== undefined && opensAt > now && { opensAt: new Date(opensAt).toISOString() }),
    texts,
  };
}
