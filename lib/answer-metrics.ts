import type { ServiceBroker } from "moleculer";
import { ERRORS, type ErrorType } from "./errors";
import { metricsOf } from "./metrics";

export interface AnswerMetrics {
  /** An answer went to a client: what it was, and after how many milliseconds. */
  answered(type: "ok" | ErrorType, ms: number): void;
}

const TYPES = ["ok", ...(Object.keys(ERRORS) as ErrorType[])] as const;
const SECONDS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10];
const MS_PER_SECOND = 1_000;

/** Counts what the clients of a node are answered, over whatever they came. */
export function answerMetricsOf(broker: ServiceBroker): AnswerMetrics {
  const metrics = metricsOf(broker);
  const answers = metrics.counters("parley_answers_total", "Answers to clients, by error type or ok", "type", TYPES);
  const seconds = metrics.histogram("parley_answer_seconds", "Time from a client's request to its answer", SECONDS);
  return {
    answered: (type, ms) => {
      answers[type].value++;
      seconds.observe(ms / MS_PER_SECOND);
    },
  };
}
