import type { ServiceBroker } from "moleculer";
import type { Clock } from "../../lib/actor/ports";
import { lifecycleOf } from "../../lib/lifecycle";
import { resourcesOf } from "../../lib/resources";
import { hasRole, type Principal } from "../auth/principal";
import { STAFF } from "../schemas";
import { callAgents } from "./agents.internal";

export interface ActivityPorts {
  readonly clock: Clock;
  tell(userIds: readonly string[]): Promise<unknown>;
  /** It was not told; what is heard next is. */
  failed(error: unknown): void;
}

/** What clients send by themselves, as they connect by themselves: no sign of the person in front of them. */
const AUTOMATIC: ReadonlySet<unknown> = new Set([
  "receipt.delivered",
  "conversation.sync",
  "conversation.list",
  "session.queue",
  "presence.get",
  "agent.me",
  "agent.list",
]);
const TELL_MS = 5_000;
const TELL_AT_ONCE = 500;

/** Notes on one node which agents do something, and tells it a few seconds later, however much they do. */
export class Activity {
  private readonly active = new Set<string>();
  private cancel: (() => void) | undefined;
  private stopped = false;

  constructor(private readonly ports: ActivityPorts) {}

  /** Called for every packet and write of every user: `event` is its socket event, if it has one. */
  heard(user: Principal, event?: unknown): void {
    if (this.active.has(user.id) || AUTOMATIC.has(event) || !hasRole(user, STAFF) || this.stopped) return;
    this.active.add(user.id);
    this.cancel ??= this.ports.clock.setTimeout(() => void this.tell(), TELL_MS);
  }

  stop(): void {
    this.stopped = true;
    this.cancel?.();
  }

  private async tell(): Promise<void> {
    const userIds = [...this.active];
    this.active.clear();
    this.cancel = undefined;
    try {
      for (let from = 0; from < userIds.length; from += TELL_AT_ONCE)
        await this.ports.tell(userIds.slice(from, from + TELL_AT_ONCE));
    } catch (error) {
      this.ports.failed(error);
    }
  }
}

const byBroker = new WeakMap<ServiceBroker, Activity>();

/** The activity of agents on this broker's node. */
export function activityOf(broker: ServiceBroker): Activity {
  let activity = byBroker.get(broker);
  if (!activity) {
    const made = new Activity({
      clock: resourcesOf(broker).clock,
      tell: (userIds) => callAgents(broker, "agents.heard", { userIds }),
      failed: (error) => broker.logger.debug("activity of agents was not told", { error }),
    });
    byBroker.set(broker, (activity = made));
    lifecycleOf(broker).onDrain(async () => made.stop());
  }
  return activity;
}
