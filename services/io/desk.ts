import type { ServiceBroker } from "moleculer";
import type { StoredEvent } from "../../actors/conversation/conversation.events";
import type { Params } from "../../lib/contract";
import { resourcesOf } from "../../lib/resources";
import { hasRole } from "../auth/principal";
import { STAFF } from "../schemas";
import { queue } from "../session/queue.contract";
import { callSession } from "../session/session.internal";
import type { ClientSocket } from "./client-socket";
import type { Connections } from "./connections";
import type { Route } from "./dispatcher";
import { localRoute } from "./local-route";
import { PositionFeed } from "./position-feed";
import { QueueFeed } from "./queue-feed";
import { Supervision, type SupervisionPorts } from "./supervision";

export interface DeskPorts extends SupervisionPorts {
  readonly connections: Connections;
}

/** What an io node tells of the support desk: its queue, where customers stand in it, and what supervisors see. */
export class Desk {
  private readonly queue: QueueFeed;
  private readonly positions: PositionFeed;
  private readonly supervision: Supervision;

  constructor(ports: DeskPorts) {
    const { broker, connections } = ports;
    this.queue = makeQueue(broker);
    this.positions = makePositions(broker, this.queue, connections);
    this.supervision = new Supervision(ports);
  }

  /** The socket events that it answers. */
  routes(): Route[] {
    const queueRoute = localRoute(queue, async (socket, { subscribe, topic }: Params<typeof queue>) => {
      if (subscribe) return this.queue.subscribe(socket, topic);
      this.queue.unsubscribe(socket, topic);
      return { seq: 0, sessions: [] };
    });
    return [queueRoute, ...this.supervision.routes()];
  }

  start(): void {
    this.positions.start();
  }

  stop(): void {
    this.positions.stop();
    this.supervision.stop();
  }

  /** Takes events as they are broadcast, or found, in any order. */
  received(events: readonly StoredEvent[]): void {
    this.queue.received(events);
    this.supervision.received(events);
  }

  /** Events may have been missed for good. */
  missed(): void {
    this.queue.refresh();
    this.supervision.missed();
  }

  /** The roles of the socket's user have changed. */
  changed(socket: ClientSocket): void {
    if (!hasRole(socket.data.user, STAFF)) this.queue.unsubscribe(socket);
    this.supervision.changed(socket);
  }

  /** The socket is closed. */
  closed(socket: ClientSocket): void {
    this.queue.unsubscribe(socket);
    this.supervision.closed(socket);
  }

  /** To be called each second. */
  sweep(): void {
    this.supervision.sweep();
  }
}

function makeQueue(broker: ServiceBroker): QueueFeed {
  const { clock, random } = resourcesOf(broker);
  return new QueueFeed({
    clock,
    list: (cursor) => callSession(broker, "session.waiting", cursor === undefined ? {} : { cursor }),
    newEpoch: () => random.id(),
  });
}

const makePositions = (broker: ServiceBroker, feed: QueueFeed, connections: Connections): PositionFeed =>
  new PositionFeed({
    clock: resourcesOf(broker).clock,
    queue: feed,
    connections,
    flows: async (topics) => (await callSession(broker, "session.flow", { topics })).flows,
    failed: (error) => broker.logger.warn("customers could not be told their positions", { error }),
  });
