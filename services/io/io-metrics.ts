import type { ServiceBroker } from "moleculer";
import { metricsOf, type PlainCounter } from "../../lib/metrics";

export interface IoReadings {
  readonly maxSockets: number;
  sockets(): number;
  rooms(): number;
  callsInFlight(): number;
}

export interface IoMetrics {
  /** One for each event and socket that it was sent to. */
  readonly deliveries: PlainCounter;
  /** A broadcast arrived: when its last event was decided, and what time it is. */
  arrived(at: number | undefined, now: number): void;
}

const LAG_SECONDS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10];
const MS_PER_SECOND = 1_000;

/** The metrics of an io node. */
export function ioMetrics(broker: ServiceBroker, readings: IoReadings): IoMetrics {
  const metrics = metricsOf(broker);
  metrics.gauge("parley_sockets", "Connected sockets", () => readings.sockets());
  metrics.gauge("parley_sockets_limit", "Sockets that the process may have", () => readings.maxSockets);
  metrics.gauge("parley_rooms", "Conversations with sockets here", () => readings.rooms());
  metrics.gauge("parley_calls_in_flight", "Socket events not yet answered", () => readings.callsInFlight());
  const lag = metrics.histogram(
    "parley_fanout_lag_seconds",
    "Time from the decision of an event to its arrival at an io node, by the clocks of both",
    LAG_SECONDS,
  );
  return {
    deliveries: metrics.counter("parley_deliveries_total", "Events sent to sockets, once for each socket"),
    arrived: (at, now) => {
      if (at !== undefined) lag.observe(Math.max(0, now - at) / MS_PER_SECOND);
    },
  };
}
