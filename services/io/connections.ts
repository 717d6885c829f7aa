import type { Bucket } from "../../lib/limits/token-bucket";
import type { ClientSocket } from "./client-socket";

interface UserEntry {
  readonly sockets: Set<ClientSocket>;
  readonly packets: Bucket;
}

/** The connected clients of this node, by socket and by user. */
export class Connections {
  private readonly bySocket = new Map<string, ClientSocket>();
  private readonly byUser = new Map<string, UserEntry>();

  get size(): number {
    return this.bySocket.size;
  }

  add(socket: ClientSocket): void {
    const { user, userPackets } = socket.data;
    this.bySocket.set(socket.id, socket);
    const entry = this.byUser.get(user.id);
    if (entry) entry.sockets.add(socket);
    else this.byUser.set(user.id, { sockets: new Set([socket]), packets: userPackets });
  }

  remove(socket: ClientSocket): void {
    if (!this.bySocket.delete(socket.id)) return;
    const { id } = socket.data.user;
    const entry = this.byUser.get(id);
    entry?.sockets.delete(socket);
    if (entry?.sockets.size === 0) this.byUser.delete(id);
  }

  get(socketId: string): ClientSocket | undefined {
    return this.bySocket.get(socketId);
  }

  has(socket: ClientSocket): boolean {
    return this.bySocket.has(socket.id);
  }

  ofUser(userId: string): ClientSocket[] {
    return [...(this.byUser.get(userId)?.sockets ?? [])];
  }

  /** The bucket that the user's sockets share, while there is one. */
  userPackets(userId: string): Bucket | undefined {
    return this.byUser.get(userId)?.packets;
  }

  countOf(userId: string): number {
    return this.byUser.get(userId)?.sockets.size ?? 0;
  }

  all(): IterableIterator<ClientSocket> {
    return this.bySocket.values();
  }
}
