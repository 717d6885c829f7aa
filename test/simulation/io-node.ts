import type { Audience } from "../../actors/conversation/conversation.events";
import { isParleyError, ParleyError } from "../../lib/errors";
import type { Store } from "../../lib/store/collection";
import type { Principal } from "../../services/auth/principal";
import type { BrokerEvents } from "../../services/events";
import { Cores } from "../../services/io/cores";
import { MarkWatch } from "../../services/io/mark-watch";
import { PresenceReporter } from "../../services/io/presence-reporter";
import { roomPorts } from "../../services/io/room-ports";
import type { RoomDelivery, RoomLimits } from "../../services/io/rooms/ports";
import { RoomTable } from "../../services/io/rooms/room-table";
import { catchUp } from "../../services/room/catch-up";
import { callRoom } from "../../services/room/room.internal";
import type { WireEvent } from "../../services/schemas";
import type { Attempt } from "./commands";
import { Door } from "./door";
import type { Life } from "./life";
import type { Link } from "./link";
import { type Answer, type SyncResult, toCommand } from "./messages";
import type { Network, Peer } from "./network";
import { SimBroker } from "./sim-broker";

/** The registry has seen its first heartbeats by then. */
const HEAR_CORES_AFTER_MS = 1_500;
const PARTING_MS = 2_000;
const REPORT_MS = 5_000;
/** Half of the time for which marks stay here. */
const LONGEST_GAP_MS = 10_000;

export interface IoOptions {
  readonly life: Life;
  readonly store: Store;
  readonly network: Network;
  readonly limits: Partial<RoomLimits>;
  readonly requestMs: number;
  readonly misroutes: () => boolean;
  readonly onAct: (user: Principal) => void;
  /** Presence is kept. */
  readonly presence: boolean;
}

type Listed = ReturnType<NonNullable<ConstructorParameters<typeof PresenceReporter>[0]["connections"]["get"]>>;

/** A process that holds clients' connections: the product's own rooms, core list and door, on a simulated broker. */
export class IoNode implements Peer {
  readonly kind = "io";
  readonly life: Life;
  readonly broker: SimBroker;
  readonly table: RoomTable;
  accepts = false;
  private readonly door: Door;
  private readonly cores: Cores;
  private readonly marks: MarkWatch;
  private readonly presence: PresenceReporter;
  private readonly links = new Map<string, Link>();
  private readonly rooms = new Map<string, Map<string, Audience>>();
  /** Resolves when a connection is let in and live in all its rooms. */
  private readonly joined = new Map<string, Promise<void>>();

  constructor(private readonly options: IoOptions) {
    const { life, store, network, misroutes, onAct } = options;
    this.life = life;
    this.door = new Door({ life, store, broker: () => this.broker, onAct });
    const actions = {
      "io.knows": async ({ number }: { number: number }) => this.door.authenticator.knows(number),
    };
    this.broker = new SimBroker({ life, kind: this.kind, network, actions, misroutes });
    this.cores = new Cores(this.broker, life, {
      coreHeard: (incarnation, flush) => this.table.coreHeard(incarnation, flush),
      coreLost: (incarnation) => this.table.coreLost(incarnation),
    });
    const clocks = { clock: life, monotonic: () => life.world.now };
    const missing = { found: () => undefined, missed: () => undefined };
    this.table = new RoomTable(roomPorts(this.cores, clocks, this.delivery(), missing), options.limits);
    const list = () => this.cores.marks();
    this.marks = new MarkWatch({ ...clocks, list, rooms: this.table, longestGapMs: LONGEST_GAP_MS });
    this.presence = this.makePresence();
  }

  /** Hears how far each core node is, then accepts connections. */
  async start(): Promise<void> {
    if (this.options.presence) this.presence.start();
    await Promise.all([this.life.pauseFor(HEAR_CORES_AFTER_MS), this.door.open()]);
    await Promise.all([this.cores.hearAll(), this.marks.start()]);
    this.accepts = true;
  }

  /** SIGTERM: everybody is sent away. Resolves when the process would end. */
  async drain(): Promise<void> {
    const { life, network } = this.options;
    life.world.trace("drain", life.incarnation);
    this.accepts = false;
    for (const link of this.links.values()) life.setTimeout(() => link.break(), life.float() * PARTING_MS);
    await life.pauseFor(PARTING_MS);
    network.leave(this);
  }

  told(name: string, data: never, from: Life): void {
    if (name === "log.flush") this.table.receiveFlush(data as BrokerEvents["log.flush"]);
    if (name === "log.found") this.table.receiveFound(data as BrokerEvents["log.found"]);
    if (name === "auth.revoked") this.door.authenticator.handleRevoked(data as BrokerEvents["auth.revoked"]);
    if (name === "presence.census") this.presence.renewAll();
    if (name !== "log.beat") return;
    const beat = data as BrokerEvents["log.beat"];
    this.cores.met(from.name, beat.incarnation);
    this.table.receiveBeat(beat);
  }

