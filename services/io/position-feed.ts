import type { Clock } from "../../lib/actor/ports";
import { keepNewest } from "../../lib/keep-newest";
import type { SessionView } from "../conversation-views";
import { type Flow, positionOf } from "../session/estimate";
import type { ClientSocket } from "./client-socket";
import type { Connections } from "./connections";
import type { QueueFeed } from "./queue-feed";
import { encodeEvent, sendPacket } from "./wire";

export interface PositionFeedPorts {
  readonly clock: Pick<Clock, "setTimeout">;
  readonly queue: Pick<QueueFeed, "keep" | "release">;
  readonly connections: Pick<Connections, "ofUser" | "size">;
  /** How fast sessions of these topics are taken; null where that is not known. */
  flows(topics: readonly string[]): Promise<Readonly<Record<string, Flow | null>>>;
  failed(error: unknown): void;
}

/** One who waits and is connected here. */
interface Waiter {
  readonly session: SessionView;
  /** 1 is the next. */
  readonly position: number;
  readonly sockets: readonly ClientSocket[];
}

/** Customers are told no more often. */
const EVERY_MS = 3_000;
/** Sessions of one socket of which is remembered what was told. */
const MAX_SESSIONS = 100;

/**
 * Tells the customers of this node where they stand in the queue, and how long it takes: one look at the whole queue
 * every few seconds, however much happens in it; and of what it finds, only what they have not been told yet.
 */
export class PositionFeed {
  private cancel: (() => void) | undefined;
  private stopped = false;
  /** By socket: session id to what was told last. */
  private readonly told = new WeakMap<ClientSocket, Map<string, string>>();

  constructor(private readonly ports: PositionFeedPorts) {}

  start(): void {
    this.cancel = this.ports.clock.setTimeout(() => void this.turn(), EVERY_MS);
  }

  stop(): void {
    this.stopped = true;
    this.cancel?.();
  }

  private async turn(): Promise<void> {
    try {
      await this.look();
    } catch (error) {
      this.ports.failed(error);
    }
    if (!this.stopped) this.start();
  }

  private async look(): Promise<void> {
    const { queue, connections, flows } = this.ports;
    if (connections.size === 0) {
      queue.release();
      return;
    }
    const view = await queue.keep();
    const isHere = ({ customerId }: SessionView): boolean => connections.ofUser(customerId).length > 0;
    const topics = view.topics().filter((topic) => view.sessions(topic).some(isHere));
    if (topics.length === 0) return;
    const known = await flows(topics);
    for (const topic of topics)
      for (const waiter of this.waitersIn(view.sessions(topic))) this.tell(waiter, known[topic] ?? undefined);
  }

  private waitersIn(lane: readonly SessionView[]): Waiter[] {
    return lane.flatMap((session, index) => {
      const sockets = this.ports.connections.ofUser(session.customerId);
      return sockets.length > 0 ? [{ session, position: index + 1, sockets }] : [];
    });
  }

  private tell({ session, position, sockets }: Waiter, flow: Flow | undefined): void {
    const news = { sessionId: session.id, ...positionOf(position, flow) };
    // A session that was given back is told of again.
    const text = `${session.lastSeq} ${JSON.stringify(news)}`;
    const ignorant = sockets.filter((socket) => this.lastOf(socket).get(session.id) !== text);
    if (ignorant.length === 0) return;
    const packet = encodeEvent("queue.position", news);
    for (const socket of ignorant) {
      const last = this.lastOf(socket);
      last.set(session.id, text);
      keepNewest(last, MAX_SESSIONS);
      sendPacket(socket, packet);
    }
  }

  private lastOf(socket: ClientSocket): Map<string, string> {
    let last = this.told.get(socket);
    if (!last) this.told.set(socket, (last = new Map<string, string>()));
    return last;
  }
}
