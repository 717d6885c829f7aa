import { type Audience, maySee, type StoredEvent, toWire } from "../../../actors/conversation/conversation.events";
import type { LocalSocket, RoomDelivery } from "./ports";

interface Live {
  readonly socket: LocalSocket;
  readonly audience: Audience;
  /** Everything after this seq was passed to the socket. */
  readonly since: number;
}

/** The sockets that are live in a room, by audience. */
export class Viewers {
  private readonly live = new Map<string, Live>();
  private readonly counts = { all: 0, staff: 0 };
  private readonly held = new Set<string>();

  constructor(
    private readonly conversationId: string,
    private readonly delivery: RoomDelivery,
  ) {}

  get size(): number {
    return this.live.size;
  }

  /** Lets a socket in, or into another audience; it has everything after `since`. */
  enter(socket: LocalSocket, audience: Audience, since: number): void {
    const before = this.live.get(socket.id);
    if (before?.audience === audience) return;
    this.drop(socket.id);
    this.live.set(socket.id, { socket, audience, since: before?.since ?? since });
    this.counts[audience] += 1;
    this.delivery.joined(socket.id, this.conversationId, audience);
  }

  /** Lets a socket that was live wait for its events, until it enters again or is dropped. */
  hold(socketId: string): void {
    const live = this.take(socketId);
    if (!live) return;
    this.held.add(socketId);
    this.delivery.heldBack(socketId, this.conversationId, live.audience);
  }

  /** True when the socket was live. */
  drop(socketId: string): boolean {
    const live = this.take(socketId);
    if (this.held.delete(socketId) || live) this.delivery.left(socketId, this.conversationId);
    return live !== undefined;
  }

  get(socketId: string): Live | undefined {
    return this.live.get(socketId);
  }

  /** One frame per audience with what it may see. */
  emit(events: readonly StoredEvent[]): void {
    for (const audience of AUDIENCES) {
      if (this.counts[audience] === 0) continue;
      const visible = events.filter((event) => maySee(event, audience));
      if (visible.length === 0) continue;
      const frame = visible.map((event) => toWire(event, audience));
      this.delivery.emit(this.conversationId, audience, frame);
    }
  }

  private take(socketId: string): Live | undefined {
    const live = this.live.get(socketId);
    if (!live) return undefined;
    this.live.delete(socketId);
    this.counts[live.audience] -= 1;
    return live;
  }
}

const AUDIENCES: readonly Audience[] = ["all", "staff"];