  met(name: string): void {
    void this.cores.changed(name);
  }

  lost(name: string): void {
    this.cores.lost(name);
  }

  /** The users who are connected here, whether this node has noticed that a connection broke or not. */
  users(): string[] {
    return [...this.links.values()].filter(({ up }) => up).map(({ userId }) => userId);
  }

  connect(link: Link): void {
    this.joined.set(link.id, this.admit(link));
  }

  disconnect(link: Link): void {
    this.door.leave(link);
    this.joined.delete(link.id);
    if (!this.links.delete(link.id)) return;
    this.table.removeSocket(link.id);
    if (this.options.presence) this.presence.disconnected(listed(link));
  }

  /** Runs a command at the conversation's home; answers in time, if with an error. */
  async command(link: Link, attempt: Attempt): Promise<Answer> {
    const { request } = attempt;
    const deadline = this.life.now() + this.options.requestMs;
    const { conversationId } = request;
    try {
      const params = { conversationId, command: toCommand(request, deadline) };
      const outcome = await callRoom(await this.caller(link, deadline, attempt), "room.command", params);
      if ("noop" in outcome) return { kind: "no-op", seq: outcome.noop.seq };
      return { kind: "done", seq: outcome.event.seq, id: outcome.event._id };
    } catch (error) {
      if (!isParleyError(error)) throw error;
      return { kind: "refused", type: error.type, data: (error as ParleyError).data };
    }
  }

  /** Answers anything else that a client may ask. */
  async ask(link: Link, name: string, params: object): Promise<unknown> {
    return (await this.caller(link)).call(name, params);
  }

  /** Answers `conversation.sync`, and lets the socket in without a gap. */
  async sync(link: Link, cursors: Readonly<Record<string, number>>, answer: (result: SyncResult) => void) {
    const caller = await this.caller(link);
    const { complete, ...result } = await catchUp(caller, (id) => this.broker.router.home(id), cursors);
    answer(result);
    await this.table.afterSync(link.id, complete);
  }

  /** Answered once the socket has joined, or not at all: whatever it joins later, the client is told of. */
  async list(link: Link): Promise<string[]> {
    let joined = false;
    const joining = this.joined.get(link.id)?.then(() => (joined = this.links.has(link.id)));
    await Promise.race([joining, this.life.pauseFor(this.options.requestMs)]);
    if (!joined) throw new ParleyError("UNAVAILABLE");
    const found = await callRoom(await this.caller(link), "room.memberships", { userId: link.userId });
    return found.memberships.map(({ conversationId }) => conversationId);
  }

  private async admit(link: Link): Promise<void> {
    try {
      await this.door.admit(link);
    } catch {
      return link.break();
    }
    if (!link.up) return this.door.leave(link);
    this.links.set(link.id, link);
    this.table.addSocket({ id: link.id, userId: link.userId });
    if (this.options.presence) this.presence.connected(listed(link));
    await this.table.joinAll(link.id);
  }

  /** Whoever may act now. @throws ParleyError UNAVAILABLE */
  private async caller(link: Link, deadline = this.life.now() + this.options.requestMs, attempt?: Attempt) {
    if (!(await this.door.lets(link))) throw new ParleyError("UNAVAILABLE");
    const meta = { deadline, userId: link.userId, ...(attempt && { attempt }) };
    return { call: (name: string, params: object) => this.broker.call(name, params, { meta }) };
  }

  private makePresence(): PresenceReporter {
    return new PresenceReporter({
      clock: this.life,
      connections: {
        all: () => [...this.links.values()].map(listed).values() as IterableIterator<NonNullable<Listed>>,
        get: (id) => {
          const link = this.links.get(id);
          return link && listed(link);
        },
      },
      node: this.life.name,
      report: (report) => this.broker.call("presence.report", report, { timeout: REPORT_MS }),
      failed: () => undefined,
      worked: () => undefined,
    });
  }

  private delivery(): RoomDelivery {
    return {
      joined: (socketId, id, audience) => void this.room(id).set(socketId, audience),
      heldBack: (socketId, id) => void this.room(id).delete(socketId),
      left: (socketId, id) => void this.room(id).delete(socketId),
      emit: (id, audience, events) => this.emit(id, audience, events),
      emitTo: (socketId, events) => this.links.get(socketId)?.toClient(events),
    };
  }

  private emit(conversationId: string, audience: Audience, events: WireEvent[]): void {
    for (const [socketId, seesAs] of this.rooms.get(conversationId) ?? [])
      if (seesAs === audience) this.links.get(socketId)?.toClient(events);
  }

  private room(id: string): Map<string, Audience> {
    const room = this.rooms.get(id) ?? new Map<string, Audience>();
    this.rooms.set(id, room);
    return room;
  }
}

/** A connection as the reporter reads it. */
const listed = ({ id, userId }: Link): NonNullable<Listed> =>
  ({ id, data: { user: { id: userId } } }) as unknown as NonNullable<Listed>;
