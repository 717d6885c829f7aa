import { SYSTEM } from "../auth/principal";
import { derivedId } from "../conversation-command";
import type { ConversationRecord } from "./bulk.contract";

/** The source of what was exported by a server like this one: its ids are kept. */
export const HOME_SOURCE = "parley";

/** Who an imported conversation and its people are here. Derived, so that importing twice is importing once. */
export interface Identity {
  readonly conversationId: string;
  readonly customerId: string;
  /** By their ids in the record, without the customer. */
  readonly agentIds: ReadonlyMap<string, string>;
}

export function identityOf({ source, id, customer, agents = [] }: ConversationRecord): Identity {
  const own = (kind: string, origin: string): string =>
    source === HOME_SOURCE ? origin : derivedId("imported", kind, source, origin);
  return {
    conversationId: own("conversation", id),
    customerId: own("user", customer.id),
    agentIds: new Map(agents.map((agent) => [agent.id, own("user", agent.id)])),
  };
}

/** What is wrong with a conversation that its schema cannot say; undefined when nothing is. Pure. */
export function problemOf(
  { customer, agents = [], agent, openedAt, closedAt, rating, source }: ConversationRecord,
  now: number,
): { field: string; problem: string } | undefined {
  const ids = agents.map(({ id }) => id);
  if (ids.includes(customer.id)) return { field: "agents", problem: "has the customer among them" };
  if (new Set(ids).size < ids.length) return { field: "agents", problem: "has somebody twice" };
  if (agent !== undefined && !ids.includes(agent)) return { field: "agent", problem: "is none of the agents" };
  if (source === HOME_SOURCE && [customer.id, ...ids].includes(SYSTEM.id))
    return { field: "customer", problem: `nobody is called ${SYSTEM.id}` };
  if (!isPast(openedAt, now)) return { field: "openedAt", problem: "is not between 1970 and now" };
  if (rating && !isPast(rating.at, now)) return { field: "rating.at", problem: "is not between 1970 and now" };
  if (rating && isBefore(rating.at, openedAt)) return { field: "rating.at", problem: "is before openedAt" };
  if (closedAt === undefined) return undefined;
  if (!isPast(closedAt, now)) return { field: "closedAt", problem: "is not between 1970 and now" };
  return closedAt < openedAt && Date.parse(closedAt) < Date.parse(openedAt)
    ? { field: "closedAt", problem: "is before openedAt" }
    : undefined;
}

/** Clocks differ. */
const AHEAD_MS = 300_000;

export const isPast = (time: string, now: number): boolean => {
  const at = Date.parse(time);
  return at > 0 && at <= now + AHEAD_MS;
};

export const isBefore = (time: string, other: string): boolean => Date.parse(time) < Date.parse(other) - AHEAD_MS;
