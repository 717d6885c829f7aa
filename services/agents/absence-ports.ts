import type { ServiceBroker } from "moleculer";
import { isParleyError } from "../../lib/errors";
import { resourcesOf } from "../../lib/resources";
import { timerCommandId } from "../../lib/scheduling/due-scan";
import { systemCommand } from "../conversation-command";
import { callPresence } from "../presence/presence.internal";
import { callRoom } from "../room/room.internal";
import type { ListedSession } from "../session/session-lists";
import type { AbsencePorts } from "./absence";
import type { AgentStore } from "./agents.store";
import { OFFLINE, type OpenSessions } from "./open-sessions";

const COMMAND_MS = 5_000;

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
  const deadline = resourcesOf(broker).clock.now() + COMMAND_MS;
  const command = systemCommand(commandId, "return", { reason: OFFLINE, from }, deadline);
  try {
    const outcome = await callRoom(broker, "room.command", { conversationId: id, command }, { timeout: COMMAND_MS });
    return "event" in outcome && !outcome.repeated;
  } catch (error) {
    // Somebody was faster, or the next look tries again.
    if (!isParleyError(error)) broker.logger.warn("a session could not be given back", { error });
    return false;
  }
}
