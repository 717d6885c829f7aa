import type { Audience, EventData, EventType, StoredEvent } from "../../../actors/conversation/conversation.events";
import type { Clock } from "../../../lib/actor/ports";
import type { FlushPage, Membership, RoomLimits, RoomPorts } from "../../../services/io/rooms/ports";
import { RoomTable } from "../../../services/io/rooms/room-table";
import type { WireEvent } from "../../../services/schemas";

/** Lets everything that waits for nothing but promises run. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A clock that moves only by `advance`. */
export class ManualClock implements Clock {
  private time = 1_000_000;
  private timers: Array<{ at: number; callback: () => void }> = [];

  now(): number {
    return this.time;
  }

  setTimeout(callback: () => void, ms: number): () => void {
    const timer = { at: this.time + ms, callback };
    this.timers.push(timer);
    return () => void (this.timers = this.timers.filter((other) => other !== timer));
  }

  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    await settle();
    for (;;) {
      const next = this.timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.timers = this.timers.filter((timer) => timer !== next);
      this.time = next.at;
      next.callback();
      await settle();
    }
    this.time = end;
  }
}

/** The durable log of some conversations. */
export class TestLog {
  readonly events: StoredEvent[] = [];

  append<T extends EventType>(
    type: T,
    data: EventData[T],
    { conversationId = "c", audience = "all" as Audience, flush = 1, incarnation = "core" } = {},
  ): StoredEvent {
    const before = this.of(conversationId);
    const event: StoredEvent<T> = {
      _id: `${conversationId}-${before.length + 1}`,
      conversationId,
      seq: before.length + 1,
      prevSeq: {
        all: before.filter((other) => other.audience === "all").at(-1)?.seq ?? 0,
        staff: before.at(-1)?.seq ?? 0,
      },
      type,
      at: 0,
      by: "somebody",
      commandId: `${conversationId}-${before.length + 1}`,
      audience,
      data,
      request: "",
      incarnation,
      flush,
    };
    this.events.push(event as StoredEvent);
    return event as StoredEvent;
  }

  /** `count` plain messages. */
  messages(count: number, options: { conversationId?: string; flush?: number } = {}): StoredEvent[] {
    return Array.from({ length: count }, () => this.append("message.created", { text: "hello" }, options));
  }

  of(conversationId: string): StoredEvent[] {
    return this.events.filter((event) => event.conversationId === conversationId);
  }
}

/** A room table over a test log, with what every socket received as `seq`s in order. */
export class Bench implements RoomPorts {
  readonly clock = new ManualClock();
  readonly monotonic = (): number => this.clock.now();
  readonly log = new TestLog();
  readonly members = new Map<string, Membership[]>();
  readonly received = new Map<string, WireEvent[]>();
  readonly frames: string[] = [];
  readonly rooms = new Map<string, Map<string, Audience>>();
  readonly held = new Set<string>();
  readonly reads = { events: 0, flushes: [] as string[], memberships: 0 };
  /** Flushes that one read answers. */
  flushesAtOnce = 1_000_000;
  /** Number of reads that will fail. */
  failures = 0;
  /** Awaited by every read before it answers. */
  gate: Promise<void> = Promise.resolve();
  readonly table: RoomTable;

  constructor(limits: Partial<RoomLimits> = {}) {
    this.table = new RoomTable(this, limits);
  }

  /** Connects a socket of the user and lets it join what the projections show. */
  async connect(userId: string, socketId = userId): Promise<void> {
    this.table.addSocket({ id: socketId, userId });
    const joined = this.table.joinAll(socketId);
    await this.clock.advance(0);
    await joined;
  }

  member(userId: string, through: number, standing: Audience = "all", conversationId = "c"): void {
    this.members.set(userId, [...(this.members.get(userId) ?? []), { conversationId, standing, through }]);
  }

  /** Broadcasts events as one flush. */
  flush(events: readonly StoredEvent[], flush = 1, incarnation = "core"): void {
    this.table.receiveFlush({ incarnation, flush, part: 0, parts: 1, events });
  }

  seqs(socketId: string, conversationId = "c"): number[] {
    const events = this.received.get(socketId) ?? [];
    return events.filter((event) => event.conversationId === conversationId).map((event) => event.seq);
  }

  async readEvents(conversationId: string, after: number, limit: number): Promise<StoredEvent[]> {
    this.reads.events += 1;
    await this.answer();
    return this.log
      .of(conversationId)
      .filter((event) => event.seq > after)
      .slice(0, limit);
  }

  async readFlushes(incarnation: string, from: number, to: number): Promise<FlushPage> {
    this.reads.flushes.push(`${from}-${to}`);
    await this.answer();
    const through = Math.min(to, from + this.flushesAtOnce - 1);
    const events = this.log.events.filter(
      (event) => event.incarnation === incarnation && event.flush >= from && event.flush <= through,
    );
    return { events, through };
  }

  async memberships(userId: string): Promise<Membership[]> {
    this.reads.memberships += 1;
    const members = this.members.get(userId) ?? [];
    await this.answer();
    return members;
  }

  joined(socketId: string, conversationId: string, audience: Audience): void {
    const room = this.rooms.get(conversationId) ?? new Map<string, Audience>();
    this.rooms.set(conversationId, room.set(socketId, audience));
    this.held.delete(socketId);
  }

  heldBack(socketId: string, conversationId: string): void {
    this.rooms.get(conversationId)?.delete(socketId);
    this.held.add(socketId);
  }

  left(socketId: string, conversationId: string): void {
    this.rooms.get(conversationId)?.delete(socketId);
    this.held.delete(socketId);
  }

  /** Is a socket told what is not stored? */
  isTold(socketId: string, conversationId = "c"): boolean {
    return this.held.has(socketId) || this.rooms.get(conversationId)?.has(socketId) === true;
  }

  emit(conversationId: string, audience: Audience, events: WireEvent[]): void {
    this.frames.push(`${audience}:${events.map((event) => event.seq).join(",")}`);
    for (const [socketId, seesAs] of this.rooms.get(conversationId) ?? []) {
      if (seesAs === audience) this.emitTo(socketId, events);
    }
  }

  emitTo(socketId: string, events: WireEvent[]): void {
    this.received.set(socketId, [...(this.received.get(socketId) ?? []), ...events]);
  }

  private async answer(): Promise<void> {
    const fails = this.failures > 0;
    if (fails) this.failures -= 1;
    await this.gate;
    if (fails) throw new Error("the store is down");
  }
}
