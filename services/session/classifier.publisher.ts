import type { ServiceBroker } from "moleculer";
import type { EventPublisher } from "../publishers";
import { topicsOf } from "../topics/topics.directory";
import { bearsOnClass } from "./classification";
import { callSession } from "./session.internal";

const CALL_MS = 10_000;

/**
 * Has the first messages of waiting sessions classified: surely, and beside the path of the messages. While it is known
 * that there are no rules, nothing is published.
 */
export const classifierPublisher = (broker: ServiceBroker): EventPublisher => ({
  name: "classifier",
  wants: (event) =>
    bearsOnClass(event) && topicsOf(broker).hasKeywords !== false
      ? { conversationId: event.conversationId }
      : undefined,
  deliver: async ({ payload }) => {
    const { conversationId } = payload as { conversationId: string };
    await callSession(broker, "session.classify", { conversationId }, { timeout: CALL_MS });
  },
});
