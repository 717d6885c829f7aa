import {
  type Audience,
  maySee,
  type StandingChange,
  standingChanges,
  type StoredEvent,
  toWire,
} from "../../../actors/conversation/conversation.events";
import { CatchUp } from "./catch-up";
import type { LocalSocket, RoomLimits, RoomPorts } from "./ports";
import { Backoff, type Reader } from "./reader";

/** What a room needs of the table it is in. */
export interface RoomHost {
  readonly ports: RoomPorts;
  readonly reader: Reader;
  readonly limits: RoomLimits;
  /** The sockets of a user on this node, in this room or not. */
  socketsOf(userId: string): Iterable<LocalSocket>;
  /** Called for each event that changes who may see the room, as it is applied. */
  noted(event: StoredEvent, changes: readonly StandingChange[]): void;
  /** The socket came to be in the room, live or catching up, or is no longer. */
  entered(socketId: string, room: Room): void;
  gone(socketId: string, room: Room): void;
  /** Nobody is in the room and nothing is under way. */
  empty(room: Room): void;
}

interface Live {
  readonly socket: LocalSocket;
  readonly audience: Audience;
  /** Everything after this seq was passed to the socket. */
  readonly since: number;
}

/**
 * A conversation with sockets on this node. Events are applied strictly in seq order: what is doubled is dropped, a
 * hole is filled from the log first, and whoever loses the right to see is out before the next event is emitted.
 */
export class Room {
  /** The last applied event. */
  seq: number;
  /** Events through this one were never applied here. */
  readonly bornAt: number;
  private readonly live = new Map<string, Live>();
  private readonly joiners = new Map<string, CatchUp>();
  private readonly viewers = { all: 0, staff: 0 };
  private ready: StoredEvent[] = [];
  private readonly ahead = new Map<number, StoredEvent>();
  private filling: Promise<void> | undefined;
  private fillTo = 0;
  private fills = 0;
  closed = false;

  constructor(
    readonly conversationId: string,
    seq: number,
    private readonly host: RoomHost,
  ) {
    this.seq = seq;
    this.bornAt = seq;
  }

  /** Takes an event in; `settle` applies what is in order. */
  offer(event: StoredEvent): void {
    const next = this.seq + this.ready.length + 1;
    if (event.seq === next) {
      this.ready.push(event);
      this.ahead.delete(event.seq);
    } else if (event.seq > next) {
      if (this.ahead.size >= this.host.limits.queue) this.ahead.clear();
      this.ahead.set(event.seq, event);
      this.fillTo = Math.max(this.fillTo, event.seq);
    }
  }

  /** Applies and emits what is in order, one frame per audience; fills the hole before what is not. */
  settle(): void {
    while (this.ready.length > 0) {
      const events = this.ready;
      this.ready = [];
      this.apply(events);
      this.promote();
    }
    if (this.seq < this.fillTo && !this.filling) void this.fill(this.fillTo);
    this.closeIfEmpty();
  }

  /**
   * Brings the room to the head that its log has now, and at least to `seq`. Resolves then, or when the room is closed.
   */
  fill(seq: number): Promise<void> {
    this.fillTo = Math.max(this.fillTo, seq);
    this.fills += 1;
    this.filling ??= this.fillFromLog();
    return this.filling;
  }

  /** Makes a socket live at the room's seq. For a room that was just opened at the seq of that standing. */
  enter(socket: LocalSocket, audience: Audience, since: number): void {
    const before = this.live.get(socket.id);
    if (before?.audience === audience) return;
    if (before) this.drop(before);
    this.live.set(socket.id, { socket, audience, since: before?.since ?? since });
    this.viewers[audience] += 1;
    this.host.entered(socket.id, this);
    this.host.ports.joined(socket.id, this.conversationId, audience);
  }

  /**
   * Lets a socket in whose user has this standing at `at`: what lies between that and the room's seq is passed to it
   * alone, with the changes of its standing, before it is live. Passes it again when the socket has been live since
   * later than `at`. Resolves when the socket is live, or will not be.
   */
  join(socket: LocalSocket, at: number, standing: Audience | "none"): Promise<void> {
    const live = this.live.get(socket.id);
    if (live && live.since <= at) return Promise.resolve();
    const underWay = this.joiners.get(socket.id);
    if (underWay && underWay.from <= at) return underWay.done;
    if (live) this.drop(live);
    if (underWay) this.cancel(underWay);
    const { ports, limits } = this.host;
    const joiner = new CatchUp(socket, at, standing, this.seq, limits.queue, (events) =>
      ports.emitTo(socket.id, events),
    );
    this.joiners.set(socket.id, joiner);
    this.host.entered(socket.id, this);
    void this.catchUp(joiner);
    return joiner.done;
  }

