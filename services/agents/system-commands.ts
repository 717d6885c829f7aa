import type { ServiceBroker } from "moleculer";
import type { Action, CommandParams } from "../../actors/conversation/conversation.commands";
import { resourcesOf } from "../../lib/resources";
import { systemCommand } from "../conversation-command";
import { callRoom } from "../room/room.internal";

const COMMAND_MS = 5_000;

/**
 * Has the system give a command to a session at its home. Answers whether it took effect by this call: the repeat of what
 * another node did has been counted there.
 * @throws ParleyError why it was refused
 */
export async function order<A extends Action>(
  broker: ServiceBroker,
  conversationId: string,
  commandId: string,
  action: A,
  params: CommandParams[A],
): Promise<boolean> {
  const deadline = resourcesOf(broker).clock.now() + COMMAND_MS;
  const command = systemCommand(commandId, action, params, deadline);
  const outcome = await callRoom(broker, "room.command", { conversationId, command }, { timeout: COMMAND_MS });
  return "event" in outcome && !outcome.repeated;
}
