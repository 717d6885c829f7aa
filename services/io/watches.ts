import type { CallingOptions } from "moleculer";
import { ParleyError } from "../../lib/errors";
import { hasRole } from "../auth/principal";
import { SUPERVISORS } from "../supervision/supervision.contract";
import type { Watched } from "../supervision/supervision.internal";
import type { ClientSocket } from "./client-socket";
import type { RoomTable } from "./rooms/room-table";

export interface WatchPorts {
  readonly rooms: Pick<RoomTable, "watch" | "unwatch">;
  /** Writes it down, durably, and answers what the watch begins with. */
  begin(sessionId: string, options: CallingOptions): Promise<Watched>;
}

/** Sessions that one socket watches at once. */
const MAX_WATCHED = 50;

/** Which sockets watch which sessions unseen, for as long as their users may. */
export class Watches {
  private readonly bySocket = new Map<ClientSocket, Set<string>>();

  constructor(private readonly ports: WatchPorts) {}

  /**
   * Begins to watch: what follows the answered seq comes live.
   * @throws ParleyError LIMIT_REACHED; NOT_FOUND; FORBIDDEN, also when the right, or the wish, was lost meanwhile
   */
  async watch(socket: ClientSocket, sessionId: string, options: CallingOptions): Promise<Watched> {
    const watched = this.bySocket.get(socket) ?? new Set<string>();
    const again = watched.has(sessionId);
    if (!again && watched.size >= MAX_WATCHED) throw new ParleyError("LIMIT_REACHED", { limit: MAX_WATCHED });
    this.bySocket.set(socket, watched.add(sessionId));
    try {
      const begun = await this.ports.begin(sessionId, options);
      // Whoever was told to go, or is no supervisor any more, has no entry, or another one.
      const wanted = this.bySocket.get(socket) === watched && watched.has(sessionId) && supervises(socket);
      if (!wanted) throw new ParleyError("FORBIDDEN");
      void this.ports.rooms.watch(socket.id, sessionId, begun.seq);
      return begun;
    } catch (error) {
      if (!again) this.unwatch(socket, sessionId);
      throw error;
    }
  }

  /** The socket does not want it any more. */
  unwatch(socket: ClientSocket, sessionId: string): void {
    this.bySocket.get(socket)?.delete(sessionId);
    this.ports.rooms.unwatch(socket.id, sessionId);
  }

  /** The socket is closed: its rooms know. */
  forget(socket: ClientSocket): void {
    this.bySocket.delete(socket);
  }

  /** Ends what the socket watches, unless its user may still. */
  recheck(socket: ClientSocket): void {
    if (!supervises(socket)) this.end(socket);
  }

  /** Nobody knows who still may. */
  endAll(): void {
    for (const socket of [...this.bySocket.keys()]) this.end(socket);
  }

  private end(socket: ClientSocket): void {
    const watched = this.bySocket.get(socket);
    this.bySocket.delete(socket);
    for (const sessionId of watched ?? []) {
      this.ports.rooms.unwatch(socket.id, sessionId);
      socket.emit("watch", { sessionId, on: false });
    }
  }
}

const supervises = (socket: ClientSocket): boolean => socket.connected && hasRole(socket.data.user, SUPERVISORS);
