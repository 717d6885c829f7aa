import type { StoredEvent } from "../../actors/conversation/conversation.events";
import type { Clock } from "../../lib/actor/ports";
import { ParleyError } from "../../lib/errors";
import type { Staffing } from "../agents/agents.internal";
import { hasRole } from "../auth/principal";
import { type CountedSession, type CountsOfTopic, DeskCounters } from "../supervision/desk-counters";
import { SUPERVISORS } from "../supervision/supervision.contract";
import type { ClientSocket } from "./client-socket";
import { LiveView } from "./live-view";
import { encodeEvent, sendPacket } from "./wire";

export interface CounterPorts {
  readonly clock: Clock;
  /** All open sessions, a page after the other. */
  sessions(): AsyncIterable<readonly CountedSession[]>;
  /** The agents who are online: in all, and for each of these topics. */
  staffing(topics: readonly string[]): Promise<Staffing>;
  failed(error: unknown): void;
}

/** What a subscriber starts from. */
export interface CounterSnapshot {
  readonly seq: number;
  readonly at: string;
  readonly agents?: number;
  readonly topics: readonly CountsOfTopic[];
}

/** Changes are gathered for so long. */
const GATHER_MS = 1_000;
/** Agents come and go without an event that io nodes hear of: they are counted so often. */
const STAFFING_MS = 10_000;

/** How the desk stands, as the supervisors on this node see it; counted only while there are any. */
export class CounterFeed {
  private readonly subscribers = new Set<ClientSocket>();
  private readonly live: LiveView<CountedSession, void, DeskCounters>;
  private staffing: Staffing | undefined;
  private cancelTell: (() => void) | undefined;
  private cancelStaffing: (() => void) | undefined;
  private seq = 0;

  constructor(private readonly ports: CounterPorts) {
    this.live = new LiveView<CountedSession, void, DeskCounters>({
      clock: ports.clock,
      make: () => new DeskCounters(),
      pages: () => ports.sessions(),
      loaded: (view) => {
        view.takeChanges();
        return this.countStaff(view);
      },
      changed: () => this.tellLater(),
    });
  }

  /** @throws ParleyError FORBIDDEN when the user lost the right meanwhile */
  async subscribe(socket: ClientSocket): Promise<CounterSnapshot> {
    const loaded = this.live.current ?? (await this.live.load());
    if (!socket.connected || !hasRole(socket.data.user, SUPERVISORS)) {
      this.dropUnused();
      throw new ParleyError("FORBIDDEN");
    }
    const view = this.live.restore(loaded);
    // What is waiting to be told is in the answer, too; the others are told it now, so that all share the numbering.
    this.tell();
    this.subscribers.add(socket);
    const { seq, staffing } = this;
    return { seq, at: this.now(), ...agentsOf(staffing), topics: view.all().map((counts) => this.staffed(counts)) };
  }

  /** The socket is closed, does not want it any more, or may not. */
  unsubscribe(socket: ClientSocket): void {
    if (this.subscribers.delete(socket)) this.dropUnused();
  }

  /** Takes events as they are broadcast, in any order; those of other kinds are ignored. */
  received(events: readonly StoredEvent[]): void {
    this.live.received(events);
  }

  /** Events may have been missed for good: the sessions are read again. */
  refresh(): void {
    this.live.refresh();
  }

  stop(): void {
    this.subscribers.clear();
    this.dropUnused();
  }

  private dropUnused(): void {
    if (this.subscribers.size > 0) return;
    this.live.drop();
    this.staffing = undefined;
    this.cancelTell?.();
    this.cancelTell = undefined;
    this.cancelStaffing?.();
    this.cancelStaffing = undefined;
  }

  private tellLater(): void {
    this.cancelTell ??= this.ports.clock.setTimeout(() => this.tell(), GATHER_MS);
  }

  private tell(): void {
    this.cancelTell?.();
    this.cancelTell = undefined;
    const topics = this.live.current?.takeChanges() ?? [];
    if (topics.length > 0) this.send(topics.map((counts) => this.staffed(counts)));
  }

  private send(topics: readonly CountsOfTopic[]): void {
    const prevSeq = this.seq++;
    const change = { seq: this.seq, prevSeq, at: this.now(), ...agentsOf(this.staffing), topics };
    const packet = encodeEvent("counters", change);
    for (const socket of this.subscribers) sendPacket(socket, packet);
  }

  /** Counts the agents now, and again while there are subscribers; tells what that changes. Never rejects. */
  private async countStaff(view: DeskCounters): Promise<void> {
    const before = this.staffing;
    try {
      const staffing = await this.ports.staffing(view.all().map(({ topic }) => topic));
      if (this.live.current !== view) return;
      this.staffing = staffing;
      const changed = view.all().filter(({ topic }) => before?.topics[topic] !== staffing.topics[topic]);
      if (changed.length > 0 || before?.online !== staffing.online)
        this.send(changed.map((counts) => this.staffed(counts)));
    } catch (error) {
      this.ports.failed(error);
    }
    if (this.live.current === view)
      this.cancelStaffing = this.ports.clock.setTimeout(() => void this.countStaff(view), STAFFING_MS);
  }

  private staffed(counts: CountsOfTopic): CountsOfTopic {
    const agents = this.staffing?.topics[counts.topic];
    return agents === undefined ? counts : { ...counts, agents };
  }

  private now(): string {
    return new Date(this.ports.clock.now()).toISOString();
  }
}

const agentsOf = (staffing: Staffing | undefined) => (staffing ? { agents: staffing.online } : {});
