import type { Audience } from "../../actors/conversation/conversation.events";
import type { BrokerEvents } from "../events";
import type { WireEvent } from "../schemas";
import type { SocketServer } from "./client-socket";
import type { Connections } from "./connections";
import type { RoomDelivery } from "./rooms/ports";

const roomOf = (conversationId: string, audience: Audience): string => `${audience}/${conversationId}`;
const roomsOf = (conversationId: string): string[] => [roomOf(conversationId, "all"), roomOf(conversationId, "staff")];

/** The Socket.IO room of all sockets of a user. */
export const userRoom = (userId: string): string => `user/${userId}`;

/** Brings frames to the sockets of this node: each is encoded once for all who get it. */
export class Fanout implements RoomDelivery {
  constructor(
    private readonly io: SocketServer,
    private readonly connections: Connections,
  ) {}

  joined(socketId: string, conversationId: string, audience: Audience): void {
    void this.connections.get(socketId)?.join(roomOf(conversationId, audience));
  }

  left(socketId: string, conversationId: string): void {
    const socket = this.connections.get(socketId);
    for (const room of roomsOf(conversationId)) void socket?.leave(room);
  }

  emit(conversationId: string, audience: Audience, events: WireEvent[]): void {
    this.io.local.to(roomOf(conversationId, audience)).emit("events", events);
  }

  emitTo(socketId: string, events: WireEvent[]): void {
    this.connections.get(socketId)?.emit("events", events);
  }

  receipts(change: BrokerEvents["receipts.changed"]): void {
    this.io.local.to(roomsOf(change.conversationId)).emit("receipts", change);
  }

  typing(change: BrokerEvents["typing.changed"]): void {
    this.io.local.to(roomsOf(change.conversationId)).except(userRoom(change.userId)).emit("typing", change);
  }

  presence({ conversationIds, ...presence }: BrokerEvents["presence.changed"]): void {
    const rooms = [userRoom(presence.userId), ...conversationIds.flatMap(roomsOf)];
    this.io.local.to(rooms).emit("presence", presence);
  }
}
