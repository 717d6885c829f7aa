import type { Caller } from "../../lib/call";
import type { Clock } from "../../lib/actor/ports";
import { callRoom } from "../room/room.internal";
import type { RoomDelivery, RoomPorts } from "./rooms/ports";

/** What the room table takes from outside: the log and the projections by the room service, delivery by the sockets. */
export const roomPorts = (broker: Caller, clock: Clock, delivery: RoomDelivery): RoomPorts => ({
  clock,
  readEvents: async (conversationId, after, limit) =>
    (await callRoom(broker, "room.events", { conversationId, after, limit })).events,
  readFlushes: async (incarnation, from, to) =>
    (await callRoom(broker, "room.flushes", { incarnation, from, to })).events,
  memberships: async (userId) => (await callRoom(broker, "room.memberships", { userId })).memberships,
  joined: (socketId, conversationId, audience) => delivery.joined(socketId, conversationId, audience),
  left: (socketId, conversationId) => delivery.left(socketId, conversationId),
  emit: (conversationId, audience, events) => delivery.emit(conversationId, audience, events),
  emitTo: (socketId, events) => delivery.emitTo(socketId, events),
});
