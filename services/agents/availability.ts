/** What an agent may choose to be. Being connected is another matter, which presence knows. */
export const AVAILABILITIES = ["online", "away", "busy", "offline"] as const;
export type Availability = (typeof AVAILABILITIES)[number];

/** What is known of an agent's availability. Times are wall-clock milliseconds. */
export interface AgentStanding {
  /** What the agent chose last. */
  readonly availability: Availability;
  /** When the agent chose it. */
  readonly since: number;
  /** When the agent last did anything. */
  readonly lastActiveAt?: number;
  /** Since when the agent has no connection; absent while there is one. */
  readonly absentSince?: number;
}

export interface AvailabilityRules {
  /** An agent who is online and does nothing for so long is away; 0 for never. Milliseconds. */
  readonly awayMs: number;
  /** An agent without a connection is as before for so long. Milliseconds. */
  readonly graceMs: number;
}

/**
 * `chosen`: as the agent says. `silent`: nothing was heard for too long. `reconnecting`: without a connection, within
 * the grace. `gone`: without one for longer.
 */
export const REASONS = ["chosen", "silent", "reconnecting", "gone"] as const;
export type AvailabilityReason = (typeof REASONS)[number];

/** What an agent is taken to be at one moment. */
export interface EffectiveAvailability {
  readonly availability: Availability;
  readonly reason: AvailabilityReason;
  /** When it began. */
  readonly since: number;
  /** May sessions be pushed to the agent? Never while there is no connection: nobody knows that it comes back. */
  readonly takes: boolean;
}

/** What an agent is taken to be: the own choice, less what silence and absence take from it. Pure. */
export function availabilityOf(agent: AgentStanding, now: number, rules: AvailabilityRules): EffectiveAvailability {
  const { availability, since, absentSince } = agent;
  if (availability === "offline") return { availability, reason: "chosen", since, takes: false };
  const goneAt = absentSince === undefined ? Infinity : absentSince + rules.graceMs;
  if (goneAt <= now) return { availability: "offline", reason: "gone", since: goneAt, takes: false };
  const silentAt = silentFrom(agent, rules);
  const silent = silentAt <= now;
  const shown = silent ? "away" : availability;
  if (absentSince !== undefined) return { availability: shown, reason: "reconnecting", since, takes: false };
  if (silent) return { availability: shown, reason: "silent", since: silentAt, takes: false };
  return { availability, reason: "chosen", since, takes: availability === "online" };
}

/** When an agent who says to be online has been silent for too long. */
function silentFrom({ availability, since, lastActiveAt = since }: AgentStanding, { awayMs }: AvailabilityRules) {
  if (availability !== "online" || awayMs === 0) return Infinity;
  return Math.max(since, lastActiveAt) + awayMs;
}
