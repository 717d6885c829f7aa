import type { Context } from "moleculer";
import type { Desk, HeadStart, SessionState } from "../../actors/conversation/conversation.session-state";
import type { Meta } from "../auth/principal";
import { callerOf } from "../conversation-command";
import type { Tier, Urgency } from "../schemas";
import { CLASS_MS, headStartOf } from "../topics/head-start";
import { topicsOf } from "../topics/topics.directory";
import { callUsers } from "../users/users.internal";

/** What a session that the caller opens takes over from its topic: its times, and the head start. */
export async function deskFor(ctx: Context<unknown, Meta>, topicId: string, hint: Urgency): Promise<Desk> {
  const [topic, tier] = await Promise.all([topicsOf(ctx.broker).get(topicId), tierOf(ctx)]);
  return { headStart: headStartOf({ topic, tier, hint }), rules: topic.rules };
}

/** What it takes over from the topic that it is transferred to: the customer's tier and wish stay. */
export async function deskAfterTransfer(
  { broker }: Context<unknown, Meta>,
  topicId: string,
  { tier, hint }: HeadStart,
): Promise<Desk> {
  const { urgency, rules } = await topicsOf(broker).get(topicId);
  const kept = { ...(tier !== undefined && { tier }), ...(hint !== undefined && { hint }) };
  return { headStart: { class: CLASS_MS[urgency], ...kept }, rules };
}

/** What it takes over when it is reopened: the times that its topic has now. */
export async function deskAfterReopening(
  { broker }: Context<unknown, Meta>,
  { topic, headStart }: SessionState,
): Promise<Desk> {
  return { headStart, rules: (await topicsOf(broker).get(topic)).rules };
}

/** Nobody waits for a session because the users cannot be asked: then there is no tier. */
async function tierOf(ctx: Context<unknown, Meta>): Promise<Tier | undefined> {
  const { id, guest } = callerOf(ctx);
  if (guest) return undefined;
  try {
    return (await callUsers(ctx, "users.get", { id }))?.tier;
  } catch (error) {
    ctx.broker.logger.warn("a customer's tier could not be read", { error });
    return undefined;
  }
}
