import type { ServiceBroker } from "moleculer";
import type { StoredEvent } from "../../actors/conversation/conversation.events";
import type { Params } from "../../lib/contract";
import { resourcesOf } from "../../lib/resources";
import { callAgents } from "../agents/agents.internal";
import { hasRole } from "../auth/principal";
import type { CountedSession } from "../supervision/desk-counters";
import { counters, SUPERVISORS, watch } from "../supervision/supervision.contract";
import { callSupervision } from "../supervision/supervision.internal";
import type { ClientSocket } from "./client-socket";
import { CounterFeed } from "./counter-feed";
import type { Route } from "./dispatcher";
import { pagesOf } from "./live-view";
import { localRoute } from "./local-route";
import type { RoomTable } from "./rooms/room-table";
import { Watches } from "./watches";

export interface SupervisionPorts {
  readonly broker: ServiceBroker;
  readonly rooms: Pick<RoomTable, "watch" | "unwatch">;
  /** Is it known here what was revoked until a moment ago? */
  isFresh(): boolean;
}

/** Statuses of sessions that are not closed. */
const OPEN = ["unassigned", "assigned", "closing"];

/** Whoever subscribes waits for it. */
const STAFFING_TIMEOUT_MS = 2_000;

/** What an io node does for supervisors alone: sessions watched unseen, and how the desk stands. */
export class Supervision {
  private readonly watches: Watches;
  private readonly counters: CounterFeed;

  constructor(private readonly ports: SupervisionPorts) {
    const { broker, rooms } = ports;
    const { random, clock } = resourcesOf(broker);
    this.watches = new Watches({
      rooms,
      begin: (sessionId, options) =>
        callSupervision(broker, "supervision.watch", { sessionId, auditId: random.id() }, options),
    });
    this.counters = new CounterFeed({
      clock,
      sessions: () => openSessions(broker),
      staffing: (topics) => callAgents(broker, "agents.staffing", { topics }, { timeout: STAFFING_TIMEOUT_MS }),
      failed: (error) => broker.logger.warn("agents could not be counted", { error }),
    });
  }

  /** The socket events that it answers. */
  routes(): Route[] {
    return [
      localRoute(watch, async (socket, { sessionId, on }: Params<typeof watch>, options) => {
        if (on) return this.watches.watch(socket, sessionId, options);
        this.watches.unwatch(socket, sessionId);
        return { seq: 0, messages: [], hasMore: false };
      }),
      localRoute(counters, async (socket, { subscribe }: Params<typeof counters>) => {
        if (subscribe) return this.counters.subscribe(socket);
        this.counters.unsubscribe(socket);
        return { seq: 0, at: new Date(this.now()).toISOString(), topics: [] };
      }),
    ];
  }

  /** The roles of the socket's user have changed. */
  changed(socket: ClientSocket): void {
    this.watches.recheck(socket);
    if (!hasRole(socket.data.user, SUPERVISORS)) this.counters.unsubscribe(socket);
  }

  /** The socket is closed. */
  closed(socket: ClientSocket): void {
    this.watches.forget(socket);
    this.counters.unsubscribe(socket);
  }

  /** Takes events as they are broadcast, or found, in any order. */
  received(events: readonly StoredEvent[]): void {
    this.counters.received(events);
  }

  /** Events may have been missed for good. */
  missed(): void {
    this.counters.refresh();
  }

  stop(): void {
    this.counters.stop();
  }

  /** To be called each second: where nobody knows who may still see what, nobody who is no member does. */
  sweep(): void {
    if (!this.ports.isFresh()) this.watches.endAll();
  }

  private now(): number {
    return resourcesOf(this.ports.broker).clock.now();
  }
}

async function* openSessions(broker: ServiceBroker): AsyncGenerator<readonly CountedSession[]> {
  for (const status of OPEN)
    yield* pagesOf((cursor) =>
      callSupervision(broker, "supervision.sessions", { status, ...(cursor !== undefined && { cursor }) }),
    );
}
