import type { StoredEvent } from "../../actors/conversation/conversation.events";
import type { Clock } from "../../lib/actor/ports";
import { ParleyError } from "../../lib/errors";
import { hasRole } from "../auth/principal";
import type { SessionView } from "../conversation-views";
import { STAFF } from "../schemas";
import { type QueueDelta, QueueView } from "../session/queue";
import type { ClientSocket } from "./client-socket";
import { LiveView, pagesOf } from "./live-view";
import { QueueChannel } from "./queue-channel";

export interface QueueFeedPorts {
  readonly clock: Clock;
  /** One page of the waiting sessions, as staff see them. */
  list(cursor: string | undefined): Promise<{ sessions: SessionView[]; cursor?: string | undefined }>;
  /** A name that no other epoch has. */
  newEpoch(): string;
}

/** What a subscriber starts from: the waiting sessions in order, and the seq that the changes continue. */
export interface QueueSnapshot {
  seq: number;
  epoch?: string;
  sessions: SessionView[];
}

/** Waiting sessions that are listed; a queue beyond it is told in part. */
const MAX_LISTED = 50_000;
/** Topics of one socket. */
const MAX_TOPICS = 100;

/** The queue as the subscribers of this node see it; kept only while there are any, or somebody else wants it. */
export class QueueFeed {
  /** By topic; undefined is the whole queue. Each has subscribers. */
  private readonly channels = new Map<string | undefined, QueueChannel>();
  private readonly live: LiveView<SessionView, QueueDelta | undefined, QueueView>;
  private kept = false;

  constructor(private readonly ports: QueueFeedPorts) {
    this.live = new LiveView<SessionView, QueueDelta | undefined, QueueView>({
      clock: ports.clock,
      make: () => new QueueView(),
      pages: () => pagesOf((cursor) => ports.list(cursor)),
      mostListed: MAX_LISTED,
      changed: (changes) => this.tell(changes),
    });
  }

  /**
   * Subscribes a socket to the queue of a topic, or to the whole one.
   * @throws ParleyError FORBIDDEN when the user lost the right meanwhile, LIMIT_REACHED
   */
  async subscribe(socket: ClientSocket, topic?: string): Promise<QueueSnapshot> {
    const loaded = this.live.current ?? (await this.live.load());
    const refusal = this.refusal(socket, topic);
    if (refusal) {
      this.dropUnused();
      throw refusal;
    }
    const view = this.live.restore(loaded);
    let channel = this.channels.get(topic);
    if (!channel) this.channels.set(topic, (channel = new QueueChannel(topic, this.ports.newEpoch())));
    channel.subscribers.add(socket);
    const { seq, epoch } = channel;
    return { seq, ...(topic !== undefined && { epoch }), sessions: [...view.sessions(topic)] };
  }

  /** The socket does not want this topic any more; without a topic it is closed, wants nothing, or may not. */
  unsubscribe(socket: ClientSocket, topic?: string): void {
    for (const channel of [...this.channels.values()]) {
      if (topic !== undefined && channel.topic !== topic) continue;
      channel.subscribers.delete(socket);
      if (channel.subscribers.size === 0) this.channels.delete(channel.topic);
    }
    this.dropUnused();
  }

  /** The queue, kept from now on whether or not there are subscribers. Rejects when it cannot be read. */
  async keep(): Promise<QueueView> {
    this.kept = true;
    return this.live.current ?? this.live.load();
  }

  /** Ends `keep`. */
  release(): void {
    this.kept = false;
    this.dropUnused();
  }

  /** Takes events as they are broadcast, in any order; those of other kinds are ignored. One frame tells of them all. */
  received(events: readonly StoredEvent[]): void {
    this.live.received(events);
  }

  /** Events may have been missed for good: the list is read again, and the subscribers are told what it changes. */
  refresh(): void {
    this.live.refresh();
  }

  private refusal(socket: ClientSocket, topic: string | undefined): ParleyError | undefined {
    if (!socket.connected || !hasRole(socket.data.user, STAFF)) return new ParleyError("FORBIDDEN");
    if (topic === undefined || this.channels.get(topic)?.subscribers.has(socket)) return undefined;
    const topics = [...this.channels.values()].filter(({ subscribers }) => subscribers.has(socket)).length;
    return topics < MAX_TOPICS ? undefined : new ParleyError("LIMIT_REACHED", { limit: MAX_TOPICS });
  }

  private dropUnused(): void {
    if (this.channels.size === 0 && !this.kept) this.live.drop();
  }

  private tell(changes: ReadonlyArray<QueueDelta | undefined>): void {
    const deltas = changes.filter((delta) => delta !== undefined);
    if (deltas.length === 0) return;
    for (const channel of this.channels.values()) channel.tell(deltas);
  }
}
