import type { ServiceBroker } from "moleculer";
import { isParleyError } from "../../lib/errors";
import { resourcesOf } from "../../lib/resources";
import { timerCommandId } from "../../lib/scheduling/due-scan";
import { callPresence } from "../presence/presence.internal";
import type { ListedSession } from "../session/session-lists";
import type { AbsencePorts } from "./absence";
import type { AgentStore } from "./agents.store";
import { OFFLINE, type OpenSessions } from "./open-sessions";
import { order } from "./system-commands";

/** What watching absence takes from the node. */
export function absencePorts(broker: ServiceBroker, agents: AgentStore, sessions: OpenSessions): AbsencePorts {
  const { clock } = resourcesOf(broker);
  return {
    agents,
    sessions,
    connected: async (userIds) => new Set((await callPresence(broker, "presence.connected", { userIds })).userIds),
    giveBack: (session, agentId, dueAt) => giveBack(broker, session, agentId, dueAt),
    now: () => clock.now(),
  };
}

/** Each time that the session was given to somebody who is gone it is given back once. */
async function giveBack(
  broker: ServiceBroker,
  { id, session }: ListedSession,
  from: string,
  dueAt: number,
): Promise<boolean> {
  const commandId = timerCommandId(`${OFFLINE}/${session.assignedSeq ?? 0}`, dueAt);
  try {
    return await order(broker, id, commandId, "return", { reason: OFFLINE, from });
  } catch (error) {
    // Somebody was faster, or the next look tries again.
    if (!isParleyError(error)) broker.logger.warn("a session could not be given back", { error });
    return false;
  }
}