  /** The socket is closed. */
  remove(socketId: string): void {
    const live = this.live.get(socketId);
    if (live) this.drop(live);
    const joiner = this.joiners.get(socketId);
    if (joiner) this.cancel(joiner);
    this.closeIfEmpty();
  }

  /** The audience of a live socket. */
  audienceOf(socketId: string): Audience | undefined {
    return this.live.get(socketId)?.audience;
  }

  /** Live or catching up. */
  has(socketId: string): boolean {
    return this.live.has(socketId) || this.joiners.has(socketId);
  }

  *sockets(): IterableIterator<LocalSocket> {
    for (const { socket } of this.live.values()) yield socket;
  }

  close(): void {
    this.closed = true;
    for (const joiner of this.joiners.values()) this.cancel(joiner);
  }

  private promote(): void {
    let next = this.ahead.get(this.seq + 1);
    while (next) {
      this.ahead.delete(next.seq);
      this.ready.push(next);
      next = this.ahead.get(next.seq + 1);
    }
  }

  private apply(events: readonly StoredEvent[]): void {
    let emitted = 0;
    events.forEach((event, index) => {
      const changes = standingChanges(event);
      if (changes.length > 0) {
        this.host.noted(event, changes);
        this.emit(events.slice(emitted, index));
        for (const { userId, standing } of changes) if (standing !== "none") this.gain(userId, standing, event.seq - 1);
        emitted = index;
      }
      this.seq = event.seq;
      for (const joiner of this.joiners.values()) joiner.push(event);
      if (changes.some(({ standing }) => standing === "none")) {
        this.emit(events.slice(emitted, index + 1));
        emitted = index + 1;
        for (const { userId, standing } of changes) if (standing === "none") this.lose(userId);
      }
    });
    this.emit(events.slice(emitted));
  }

  private gain(userId: string, audience: Audience, since: number): void {
    for (const socket of this.host.socketsOf(userId)) {
      if (!this.joiners.has(socket.id)) this.enter(socket, audience, since);
    }
  }

  private lose(userId: string): void {
    for (const socket of this.host.socketsOf(userId)) {
      const live = this.live.get(socket.id);
      if (live) this.drop(live);
    }
  }

  private drop({ socket, audience }: Live): void {
    this.live.delete(socket.id);
    this.viewers[audience] -= 1;
    this.host.gone(socket.id, this);
    this.host.ports.left(socket.id, this.conversationId);
  }

  private emit(events: readonly StoredEvent[]): void {
    for (const audience of AUDIENCES) {
      if (this.viewers[audience] === 0) continue;
      const visible = events.filter((event) => maySee(event, audience));
      if (visible.length === 0) continue;
      const frame = visible.map((event) => toWire(event, audience));
      this.host.ports.emit(this.conversationId, audience, frame);
    }
  }

  private async fillFromLog(): Promise<void> {
    const { reader, limits, ports } = this.host;
    const backoff = new Backoff(ports.clock);
    let atHead = false;
    while (!this.closed && !(atHead && this.seq >= this.fillTo)) {
      const before = this.seq;
      const asked = this.fills;
      const page = await reader.events(this.conversationId, before, () => !this.closed);
      if (!page || this.closed) break;
      for (const event of page) this.offer(event);
      this.settle();
      const short = page.length < limits.page;
      atHead = short && asked === this.fills;
      // A replica that lags behind what was already broadcast.
      if (short && this.seq < this.fillTo && this.seq === before) await backoff.wait();
    }
    this.filling = undefined;
    this.closeIfEmpty();
  }

  private async catchUp(joiner: CatchUp): Promise<void> {
    const { reader, ports } = this.host;
    const backoff = new Backoff(ports.clock);
    const wanted = () => !joiner.cancelled;
    while (wanted() && this.seq < joiner.at) await this.fill(joiner.at);
    while (wanted() && !joiner.complete) {
      const page = await reader.events(this.conversationId, joiner.at, wanted);
      if (!page || !wanted()) break;
      if (joiner.take(page) === 0) await backoff.wait();
    }
    if (wanted()) this.finish(joiner);
    joiner.finish();
  }

  private finish(joiner: CatchUp): void {
    const standing = joiner.drain();
    this.joiners.delete(joiner.socket.id);
    if (standing === "none") this.host.gone(joiner.socket.id, this);
    else this.enter(joiner.socket, standing, joiner.from);
    this.closeIfEmpty();
  }

  private cancel(joiner: CatchUp): void {
    joiner.cancelled = true;
    joiner.finish();
    this.joiners.delete(joiner.socket.id);
    this.host.gone(joiner.socket.id, this);
  }

  private closeIfEmpty(): void {
    if (this.closed || this.filling || this.live.size > 0 || this.joiners.size > 0) return;
    this.closed = true;
    this.host.empty(this);
  }
}

const AUDIENCES: readonly Audience[] = ["all", "staff"];
