import type { StoredEvent } from "../../actors/conversation/conversation.events";
import type { Clock } from "../../lib/actor/ports";
import { pause } from "../../lib/actor/time";
import { ParleyError } from "../../lib/errors";
import { hasRole } from "../auth/principal";
import type { SessionView } from "../conversation-views";
import { STAFF } from "../schemas";
import { type QueueDelta, QueueView } from "../session/queue";
import type { ClientSocket } from "./client-socket";
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

/** Session events kept for views that are loaded later: projections may lag behind what was broadcast. */
const RECENT = 2_000;
/** Waiting sessions that are listed; a queue beyond it is told in part. */
const MAX_LISTED = 50_000;
/** Topics of one socket. */
const MAX_TOPICS = 100;
/** Pauses between attempts to read the list again. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/** The queue as the subscribers of this node see it; kept only while there are any, or somebody else wants it. */
export class QueueFeed {
  /** By topic; undefined is the whole queue. Each has subscribers. */
  private readonly channels = new Map<string | undefined, QueueChannel>();
  private recent: StoredEvent[] = [];
  private current: QueueView | undefined;
  private loading: Promise<QueueView> | undefined;
  private kept = false;

  constructor(private readonly ports: QueueFeedPorts) {}

  /**
   * Subscribes a socket to the queue of a topic, or to the whole one.
   * @throws ParleyError FORBIDDEN when the user lost the right meanwhile, LIMIT_REACHED
   */
  async subscribe(socket: ClientSocket, topic?: string): Promise<QueueSnapshot> {
    const view = this.current ?? (await this.load());
    const refusal = this.refusal(socket, topic);
    if (refusal) {
      this.dropUnused();
      throw refusal;
    }
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
    return this.current ?? this.load();
  }

  /** Ends `keep`. */
  release(): void {
    this.kept = false;
    this.dropUnused();
  }

  /** Takes events as they are broadcast, in any order; those of other kinds are ignored. One frame tells of them all. */
  received(events: readonly StoredEvent[]): void {
    const ofSessions = events.filter(({ session }) => session !== undefined);
    if (ofSessions.length === 0) return;
    this.recent.push(...ofSessions);
    if (this.recent.length > 2 * RECENT) this.recent = this.recent.slice(-RECENT);
    const { current: view } = this;
    if (view) this.tell(ofSessions.map((event) => view.apply(event)));
  }

  /** Events may have been missed for good: the list is read again, and the subscribers are told what it changes. */
  refresh(): void {
    this.recent = [];
    if (this.current) void this.reload(this.current);
  }

  private refusal(socket: ClientSocket, topic: string | undefined): ParleyError | undefined {
    if (!socket.connected || !hasRole(socket.data.user, STAFF)) return new ParleyError("FORBIDDEN");
    if (topic === undefined || this.channels.get(topic)?.subscribers.has(socket)) return undefined;
    const topics = [...this.channels.values()].filter(({ subscribers }) => subscribers.has(socket)).length;
    return topics < MAX_TOPICS ? undefined : new ParleyError("LIMIT_REACHED", { limit: MAX_TOPICS });
  }

  private dropUnused(): void {
    if (this.channels.size === 0 && !this.kept) this.current = undefined;
  }

  private tell(changes: ReadonlyArray<QueueDelta | undefined>): void {
    const deltas = changes.filter((delta) => delta !== undefined);
    if (deltas.length === 0) return;
    for (const channel of this.channels.values()) channel.tell(deltas);
  }

  private load(): Promise<QueueView> {
    this.loading ??= this.loadView().finally(() => {
      this.loading = undefined;
    });
    return this.loading;
  }

  private async loadView(): Promise<QueueView> {
    const view = new QueueView();
    for await (const sessions of this.pages()) for (const session of sessions) view.put(session);
    for (const event of this.recent) view.apply(event);
    this.current = view;
    return view;
  }

  private async reload(view: QueueView): Promise<void> {
    const isCurrent = (): boolean => this.current === view;
    const left = view.seqs();
    for (let pauseMs = FIRST_PAUSE_MS; isCurrent(); pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      let listed = 0;
      try {
        for await (const sessions of this.pages()) {
          listed += sessions.length;
          for (const { id } of sessions) left.delete(id);
          if (isCurrent()) this.tell(sessions.map((session) => view.put(session)));
        }
      } catch {
        await pause(this.ports.clock, pauseMs);
        continue;
      }
      if (isCurrent() && listed < MAX_LISTED) this.tell([...left].map(([id, seq]) => view.gone(id, seq)));
      return;
    }
  }

  private async *pages(): AsyncGenerator<SessionView[]> {
    let cursor: string | undefined;
    let listed = 0;
    do {
      const page = await this.ports.list(cursor);
      yield page.sessions;
      listed += page.sessions.length;
      cursor = page.cursor;
    } while (cursor !== undefined && listed < MAX_LISTED);
  }
}
