import type { StoredEvent } from "../../actors/conversation/conversation.events";
import type { Clock } from "../../lib/actor/ports";
import { pause } from "../../lib/actor/time";
import { ParleyError } from "../../lib/errors";
import { hasRole, type Principal } from "../auth/principal";
import type { SessionView } from "../conversation-views";
import { STAFF } from "../schemas";
import { type QueueChange, QueueView } from "../session/queue";
import type { ClientSocket } from "./client-socket";
import { encodeEvent, sendPacket } from "./wire";

export interface QueueFeedPorts {
  readonly clock: Clock;
  /** One page of the waiting sessions, as this user sees them. */
  list(user: Principal, cursor: string | undefined): Promise<{ sessions: SessionView[]; cursor?: string | undefined }>;
}

/** Session events kept for views that are loaded later: projections may lag behind what was broadcast. */
const RECENT = 2_000;
/** Waiting sessions that are listed; a queue beyond it is not looked through by hand. */
const MAX_LISTED = 5_000;
/** Pauses between attempts to read the list again. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/** The queue as the subscribers of this node see it; kept only while there are any. */
export class QueueFeed {
  private readonly subscribers = new Set<ClientSocket>();
  private recent: StoredEvent[] = [];
  private view: QueueView | undefined;
  private loading: Promise<QueueView> | undefined;

  constructor(private readonly ports: QueueFeedPorts) {}

  /**
   * Subscribes a socket. Answers the waiting sessions in order and the seq that the changes continue.
   * @throws ParleyError FORBIDDEN when the user lost the right meanwhile
   */
  async subscribe(socket: ClientSocket): Promise<{ seq: number; sessions: SessionView[] }> {
    const view = this.view ?? (await this.load(socket.data.user));
    const welcome = socket.connected && hasRole(socket.data.user, STAFF);
    if (welcome) this.subscribers.add(socket);
    this.dropUnused();
    if (!welcome) throw new ParleyError("FORBIDDEN");
    return { seq: view.seq, sessions: view.sessions() };
  }

  /** The socket is closed, does not want it any more, or may not. */
  unsubscribe(socket: ClientSocket): void {
    if (!this.subscribers.delete(socket)) return;
    this.dropUnused();
  }

  /** Takes events as they are broadcast, in any order; those of other kinds are ignored. */
  received(events: readonly StoredEvent[]): void {
    for (const event of events) {
      if (!event.session) continue;
      this.recent.push(event);
      if (this.view) this.apply(this.view, event);
    }
    if (this.recent.length > 2 * RECENT) this.recent = this.recent.slice(-RECENT);
  }

  /** Events may have been missed for good: the list is read again, and the subscribers are told what it changes. */
  refresh(): void {
    this.recent = [];
    if (this.view) void this.reload(this.view);
  }

  private dropUnused(): void {
    if (this.subscribers.size === 0) this.view = undefined;
  }

  private apply(view: QueueView, event: StoredEvent): void {
    this.tell(view.apply(event));
  }

  private tell(change: QueueChange | undefined): void {
    if (!change) return;
    const packet = encodeEvent("queue", change);
    for (const socket of this.subscribers) sendPacket(socket, packet);
  }

  private load(user: Principal): Promise<QueueView> {
    this.loading ??= this.loadView(user).finally(() => {
      this.loading = undefined;
    });
    return this.loading;
  }

  private async loadView(user: Principal): Promise<QueueView> {
    const view = new QueueView();
    for await (const session of this.waiting(user)) view.put(session);
    for (const event of this.recent) view.apply(event);
    this.view = view;
    return view;
  }

  private async reload(view: QueueView): Promise<void> {
    const left = view.seqs();
    for (let pauseMs = FIRST_PAUSE_MS; this.view === view; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      const [reader] = this.subscribers;
      if (!reader) return;
      try {
        let listed = 0;
        for await (const session of this.waiting(reader.data.user)) {
          listed += 1;
          left.delete(session.id);
          if (this.view === view) this.tell(view.put(session));
        }
        if (listed >= MAX_LISTED) return;
        for (const [id, seq] of left) if (this.view === view) this.tell(view.gone(id, seq));
        return;
      } catch {
        await pause(this.ports.clock, pauseMs);
      }
    }
  }

  private async *waiting(user: Principal): AsyncGenerator<SessionView> {
    let cursor: string | undefined;
    let listed = 0;
    do {
      const page = await this.ports.list(user, cursor);
      yield* page.sessions;
      listed += page.sessions.length;
      cursor = page.cursor;
    } while (cursor !== undefined && listed < MAX_LISTED);
  }
}
