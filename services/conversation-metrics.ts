import type { ServiceBroker } from "moleculer";
import type { Conversations, Probe } from "../actors/conversation/conversation.actor";
import { metricsOf } from "../lib/metrics";

/** The metrics of a core node. The hot path adds to plain numbers; the rest is read on scrape. */
export function conversationProbe(broker: ServiceBroker, conversations: () => Conversations): Probe {
  const metrics = metricsOf(broker);
  const acks = metrics.counter("parley_acks_total", "Events that became durable and were answered");
  const fences = metrics.counter("parley_fence_hits_total", "Documents refused because another one was there first");
  const failures = metrics.counter("parley_store_errors_total", "Writes of the log without a known outcome");
  const behind = metrics.counter("parley_projection_errors_total", "Attempts to project or publish that failed");
  const documents = metrics.histogram("parley_flush_documents", "Events of a flush", FLUSH_DOCUMENTS);
  const seconds = metrics.histogram("parley_flush_seconds", "Time until a flush was settled", FLUSH_SECONDS);
  metrics.gauge("parley_activations", "Conversations in memory", () => conversations().host.size);
  metrics.gauge("parley_mailbox_depth", "Commands waiting or in flight", () => conversations().host.depth);
  metrics.gauge("parley_writer_queue", "Events waiting for the next flush", () => conversations().progress.queued);
  return {
    flushed: (count, ms) => {
      acks.value += count;
      documents.observe(count);
      seconds.observe(ms / 1_000);
    },
    fenced: () => void fences.value++,
    storeFailed: () => void failures.value++,
    projectionFailed: (error) => {
      behind.value++;
      broker.logger.warn("projections could not be written yet", { error });
    },
    sweepFailed: (error) => broker.logger.warn("what an ended node left could not be recovered yet", { error }),
    faulted: (error) => broker.logger.error("a conversation's command failed", { error }),
  };
}

const FLUSH_DOCUMENTS = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500];
const FLUSH_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5];
