import type { ServiceBroker } from "moleculer";
import type { Params } from "../../lib/contract";
import { resourcesOf } from "../../lib/resources";
import { watch } from "../supervision/supervision.contract";
import { callSupervision } from "../supervision/supervision.internal";
import type { ClientSocket } from "./client-socket";
import type { Route } from "./dispatcher";
import { localRoute } from "./local-route";
import type { RoomTable } from "./rooms/room-table";
import { Watches } from "./watches";

export interface SupervisionPorts {
  readonly broker: ServiceBroker;
  readonly rooms: Pick<RoomTable, "watch" | "unwatch">;
  /** Is it known here what was revoked until a moment ago? */
  isFresh(): boolean;
}

/** What an io node does for supervisors alone: sessions watched unseen. */
export class Supervision {
  private readonly watches: Watches;

  constructor(private readonly ports: SupervisionPorts) {
    const { broker, rooms } = ports;
    const { random } = resourcesOf(broker);
    this.watches = new Watches({
      rooms,
      begin: (sessionId, options) =>
        callSupervision(broker, "supervision.watch", { sessionId, auditId: random.id() }, options),
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
    ];
  }

  /** The roles of the socket's user have changed. */
  changed(socket: ClientSocket): void {
    this.watches.recheck(socket);
  }

  /** The socket is closed. */
  closed(socket: ClientSocket): void {
    this.watches.forget(socket);
  }

  /** To be called each second: where nobody knows who may still see what, nobody who is no member does. */
  sweep(): void {
    if (!this.ports.isFresh()) this.watches.endAll();
  }
}
