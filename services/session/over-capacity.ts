import type { Context } from "moleculer";
import { callAgents } from "../agents/agents.internal";
import type { Meta } from "../auth/principal";
import { callerOf } from "../conversation-command";

/** It is a warning: nobody waits longer for it. */
const PATIENCE_MS = 1_000;

/** Has the caller more open sessions than the capacity with this one? False when that is not known in time. */
export async function isOverCapacity(ctx: Context<unknown, Meta>, conversationId: string): Promise<boolean> {
  const { id: agentId } = callerOf(ctx);
  const asked = callAgents(ctx, "agents.load", { agentId, besides: conversationId }, { timeout: PATIENCE_MS });
  const answer = await asked.catch(() => undefined);
  return answer !== undefined && answer.load + 1 > answer.capacity;
}
