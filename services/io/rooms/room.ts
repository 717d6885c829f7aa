import {
  type Audience,
  type StandingChange,
  standingChanges,
  type StoredEvent,
} from "../../../actors/conversation/conversation.events";
import { CatchUp } from "./catch-up";
import type { LocalSocket, RoomLimits, RoomPorts } from "./ports";
import { pausesOf, type Reader } from "./reader";
import { Viewers } from "./viewers";

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

/**
 * A conversation with sockets on this node. Events are applied strictly in seq order: what is doubled is dropped, a
 * hole is filled from the log first, and whoever loses the right to see is out before the next event is emitted.
 */
export class Room {
  /** The last applied event. */
  seq: number;
  /** Events through this one were never applied here. */
  readonly bornAt: number;
  private readonly viewers: Viewers;
  private readonly joiners = new Map<string, CatchUp>();
  /** Sockets that are here though their users are no members: nobody is told, and nothing of theirs is taken. */
  private readonly watching = new Set<string>();
  private ready: StoredEvent[] = [];
  private readonly ahead = new Map<number, StoredEvent>();
  private filling: Promise<void> | undefined;
  private fillTo = 0;
  private fills = 0;
  private settling = false;
  closed = false;

  constructor(
    readonly conversationId: string,
    seq: number,
    private readonly host: RoomHost,
  ) {
    this.seq = seq;
    this.bornAt = seq;
    this.viewers = new Viewers(conversationId, host.ports);
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
    // A socket that leaves while it is served does not close the room under the next one.
    this.settling = true;
    while (this.ready.length > 0) {
      const events = this.ready;
      this.ready = [];
      this.apply(events);
      this.promote();
    }
    this.settling = false;
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
    this.viewers.enter(socket, audience, since);
    this.host.entered(socket.id, this);
  }

  /**
   * Lets a socket in whose user has this standing at `at`: what lies between that and the room's seq is passed to it
   * alone, with the changes of its standing, before it is live. Passes it again when the socket has been live since
   * later than `at`. Resolves when the socket is live, or will not be.
   * @param through  the room is brought to at least this seq first
   */
  join(socket: LocalSocket, at: number, standing: Audience | "none", through = at): Promise<void> {
    this.watching.delete(socket.id);
    const live = this.viewers.get(socket.id);
    if (live && live.since <= at) return Promise.resolve();
    const underWay = this.joiners.get(socket.id);
    if (underWay && underWay.from <= at) return underWay.done;
    this.viewers.hold(socket.id);
    if (underWay) this.cancel(underWay);
    const { ports, limits } = this.host;
    const joiner = new CatchUp(socket, at, standing, this.seq, limits.queue, (events) =>
      ports.emitTo(socket.id, events),
    );
    this.joiners.set(socket.id, joiner);
    this.host.entered(socket.id, this);
    void this.catchUp(joiner, through);
    return joiner.done;
  }

  /**
   * Lets a socket see what the staff see after `at`, until `unwatch`. One that is in already stays as it is. It ends,
   * too, when its user was a member meanwhile and is no more.
   */
  watch(socket: LocalSocket, at: number): Promise<void> {
    if (this.viewers.get(socket.id)) return Promise.resolve();
    const underWay = this.joiners.get(socket.id);
    if (underWay) return underWay.done;
    const joined = this.join(socket, at, "staff");
    this.watching.add(socket.id);
    return joined;
  }

  /** Ends what `watch` began; a member stays in. */
  unwatch(socketId: string): void {
    if (this.watching.has(socketId)) this.remove(socketId);
  }

  /** The socket is closed. */
  remove(socketId: string): void {
    this.drop(socketId);
    const joiner = this.joiners.get(socketId);
    if (joiner) this.cancel(joiner);
    this.closeIfEmpty();
  }

  /** The seq at which a socket came in, live or catching up; undefined when it is not in the room. */
  sinceOf(socketId: string): number | undefined {
    return this.viewers.get(socketId)?.since ?? this.joiners.get(socketId)?.from;
  }

  /** The audience of a live socket of a member. */
  audienceOf(socketId: string): Audience | undefined {
    return this.watching.has(socketId) ? undefined : this.viewers.get(socketId)?.audience;
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
        this.viewers.emit(events.slice(emitted, index));
        for (const { userId, standing } of changes) if (standing !== "none") this.gain(userId, standing, event.seq - 1);
        emitted = index;
      }
      this.seq = event.seq;
      for (const joiner of this.joiners.values()) joiner.push(event);
      if (changes.some(({ standing }) => standing === "none")) {
        this.viewers.emit(events.slice(emitted, index + 1));
        emitted = index + 1;
        for (const { userId, standing } of changes) if (standing === "none") this.lose(userId);
      }
    });
    this.viewers.emit(events.slice(emitted));
  }

  private gain(userId: string, audience: Audience, since: number): void {
    for (const socket of this.host.socketsOf(userId)) {
      this.watching.delete(socket.id);
      if (this.joiners.has(socket.id)) this.viewers.drop(socket.id);
      else this.enter(socket, audience, since);
    }
  }

  private lose(userId: string): void {
    for (const socket of this.host.socketsOf(userId)) this.drop(socket.id);
  }

  private drop(socketId: string): void {
    this.watching.delete(socketId);
    if (this.viewers.drop(socketId)) this.host.gone(socketId, this);
  }

  private async fillFromLog(): Promise<void> {
    const { reader, limits, ports } = this.host;
    const backoff = pausesOf(ports.clock);
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

  private async catchUp(joiner: CatchUp, through: number): Promise<void> {
    const { reader, ports } = this.host;
    const backoff = pausesOf(ports.clock);
    const wanted = () => !joiner.cancelled;
    while (wanted() && this.seq < through) await this.fill(through);
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
    if (standing === "none") {
      this.drop(joiner.socket.id);
      this.host.gone(joiner.socket.id, this);
    } else {
      this.enter(joiner.socket, standing, joiner.from);
    }
    this.closeIfEmpty();
  }

  private cancel(joiner: CatchUp): void {
    joiner.cancelled = true;
    joiner.finish();
    this.joiners.delete(joiner.socket.id);
    this.watching.delete(joiner.socket.id);
    this.host.gone(joiner.socket.id, this);
  }

  private closeIfEmpty(): void {
    if (this.closed || this.settling || this.filling || this.viewers.size > 0 || this.joiners.size > 0) return;
    this.closed = true;
    this.host.empty(this);
  }
}
