/** An agent as far as giving sessions needs it. */
export interface Candidate {
  readonly agentId: string;
  /** Available: chose to be online, is connected and was heard of. */
  readonly takes: boolean;
  readonly skills: readonly string[];
  /** Open sessions, however they were got. */
  readonly load: number;
  /** How many are pushed to the agent at most. */
  readonly capacity: number;
  /** Wall-clock milliseconds; absent when the agent has never been given one. */
  readonly lastAssignedAt?: number;
}

/** What a session asks of whoever gets it. */
export interface Needs {
  /** All of them. */
  readonly skills: readonly string[];
  readonly customerId: string;
  /** Who served this customer last. */
  readonly lastAgentId?: string;
  /** Who has lately had this very session and gave it up, or did not attend to it. */
  readonly passedOver?: readonly string[];
}

export type Verdict = "fits" | "unavailable" | "lacks skills" | "full" | "passed over" | "is the customer";

/** Why an agent could or could not get a session. */
export interface Judgement {
  readonly agentId: string;
  readonly verdict: Verdict;
  readonly load: number;
  readonly capacity: number;
  /** Those of the skills asked for that the agent has not. */
  readonly lacking: readonly string[];
}

/** Who gets a session, and why. */
export interface Assignment {
  /** Whoever fits, the best first; empty when nobody does. */
  readonly order: readonly Candidate[];
  /** Why the first of them is the first, or why there is none. */
  readonly reason: string;
  readonly judgements: readonly Judgement[];
}

/**
 * Chooses who gets a session: available, with all the skills, below capacity; of those the customer's last agent, else
 * whoever is least loaded (measured by the own capacity), and among equals whoever has waited longest for one. The
 * order of the candidates changes nothing. Pure.
 */
export function assign(candidates: readonly Candidate[], needs: Needs): Assignment {
  const judgements = candidates.map((candidate) => judge(candidate, needs));
  const fitting = candidates.filter((_, index) => judgements[index]?.verdict === "fits");
  const order = [...fitting].sort((a, b) => compare(a, b, needs.lastAgentId));
  return { order, reason: reasonOf(order, judgements, needs.lastAgentId), judgements };
}

function judge(candidate: Candidate, needs: Needs): Judgement {
  const { agentId, load, capacity, skills } = candidate;
  const lacking = needs.skills.filter((skill) => !skills.includes(skill));
  return { agentId, verdict: verdictOf(candidate, needs, lacking), load, capacity, lacking };
}

function verdictOf({ agentId, takes, load, capacity }: Candidate, needs: Needs, lacking: readonly string[]): Verdict {
  if (agentId === needs.customerId) return "is the customer";
  if (!takes) return "unavailable";
  if (lacking.length > 0) return "lacks skills";
  if (load >= capacity) return "full";
  return needs.passedOver?.includes(agentId) ? "passed over" : "fits";
}

function compare(a: Candidate, b: Candidate, lastAgentId: string | undefined): number {
  return (
    Number(b.agentId === lastAgentId) - Number(a.agentId === lastAgentId) ||
    compareLoads(a, b) ||
    (a.lastAssignedAt ?? 0) - (b.lastAssignedAt ?? 0) ||
    (a.agentId < b.agentId ? -1 : Number(a.agentId > b.agentId))
  );
}

/** In shares of the capacity, without dividing: equal shares must be equal. */
const compareLoads = (a: Candidate, b: Candidate): number => a.load * b.capacity - b.load * a.capacity;

function reasonOf(order: readonly Candidate[], judgements: readonly Judgement[], lastAgentId: string | undefined) {
  const [best] = order;
  if (!best) return noneOf(judgements);
  const load = `${best.load} of ${best.capacity} sessions`;
  if (best.agentId === lastAgentId) return `the customer's last agent, available with ${load}`;
  const equals = order.filter((other) => compareLoads(other, best) === 0).length;
  if (order.length === 1) return `the only agent who fits, with ${load}`;
  if (equals === 1) return `the least loaded of ${order.length} agents who fit, with ${load}`;
  return `the next in turn of ${equals} equally loaded agents, with ${load}`;
}

function noneOf(judgements: readonly Judgement[]): string {
  if (judgements.length === 0) return "there are no agents";
  const counts = new Map<Verdict, number>();
  for (const { verdict } of judgements) counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  const parts = [...counts].map(([verdict, count]) => `${count} ${NONE_WORDS[verdict]}`);
  return `nobody fits: ${parts.join(", ")}`;
}

const NONE_WORDS: Readonly<Record<Verdict, string>> = {
  fits: "fit",
  unavailable: "not available",
  "lacks skills": "without the skills",
  full: "at capacity",
  "passed over": "had it already",
  "is the customer": "is the customer",
};
