import type { StoredEvent } from "../../actors/conversation/conversation.events";
import type { EventPage, PageRead } from "../../actors/conversation/conversation.store";
import type { Clock, Monotonic } from "../../lib/actor/ports";
import type { Cores } from "./cores";
import type { FlushPage, RoomDelivery, RoomPorts } from "./rooms/ports";

/** What becomes of events that no broadcast brought; see `RoomPorts`. */
type Missing = Required<Pick<RoomPorts, "found" | "missed">>;

/** What the room table takes from outside: the log and the projections by core nodes, delivery by the sockets. */
export function roomPorts(
  cores: Cores,
  { clock, monotonic }: { readonly clock: Clock; readonly monotonic: Monotonic },
  delivery: RoomDelivery,
  missing: Missing,
): RoomPorts {
  const pages = new PageReader(cores);
  return {
    clock,
    monotonic,
    ...missing,
    readEvents: (conversationId, after, limit) => pages.read(conversationId, after, limit),
    readFlushes: (incarnation, from, to) => readFlushes(cores, incarnation, from, to),
    memberships: async (userId) => (await cores.read("room.memberships", { userId, complete: true })).memberships,
    joined: (socketId, conversationId, audience) => delivery.joined(socketId, conversationId, audience),
    heldBack: (socketId, conversationId, audience) => delivery.heldBack(socketId, conversationId, audience),
    left: (socketId, conversationId) => delivery.left(socketId, conversationId),
    emit: (conversationId, audience, events) => delivery.emit(conversationId, audience, events),
    emitTo: (socketId, events) => delivery.emitTo(socketId, events),
  };
}

async function readFlushes(cores: Cores, incarnation: string, from: number, to: number): Promise<FlushPage> {
  const events: StoredEvent[] = [];
  let through = to;
  for (let part = 0; ; part++) {
    const answer = await cores.read("room.flushes", { incarnation, from, to, part }, incarnation);
    events.push(...answer.events);
    through = Math.min(through, answer.through);
    if (part + 1 >= answer.parts) return { events, through };
  }
}

interface Waiting {
  readonly read: PageRead;
  readonly answer: (page: EventPage) => void;
  readonly fail: (error: unknown) => void;
}

/** Reads of the log by conversation: those of one tick, as when sockets connect, are one call. */
class PageReader {
  private waiting: Waiting[] = [];

  constructor(private readonly cores: Cores) {}

  /** Events after `after`, ascending, at most `limit`; fewer only at the head of the log. */
  async read(conversationId: string, after: number, limit: number): Promise<StoredEvent[]> {
    const events: StoredEvent[] = [];
    for (;;) {
      const last = events.at(-1)?.seq ?? after;
      const page = await this.page({ conversationId, after: last, limit: limit - events.length });
      events.push(...page.events);
      if (!page.more || events.length >= limit) return events;
    }
  }

  private page(read: PageRead): Promise<EventPage> {
    return new Promise((answer, fail) => {
      if (this.waiting.length === 0) setImmediate(() => this.flush());
      this.waiting.push({ read, answer, fail });
    });
  }

  private flush(): void {
    const { waiting } = this;
    this.waiting = [];
    for (let at = 0; at < waiting.length; at += MAX_READS) void this.ask(waiting.slice(at, at + MAX_READS));
  }

  private async ask(waiting: readonly Waiting[]): Promise<void> {
    try {
      const { pages } = await this.cores.read("room.events", { reads: waiting.map(({ read }) => read) });
      waiting.forEach(({ answer }, at) => answer(pages[at] ?? NOTHING_YET));
    } catch (error) {
      for (const { fail } of waiting) fail(error);
    }
  }
}

/** Conversations in one call. */
const MAX_READS = 100;
const NOTHING_YET: EventPage = { events: [], more: true };
