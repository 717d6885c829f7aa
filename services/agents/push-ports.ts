import type { ServiceBroker } from "moleculer";
import { isParleyError } from "../../lib/errors";
import { resourcesOf } from "../../lib/resources";
import type { Needs } from "../session/assignment";
import { inOrder, type ListedSession } from "../session/session-lists";
import { topicsOf } from "../topics/topics.directory";
import type { AgentMetrics } from "./agents.metrics";
import type { AgentStore } from "./agents.store";
import type { AssignmentStore } from "./assignments.store";
import type { OpenSessions } from "./open-sessions";
import type { Outcome, PushPorts } from "./push-assigner";
import type { Roster } from "./roster";
import { order } from "./system-commands";

export interface PushParts {
  readonly broker: ServiceBroker;
  readonly agents: AgentStore;
  readonly sessions: OpenSessions;
  readonly roster: Roster;
  readonly assignments: AssignmentStore;
  readonly metrics: Pick<AgentMetrics, "pushed" | "slotsTaken">;
}

/** Waiting sessions of one topic in one pass: if the first so many find nobody, those behind them do not either. */
const WAITING_PER_TOPIC = 200;
/** Who gave a session up is not given it again for so long. */
const PASS_OVER_MS = 300_000;

/** The topics that push. */
export const pushTopics = async (broker: ServiceBroker): Promise<string[]> =>
  (await topicsOf(broker).all()).flatMap(({ id, mode }) => (mode === "push" ? [id] : []));

/** What the assigner takes from the node. */
export function pushPorts(parts: PushParts): PushPorts {
  const { broker, agents, sessions, roster, assignments, metrics } = parts;
  const { clock } = resourcesOf(broker);
  return {
    team: async () => roster.team(await agents.online()),
    waiting: async () => {
      const topics = await pushTopics(broker);
      const queues = await Promise.all(topics.map((topic) => sessions.waiting(topic, WAITING_PER_TOPIC)));
      return queues.flat().sort(inOrder);
    },
    skills: async ({ session }) => (await topicsOf(broker).get(session.topic)).skills,
    needs: (session) => needsOf(parts, session),
    push: async (session, agentId, slot) => {
      const outcome = await push(parts, session, agentId, slot);
      if (outcome === "assigned") metrics.pushed.value++;
      if (outcome === "slot taken") metrics.slotsTaken.value++;
      return outcome;
    },
    assigned: async (session, agentId, why) => {
      const now = clock.now();
      await Promise.all([
        agents.assigned(agentId, now),
        assignments.put(session.id, session.seq, agentId, now, why),
      ]).catch((error: unknown) => broker.logger.warn("an assignment was not noted", { error }));
    },
  };
}

async function needsOf({ broker, sessions }: PushParts, { id, session }: ListedSession): Promise<Needs> {
  const since = resourcesOf(broker).clock.now() - PASS_OVER_MS;
  const [{ skills }, lastAgentId, passedOver] = await Promise.all([
    topicsOf(broker).get(session.topic),
    sessions.lastAgent(session.customerId, id),
    sessions.givenUpBy(id, since),
  ]);
  return { skills, customerId: session.customerId, passedOver, ...(lastAgentId !== undefined && { lastAgentId }) };
}

/** Whatever became of it, the next pass sees: nothing here needs to be tried again at once. */
async function push(
  { broker, roster }: PushParts,
  { id, seq }: ListedSession,
  agentId: string,
  slot: number,
): Promise<Outcome> {
  try {
    if (!(await roster.takes(agentId, slot))) return "not available";
    const commandId = `push:${seq}:${agentId}:${slot}`;
    return (await order(broker, id, commandId, "push", { agentId, slot })) ? "assigned" : "over";
  } catch (error) {
    if (isParleyError(error) && error.type === "LIMIT_REACHED") return "slot taken";
    if (!isParleyError(error)) broker.logger.warn("a session could not be pushed", { error });
    return "over";
  }
}
