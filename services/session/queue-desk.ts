import type { Context, ServiceBroker } from "moleculer";
import type { Conversations } from "../../actors/conversation/conversation.actor";
import type { ConversationState } from "../../actors/conversation/conversation.state";
import { nextTimer } from "../../actors/conversation/conversation.timers";
import { isParleyError } from "../../lib/errors";
import { resourcesOf } from "../../lib/resources";
import { callAgents, type PushExplanation } from "../agents/agents.internal";
import type { Meta } from "../auth/principal";
import { deadlineOf, derivedId, systemCommand } from "../conversation-command";
import { onSettled } from "../conversations";
import { isOpen } from "../topics/opening-hours";
import { topicsOf } from "../topics/topics.directory";
import { FIRST_EVENTS, firstWords, reclassified } from "./classification";
import { type Flow, positionOf, type QueuePosition } from "./estimate";
import { type Explanation, explanationOf } from "./explain";
import { isWaiting } from "./queue";
import { countAhead } from "./session-lists";
import { Throughput } from "./throughput";

/** Beyond so many nobody counts. */
const MAX_COUNTED = 10_000;
/** Whoever explains a push is not waited for any longer. */
const PATIENCE_MS = 2_000;

/** What a core node knows of the queue beyond the session itself: places, times, reasons. */
export class QueueDesk {
  private readonly throughput: Throughput;

  constructor(
    private readonly broker: ServiceBroker,
    private readonly conversations: Conversations,
  ) {
    const { kv, clock } = resourcesOf(broker);
    this.throughput = new Throughput(kv, clock);
    onSettled(broker, (events) => this.throughput.note(events));
  }

  /** How fast sessions of a topic are taken; undefined when nobody knows, or nobody is there. */
  async flow(topicId: string): Promise<Flow | undefined> {
    const topic = await topicsOf(this.broker).get(topicId);
    return isOpen(topic.hours, this.now()) ? this.throughput.of(topicId) : undefined;
  }

  /** What the customer of a waiting session is told; undefined when it does not wait. */
  async position({ id, session }: ConversationState): Promise<QueuePosition | undefined> {
    if (!session || !isWaiting(session)) return undefined;
    const [ahead, flow] = await Promise.all([this.ahead(id, session), this.flow(session.topic)]);
    return positionOf(ahead + 1, flow);
  }

  /** Why a session stands where it stands, and has the agent that it has. */
  async explain(ctx: Context, state: ConversationState, session: Session): Promise<Explanation> {
    const [topic, ahead, push] = await Promise.all([
      topicsOf(this.broker).get(session.topic),
      isWaiting(session) ? this.ahead(state.id, session) : undefined,
      this.pushOf(ctx, state.id),
    ]);
    const timer = nextTimer(state);
    const known = { ...(ahead !== undefined && { ahead }), ...(push && { push }), ...(timer && { timer }) };
    return explanationOf({ session, topic, now: this.now(), ...known });
  }

  /** Gives a waiting session the place that its first messages give it, by the rules there are now. */
  async classify(ctx: Context<unknown, Meta>, conversationId: string): Promise<void> {
    const deadline = deadlineOf(ctx);
    const { session, seq } = await this.conversations.host.readHead(conversationId, deadline);
    if (!session || !isWaiting(session)) return;
    const directory = topicsOf(this.broker);
    const [topic, rules, events] = await Promise.all([
      directory.get(session.topic),
      directory.keywords(),
      this.conversations.store.readVisible(conversationId, "all", 0, FIRST_EVENTS, FIRST_EVENTS),
    ]);
    const params = reclassified(session, firstWords(session, events), rules, topic);
    if (!params) return;
    const { keyword = 0, rule = "" } = params.headStart;
    const id = `classify:${seq}:${derivedId(rule, String(keyword), params.urgency)}`;
    await this.conversations.command(conversationId, systemCommand(id, "reclassify", params, deadline));
  }

  private ahead(id: string, session: Session): Promise<number> {
    return countAhead(this.conversations.store, id, session, MAX_COUNTED);
  }

  /** The rest of an explanation does not wait for it, nor fail with it. */
  private async pushOf(ctx: Context, conversationId: string): Promise<PushExplanation | undefined> {
    try {
      return (await callAgents(ctx, "agents.explain", { conversationId }, { timeout: PATIENCE_MS })) ?? undefined;
    } catch (error) {
      if (!isParleyError(error)) this.broker.logger.warn("a push could not be explained", { error });
      return undefined;
    }
  }

  private now(): number {
    return resourcesOf(this.broker).clock.now();
  }
}

type Session = NonNullable<ConversationState["session"]>;
