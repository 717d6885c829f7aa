import { broadcasterOf, callerOf } from "../lib/call";
import type { Actions } from "./contracts";
import type { BrokerEvents } from "./events";

/** Calls an action of a contract: `await call(ctx, "message.send", { ... })`. In handlers always with the context. */
export const call = callerOf<Actions>();

/** Broadcasts an event of the table in `events.ts`: `await broadcast(ctx, "users.changed", { userId }, ["io"])`. */
export const broadcast = broadcasterOf<BrokerEvents>();
