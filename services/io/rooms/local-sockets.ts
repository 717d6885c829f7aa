import type { LocalSocket } from "./ports";
import type { Room } from "./room";

export interface Connection {
  readonly socket: LocalSocket;
  /** The rooms it is in, live or catching up. */
  readonly rooms: Map<string, Room>;
  open: boolean;
  /** Stops the next look at its memberships. */
  cancelRecheck?: () => void;
}

/** The sockets of this node, by id and by user. */
export class LocalSockets {
  /** Was there ever one? */
  used = false;
  private readonly connections = new Map<string, Connection>();
  private readonly users = new Map<string, Map<string, LocalSocket>>();

  add(socket: LocalSocket): void {
    this.used = true;
    this.connections.set(socket.id, { socket, rooms: new Map(), open: true });
    const sockets = this.users.get(socket.userId) ?? new Map<string, LocalSocket>();
    this.users.set(socket.userId, sockets.set(socket.id, socket));
  }

  /** Forgets a socket; the connection returned is closed and still names its rooms. */
  remove(socketId: string): Connection | undefined {
    const connection = this.connections.get(socketId);
    if (!connection) return undefined;
    connection.open = false;
    connection.cancelRecheck?.();
    this.connections.delete(socketId);
    const sockets = this.users.get(connection.socket.userId);
    sockets?.delete(socketId);
    if (sockets?.size === 0) this.users.delete(connection.socket.userId);
    return connection;
  }

  get(socketId: string): Connection | undefined {
    return this.connections.get(socketId);
  }

  all(): Iterable<Connection> {
    return this.connections.values();
  }

  hasUser(userId: string): boolean {
    return this.users.has(userId);
  }

  ofUser(userId: string): Iterable<LocalSocket> {
    return this.users.get(userId)?.values() ?? [];
  }
}
