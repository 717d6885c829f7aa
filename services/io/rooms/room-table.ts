import {
  type Audience,
  type StandingChange,
  standingChanges,
  type StoredEvent,
} from "../../../actors/conversation/conversation.events";
import type { BrokerEvents } from "../../events";
import { FlushTracker } from "./flush-tracker";
import { type Connection, LocalSockets } from "./local-sockets";
import { type LocalSocket, type Membership, ROOM_LIMITS, type RoomLimits, type RoomPorts } from "./ports";
import { Reader } from "./reader";
import { Resync } from "./resync";
import { Room, type RoomHost } from "./room";
import { StandingMemory } from "./standing-memory";

/** Pauses before the memberships of a socket are read again while the projections may lag more than the memory knows. */
const RECHECK_AFTER_MS = [1_000, 5_000, 30_000];
const RECHECKED_ONCE = 1;

/**
 * The rooms of one io node: which sockets see which conversations, and every event to each of them once, in order,
 * for as long as the log says that their user may see it.
 *
 * Order of use: `coreHeard` for every core node, then per socket `addSocket`, `joinAll`, after every answered
 * `conversation.sync` `afterSync`, and `removeSocket`; broker events go to `receiveFlush`, `receiveBeat`, `receiveFound`.
 * Promises of this class never reject.
 */
export class RoomTable {
  private readonly rooms = new Map<string, Room>();
  private readonly sockets = new LocalSockets();
  private readonly memory: StandingMemory;
  private readonly tracker: FlushTracker;
  private readonly reader: Reader;
  private readonly host: RoomHost;
  private readonly limits: RoomLimits;
  private readonly resyncing: Resync;
  private readonly startedAt: number;
  private stopped = false;

  constructor(
    private readonly ports: RoomPorts,
    limits: Partial<RoomLimits> = {},
  ) {
    this.limits = { ...ROOM_LIMITS, ...limits };
    this.startedAt = ports.clock.now();
    this.memory = new StandingMemory(ports.clock, this.limits);
    this.reader = new Reader(ports, this.limits);
    this.tracker = new FlushTracker({
      clock: ports.clock,
      monotonic: ports.monotonic,
      reader: this.reader,
      limits: this.limits,
      found: (events) => {
        this.receive(events);
        ports.found?.(events);
      },
      syncRooms: () => this.resync(),
    });
    this.resyncing = new Resync({
      clock: ports.clock,
      rooms: () => this.rooms.values(),
      connections: () => this.sockets.all(),
      rejoin: async (connection) => {
        await this.joinKnown(connection, false);
        this.recheck(connection, RECHECKED_ONCE);
      },
    });
    this.host = {
      ports,
      reader: this.reader,
      limits: this.limits,
      socketsOf: (userId) => this.sockets.ofUser(userId),
      noted: (event, changes) => this.note(event, changes),
      entered: (socketId, room) => this.sockets.get(socketId)?.rooms.set(room.conversationId, room),
      gone: (socketId, room) => this.sockets.get(socketId)?.rooms.delete(room.conversationId),
      empty: (room) => this.rooms.delete(room.conversationId),
    };
  }

  /** Makes a socket known. From now on its user's new conversations join it by themselves. */
  addSocket(socket: LocalSocket): void {
    this.sockets.add(socket);
  }

  removeSocket(socketId: string): void {
    const connection = this.sockets.remove(socketId);
    if (connection) for (const room of [...connection.rooms.values()]) room.remove(socketId);
  }

  /** Joins the socket to every conversation of its user. Resolves when it is live in all of them, or closed. */
  async joinAll(socketId: string): Promise<void> {
    const connection = this.sockets.get(socketId);
    if (!connection) return;
    await this.joinKnown(connection, true);
    if (this.ports.clock.now() - this.startedAt < this.limits.youngMs) this.recheck(connection, 0);
  }

  /**
   * Call right after the answer to a `conversation.sync` that was complete went out: through which seq it told each
   * conversation, and the standing it was authorised by. The socket gets everything after that without a gap; what it
   * had already is passed again.
   */
  async afterSync(
    socketId: string,
    through: Readonly<Record<string, { readonly through: number; readonly standing: Audience }>>,
  ): Promise<void> {
    const connection = this.sockets.get(socketId);
    if (!connection) return;
    await Promise.all(Object.entries(through).map(([id, at]) => this.join(connection, id, at.through, at.standing)));
  }

  /**
   * Lets a socket see a conversation as its staff see it, from after `at` on, though its user is no member: whoever calls
   * this has the right and has said so. Resolves when it is live. Ends with `unwatch`, the socket, or a membership.
   */
  async watch(socketId: string, conversationId: string, at: number): Promise<void> {
    const connection = this.sockets.get(socketId);
    if (!connection || this.stopped) return;
    const room = this.rooms.get(conversationId) ?? this.open(conversationId, at);
    await room.watch(connection.socket, at);
  }

  /** Ends what `watch` began. */
  unwatch(socketId: string, conversationId: string): void {
    this.rooms.get(conversationId)?.unwatch(socketId);
  }

  receiveFlush(flush: BrokerEvents["log.flush"]): void {
    if (this.stopped) return;
    this.receive(flush.events);
    this.tracker.received(flush);
  }

  receiveBeat({ incarnation, flush }: BrokerEvents["log.beat"]): void {
    if (!this.stopped) this.tracker.beat(incarnation, flush);
  }

  receiveFound({ events }: BrokerEvents["log.found"]): void {
    if (!this.stopped) this.receive(events);
  }

