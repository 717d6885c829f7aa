import type { Clock } from "../../lib/actor/ports";
import { type ConnectionRef, RENEW_MS } from "../presence/presence.internal";
import type { ClientSocket } from "./client-socket";
import type { Connections } from "./connections";

export interface PresenceReporterPorts {
  readonly clock: Clock;
  readonly connections: Connections;
  renew(connections: readonly ConnectionRef[]): Promise<unknown>;
  release(connection: ConnectionRef): Promise<unknown>;
  /** A report was lost; the next renewal or the end of the lease makes up for it. */
  failed(error: unknown): void;
}

const PAGE = 500;

/** Tells the presence service which sockets this node has. Nothing waits for it. */
export class PresenceReporter {
  private cancel: (() => void) | undefined;

  constructor(private readonly ports: PresenceReporterPorts) {}

  start(): void {
    this.cancel = this.ports.clock.setTimeout(() => {
      void this.renewAll().then(() => {
        if (this.cancel) this.start();
      });
    }, RENEW_MS);
  }

  stop(): void {
    this.cancel?.();
    this.cancel = undefined;
  }

  connected(socket: ClientSocket): void {
    this.ports.renew([refOf(socket)]).catch(this.ports.failed);
  }

  disconnected(socket: ClientSocket): void {
    this.ports.release(refOf(socket)).catch(this.ports.failed);
  }

  private async renewAll(): Promise<void> {
    const open = [...this.ports.connections.all()].map(refOf);
    for (let at = 0; at < open.length; at += PAGE) {
      await this.ports.renew(open.slice(at, at + PAGE)).catch(this.ports.failed);
    }
  }
}

const refOf = (socket: ClientSocket): ConnectionRef => ({ userId: socket.data.user.id, id: socket.id });
