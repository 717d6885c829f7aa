import type { BrokerOptions } from "moleculer";
import type { DestinationStream } from "pino";
import type { Config } from "./lib/config";
import { drainMiddleware } from "./lib/lifecycle";
import { isForPeople, loggerConfig, textDestination } from "./lib/logger";
import { contractMiddleware } from "./lib/middlewares/contract";
import { routingMiddleware } from "./lib/middlewares/routing";
import { systemClock, systemRandom } from "./lib/actor/ports";
import { tracingOptions } from "./lib/tracing";

/**
 * The broker of a Parley node. Explained here: every option that differs from Moleculer's default, or must not be
 * changed to please a habit.
 */
export function brokerOptions(config: Config, nodeID: string, logDestination?: DestinationStream): BrokerOptions {
  return {
    namespace: config.NAMESPACE,
    nodeID,
    logger: loggerConfig(config.LOG_LEVEL, logDestination ?? destinationOf(config)) ?? false,

    // A killed node is noticed after 3 s; with the defaults calls to it fail for up to 45 s.
    heartbeatInterval: 1,
    heartbeatTimeout: 3,
    // Services of one process wait for each other: look often, or the start takes seconds.
    dependencyInterval: 20,
    // Moleculer's default waits for ever.
    requestTimeout: config.REQUEST_TIMEOUT_MS,
    // Local calls pass params by reference and remote ones by value: tests run as if all were remote.
    contextParamsCloning: process.env.NODE_ENV === "test",
    // A call whose service runs in this process stays in it; calls to actors name their node themselves. A stopping node
    // that others can call goes on until they have heard of it.
    registry: { preferLocal: true, stopDelay: config.NATS_URL === undefined ? 0 : 200 },

    // Params are validated by their contract, in the same step as rights and deadline.
    validator: false,
    middlewares: [
      drainMiddleware,
      contractMiddleware({
        now: Date.now,
        requestTimeoutMs: config.REQUEST_TIMEOUT_MS,
        limits: { TEXT_LENGTH: config.TEXT_LENGTH },
      }),
      // Calls to actors go to their home; what got no answer is repeated. Behind the contract, whose errors it is not.
      routingMiddleware({ clock: systemClock, random: systemRandom, timeoutMs: config.REQUEST_TIMEOUT_MS }),
    ],
    // A cached answer does not know who asks.
    cacher: null,
    // Moleculer's retry forgets which node it was for, and is safe only with a command id: whoever has one retries.
    retryPolicy: { enabled: false },
    // An actor's home is one node: an open circuit would refuse what no other node may answer.
    circuitBreaker: { enabled: false },
    bulkhead: { enabled: false },
    // Draining is done by the services that take work in, before any service stops (lib/lifecycle.ts); a list of all
    // calls costs too much on the hot path.
    tracking: { enabled: false, shutdownTimeout: 0 },
    // Each costs more than a local call. What is measured is registered by hand (lib/metrics.ts).
    metrics: false,
    tracing: tracingOptions(config) ?? false,
    // The process ends itself (bin/parley.ts).
    skipProcessEventRegistration: true,
  };
}

const destinationOf = ({ LOG_FORMAT: format }: Config): DestinationStream | undefined =>
  isForPeople(format) ? textDestination() : undefined;