  /**
   * A core node answered with its last settled flush. Before the first socket this is where listening to it starts;
   * a node heard of later starts at 0, so that nothing it wrote is missed.
   */
  coreHeard(incarnation: string, flush: number): void {
    if (this.stopped) return;
    if (this.sockets.used) this.tracker.beat(incarnation, flush);
    else this.tracker.startAt(incarnation, flush);
  }

  /**
   * The store lists an incarnation, heard of or not, that lived lately, and a flush through which everything is settled.
   * To be called again and again while it lives.
   */
  coreListed(incarnation: string, flush: number): void {
    if (this.stopped) return;
    if (this.sockets.used) this.tracker.listed(incarnation, flush);
    else this.tracker.listedAtStart(incarnation, flush);
  }

  /** A core node left the registry. Nodes that fall silent are noticed without this. */
  coreLost(incarnation: string): void {
    if (!this.stopped) this.tracker.lost(incarnation);
  }

  /**
   * Call when nobody knows which broadcasts this node has missed. Rooms are brought to the head of their logs, and
   * sockets to the conversations of their users, one after the other in the background.
   */
  resync(): void {
    if (this.stopped || !this.sockets.used) return;
    this.resyncing.begin();
    this.ports.missed?.();
  }

  /** The audience in which the socket is live in the room as a member's; undefined when it is not. */
  audienceOf(socketId: string, conversationId: string): Audience | undefined {
    return this.rooms.get(conversationId)?.audienceOf(socketId);
  }

  isMember(socketId: string, conversationId: string): boolean {
    return this.audienceOf(socketId, conversationId) !== undefined;
  }

  /** Rooms with local sockets; for metrics. */
  get size(): number {
    return this.rooms.size;
  }

  stop(): void {
    this.stopped = true;
    this.tracker.stop();
    this.resyncing.stop();
    for (const connection of this.sockets.all()) {
      connection.open = false;
      connection.cancelRecheck?.();
    }
    for (const room of this.rooms.values()) room.close();
    this.rooms.clear();
  }

  private receive(events: readonly StoredEvent[]): void {
    const touched = new Set<Room>();
    for (const event of events) {
      const changes = standingChanges(event);
      if (changes.length > 0) this.note(event, changes);
      const room = this.rooms.get(event.conversationId) ?? this.openFor(event, changes);
      if (!room) continue;
      room.offer(event);
      touched.add(room);
      if (event.seq <= room.bornAt) this.admitLate(room, event, changes);
    }
    for (const room of touched) room.settle();
  }

  private note(event: StoredEvent, changes: readonly StandingChange[]): void {
    for (const change of changes) this.memory.note(event.conversationId, event.seq, change);
  }

  /** A room for a user of this node who becomes a member by this event. */
  private openFor(event: StoredEvent, changes: readonly StandingChange[]): Room | undefined {
    const concerned = changes.some(({ userId, standing }) => standing !== "none" && this.sockets.hasUser(userId));
    return concerned ? this.open(event.conversationId, event.seq - 1) : undefined;
  }

  /**
   * The room was opened beyond this event, so it never let the event's new members in, or never told them. Whoever is
   * in the room and further on than a page has the event from elsewhere: the log is not passed to them again.
   */
  private admitLate(room: Room, event: StoredEvent, changes: readonly StandingChange[]): void {
    for (const { userId, standing } of changes) {
      if (standing === "none" || this.memory.newest(userId, event.conversationId)?.seq !== event.seq) continue;
      for (const socket of this.sockets.ofUser(userId)) {
        const since = room.sinceOf(socket.id);
        if (since === undefined || since - event.seq < this.limits.page) {
          void room.join(socket, event.seq - 1, "none", event.seq);
        }
      }
    }
  }

  private open(conversationId: string, seq: number): Room {
    const room = new Room(conversationId, seq, this.host);
    this.rooms.set(conversationId, room);
    void room.fill(seq);
    return room;
  }

  private async joinKnown(connection: Connection, first: boolean): Promise<void> {
    const { userId } = connection.socket;
    const members = await this.reader.memberships(userId, () => connection.open);
    if (!members || !connection.open) return;
    const known = new Map<string, Membership>(members.map((member) => [member.conversationId, member]));
    const joins = members.map(({ conversationId, since, through, standing }) =>
      // Later on, the client does not know of the conversation yet: it is told from the event that made it a member.
      first || since === undefined || connection.rooms.has(conversationId)
        ? this.join(connection, conversationId, through, standing)
        : this.join(connection, conversationId, since - 1, "none", through),
    );
    for (const { conversationId, seq, standing } of this.memory.of(userId)) {
      if (standing === "none" || known.has(conversationId)) continue;
      joins.push(this.join(connection, conversationId, seq - 1, "none", seq));
    }
    await Promise.all(joins);
  }

  /** `standing` is the user's at seq `at`. */
  private join(
    { socket, open }: Connection,
    conversationId: string,
    at: number,
    standing: Audience | "none",
    through = at,
  ): Promise<void> {
    if (!open || this.stopped) return Promise.resolve();
    const room = this.rooms.get(conversationId);
    if (room) return room.join(socket, at, standing, through);
    const opened = this.open(conversationId, at);
    if (standing !== "none") opened.enter(socket, standing, at);
    return opened.fill(through);
  }

  private recheck(connection: Connection, times: number): void {
    const pause = RECHECK_AFTER_MS[times];
    if (pause === undefined || !connection.open) return;
    connection.cancelRecheck?.();
    connection.cancelRecheck = this.ports.clock.setTimeout(() => {
      if (!connection.open) return;
      void this.joinKnown(connection, false).then(() => this.recheck(connection, times + 1));
    }, pause);
  }
}
