import { performance } from "node:perf_hooks";
import { Samples } from "./stats";
import type { Wire, WireHandlers } from "./wire";

/** A conversation under load: who is in it, by index into the connections. */
export interface RoomPlan {
  readonly conversationId: string;
  readonly members: readonly number[];
  /** Messages per second that this room gets whatever the rate of the step; the others share the step's rate. */
  readonly fixedRate?: number;
}

interface SeenEvent {
  /** The message's number in this run; -1 when it is not of this run. */
  readonly index: number;
  readonly seq: number;
  readonly prevSeq: number | undefined;
}

/** The latest frames of a room and what was parsed from them: every member gets the same bytes. */
interface Frames {
  readonly known: Array<{ bytes: Buffer; events: SeenEvent[] }>;
  turn: number;
}

/** What one step has seen so far. Latencies in milliseconds. */
class Tally {
  acked = 0;
  refused = 0;
  /** Deliveries that the messages must make; a refused one makes none. */
  owed = 0;
  delivered = 0;
  disorder = 0;
  readonly ack = new Samples();
  readonly delivery = new Samples();
  readonly quiet = new Samples();
}

const REMEMBERED_FRAMES = 4;
const EVENTS = Buffer.from('["events",');

/** Books every message, acknowledgement and delivery of a load, and tells what is still owed. */
export class Ledger implements WireHandlers {
  readonly tag = `${process.pid.toString(36)}${Date.now().toString(36)}`;
  tally = new Tally();
  /** The first answer that was no success, as it came. */
  failure: string | undefined;
  private readonly roomOf: RoomPlan[] = [];
  private readonly frames = new Map<RoomPlan, Frames>();
  private readonly lastSeq: number[] = [];
  private readonly fixed = new Set<number>();
  private due = new Float64Array(1 << 16);
  private count = 0;
  private stepFrom = 0;
  private measuredFrom = 0;

  private readonly ok: Buffer;

  /** @param ok how the arguments of an acknowledgement begin that tells of success */
  constructor(rooms: readonly RoomPlan[], ok: string) {
    this.ok = Buffer.from(ok);
    for (const room of rooms) {
      this.frames.set(room, { known: [], turn: 0 });
      for (const member of room.members) this.roomOf[member] = room;
    }
  }

  /** Begins a step; latencies are kept of messages due from `measuredFrom` on. What is late from before is ignored. */
  begin(measuredFrom: number): void {
    this.tally = new Tally();
    this.stepFrom = this.count;
    this.measuredFrom = measuredFrom;
  }

  /** Books a message and answers its number. */
  book(room: RoomPlan, due: number): number {
    const index = this.count++;
    if (index === this.due.length) {
      const larger = new Float64Array(index * 2);
      larger.set(this.due);
      this.due = larger;
    }
    this.due[index] = due;
    this.tally.owed += room.members.length;
    if (room.fixedRate !== undefined) this.fixed.add(index);
    return index;
  }

  get sent(): number {
    return this.count - this.stepFrom;
  }

  get unanswered(): number {
    return this.sent - this.tally.acked - this.tally.refused;
  }

  /** Answers and deliveries still owed. */
  get missing(): number {
    return this.unanswered + this.tally.owed - this.tally.delivered;
  }

  onAck(wire: Wire, id: number, buffer: Buffer, from: number, to: number): void {
    if (id < this.stepFrom) return;
    const { tally } = this;
    if (buffer.compare(this.ok, 0, this.ok.length, from, from + this.ok.length) !== 0) {
      tally.refused++;
      tally.owed -= this.roomOf[wire.index]?.members.length ?? 0;
      this.failure ??= buffer.toString("utf8", from, to);
      return;
    }
    tally.acked++;
    const due = this.due[id] ?? 0;
    if (due < this.measuredFrom) return;
    (this.fixed.has(id) ? tally.quiet : tally.ack).add(performance.now() - due);
  }

  onEvent(wire: Wire, buffer: Buffer, from: number, to: number): void {
    if (buffer.compare(EVENTS, 0, EVENTS.length, from, from + EVENTS.length) !== 0) return;
    const room = this.roomOf[wire.index];
    if (!room) return;
    const { tally } = this;
    const now = performance.now();
    for (const event of this.parse(room, buffer, from, to)) {
      const last = this.lastSeq[wire.index];
      // A server that numbers nothing promises no order.
      if (event.prevSeq !== undefined && last !== undefined && event.prevSeq !== last) tally.disorder++;
      this.lastSeq[wire.index] = event.seq;
      if (event.index < this.stepFrom) continue;
      tally.delivered++;
      const due = this.due[event.index] ?? 0;
      if (due >= this.measuredFrom) tally.delivery.add(now - due);
    }
  }

  onLost(wire: Wire, reason: string): void {
    this.failure ??= `connection ${wire.index}: ${reason}`;
  }

  private parse(room: RoomPlan, buffer: Buffer, from: number, to: number): SeenEvent[] {
    const frames = this.frames.get(room);
    const length = to - from;
    for (const { bytes, events } of frames?.known ?? [])
      if (bytes.length === length && buffer.compare(bytes, 0, length, from, to) === 0) return events;
    const bytes = Buffer.from(buffer.subarray(from, to));
    const events = this.read(bytes, room.conversationId);
    if (frames) frames.known[frames.turn++ % REMEMBERED_FRAMES] = { bytes, events };
    return events;
  }

  private read(bytes: Buffer, conversationId: string): SeenEvent[] {
    type Wired = { conversationId: string; seq: number; prevSeq?: number; commandId: string };
    const [, events] = JSON.parse(bytes.toString("utf8")) as [string, Wired[]];
    return events
      .filter((event) => event.conversationId === conversationId)
      .map(({ seq, prevSeq, commandId }) => {
        const [tag, index] = commandId.split("-");
        return { seq, prevSeq, index: tag === this.tag ? Number(index) : -1 };
      });
  }
}
