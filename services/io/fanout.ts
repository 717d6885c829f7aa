import type { Audience } from "../../actors/conversation/conversation.events";
import type { PlainCounter } from "../../lib/metrics";
import type { BrokerEvents } from "../events";
import type { WireEvent } from "../schemas";
import type { ClientSocket } from "./client-socket";
import type { Connections } from "./connections";
import type { RoomDelivery } from "./rooms/ports";
import { type EncodedPacket, encodeEvent, sendPacket } from "./wire";

const EVERYBODY: readonly Audience[] = ["all", "staff"];

type Viewers = Readonly<Record<Audience, Map<string, ClientSocket>>>;

/** Brings frames to the sockets of this node: each is encoded once for all who get it. */
export class Fanout implements RoomDelivery {
  private readonly rooms = new Map<string, Viewers>();
  /** Who is told what is not stored, and gets no events for now. */
  private readonly held = new Map<string, Viewers>();

  /** `deliveries` counts each event once for each socket that it is sent to. */
  constructor(
    private readonly connections: Connections,
    private readonly deliveries: PlainCounter,
  ) {}

  joined(socketId: string, conversationId: string, audience: Audience): void {
    remove(this.held, socketId, conversationId);
    this.add(this.rooms, socketId, conversationId, audience);
  }

  heldBack(socketId: string, conversationId: string, audience: Audience): void {
    remove(this.rooms, socketId, conversationId);
    this.add(this.held, socketId, conversationId, audience);
  }

  left(socketId: string, conversationId: string): void {
    remove(this.rooms, socketId, conversationId);
    remove(this.held, socketId, conversationId);
  }

  emit(conversationId: string, audience: Audience, events: WireEvent[]): void {
    const viewers = this.rooms.get(conversationId)?.[audience];
    if (!viewers) return;
    const packet = encodeEvent("events", events);
    for (const socket of viewers.values()) sendPacket(socket, packet);
    this.deliveries.value += events.length * viewers.size;
  }

  emitTo(socketId: string, events: WireEvent[]): void {
    const socket = this.connections.get(socketId);
    if (!socket) return;
    sendPacket(socket, encodeEvent("events", events));
    this.deliveries.value += events.length;
  }

  receipts({ staff, ...change }: BrokerEvents["receipts.changed"]): void {
    const { conversationId } = change;
    const packet = encodeEvent("receipts", change);
    this.tell(packet, this.in(conversationId, ["all"]));
    const whole = staff ? encodeEvent("receipts", { ...change, receipts: staff }) : packet;
    this.tell(whole, this.in(conversationId, ["staff"]));
  }

  typing(change: BrokerEvents["typing.changed"]): void {
    const told = this.in(change.conversationId, change.audience === "staff" ? ["staff"] : EVERYBODY);
    const others = told.filter((socket) => socket.data.user.id !== change.userId);
    this.tell(encodeEvent("typing", change), others);
  }

  /** Tells each socket once, in however many of the conversations it is; and the user's own. */
  presence({ conversationIds, ...presence }: BrokerEvents["presence.changed"]): void {
    const sockets = new Set(conversationIds.flatMap((conversationId) => this.in(conversationId)));
    for (const own of this.connections.ofUser(presence.userId)) sockets.add(own);
    this.tell(encodeEvent("presence", presence), sockets);
  }

  private in(conversationId: string, audiences: readonly Audience[] = EVERYBODY): ClientSocket[] {
    const groups = [this.rooms.get(conversationId), this.held.get(conversationId)];
    return groups.flatMap((group) => (group ? audiences.flatMap((audience) => [...group[audience].values()]) : []));
  }

  private add(to: Map<string, Viewers>, socketId: string, conversationId: string, audience: Audience): void {
    const socket = this.connections.get(socketId);
    if (!socket) return;
    let room = to.get(conversationId);
    if (!room) to.set(conversationId, (room = { all: new Map(), staff: new Map() }));
    room[audience].set(socketId, socket);
  }

  private tell(packet: EncodedPacket, sockets: Iterable<ClientSocket>): void {
    for (const socket of sockets) sendPacket(socket, packet);
  }
}

function remove(from: Map<string, Viewers>, socketId: string, conversationId: string): void {
  const room = from.get(conversationId);
  if (!room) return;
  room.all.delete(socketId);
  room.staff.delete(socketId);
  if (room.all.size + room.staff.size === 0) from.delete(conversationId);
}
