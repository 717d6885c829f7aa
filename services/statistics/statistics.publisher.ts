import type { ServiceBroker } from "moleculer";
import type { StoredEvent } from "../../actors/conversation/conversation.events";
import { keepNewest } from "../../lib/keep-newest";
import type { EventPublisher } from "../publishers";
import { changesFacts } from "./session-facts";
import { callStatistics } from "./statistics.internal";

/** Sessions whose first answer is waited for; one that is forgotten is told of by the session's next event. */
const MAX_AWAITED = 20_000;
const CALL_MS = 10_000;

interface Awaited {
  readonly customerId: string;
  answeredSeq?: number;
}

/**
 * Has the facts of sessions brought up, surely, if late. Of messages only the first answer after a session was given to
 * somebody is told: all others cost a look into a map, and are counted with the session's next event.
 */
export function statisticsPublisher(broker: ServiceBroker): EventPublisher {
  const wants = wanted();
  return {
    name: "statistics",
    wants: (event) => (wants(event) ? { conversationId: event.conversationId } : undefined),
    deliver: async ({ payload, seq }) => {
      const { conversationId } = payload as { conversationId: string };
      await callStatistics(broker, "statistics.bringUp", { conversationId, seq }, { timeout: CALL_MS });
    },
  };
}

/** Whether an event is to be told of; asked again, it says the same. Events of a session come in order. */
export function wanted(): (event: StoredEvent) => boolean {
  const awaited = new Map<string, Awaited>();
  return (event) => {
    const { conversationId, session } = event;
    if (event.type === "message.created") return answers(awaited.get(conversationId), event);
    if (!session || !changesFacts(event)) return false;
    if (session.agentId === undefined) awaited.delete(conversationId);
    else awaited.set(conversationId, { customerId: session.customerId });
    keepNewest(awaited, MAX_AWAITED);
    return true;
  };
}

function answers(waiting: Awaited | undefined, { by, seq, audience }: StoredEvent): boolean {
  if (!waiting || audience !== "all" || by === waiting.customerId) return false;
  waiting.answeredSeq ??= seq;
  return waiting.answeredSeq === seq;
}
