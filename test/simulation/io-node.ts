import type { Audience } from "../../actors/conversation/conversation.events";
import { isParleyError, ParleyError } from "../../lib/errors";
import { Cores } from "../../services/io/cores";
import { roomPorts } from "../../services/io/room-ports";
import type { RoomDelivery, RoomLimits } from "../../services/io/rooms/ports";
import { RoomTable } from "../../services/io/rooms/room-table";
import { callRoom } from "../../services/room/room.internal";
import { catchUp } from "../../services/room/catch-up";
import type { BrokerEvents } from "../../services/events";
import type { WireEvent } from "../../services/schemas";
import type { Life } from "./life";
import type { Link } from "./link";
import { type Answer, type Request, type SyncResult, toCommand } from "./messages";
import type { Network, Peer } from "./network";
import { SimBroker } from "./sim-broker";

/** The registry has seen its first heartbeats by then. */
const HEAR_CORES_AFTER_MS = 1_500;
const PARTING_MS = 2_000;

export interface IoOptions {
  readonly life: Life;
  readonly network: Network;
  readonly limits: Partial<RoomLimits>;
  readonly requestMs: number;
  readonly misroutes: () => boolean;
}

/** A process that holds clients' connections: the product's own `RoomTable` and `Cores`, on a simulated broker. */
export class IoNode implements Peer {
  readonly kind = "io";
  readonly life: Life;
  readonly broker: SimBroker;
  readonly table: RoomTable;
  accepts = false;
  private readonly cores: Cores;
  private readonly links = new Map<string, Link>();
  private readonly rooms = new Map<string, Map<string, Audience>>();
  private readonly joined = new Map<string, Promise<void>>();

  constructor(private readonly options: IoOptions) {
    const { life, network, misroutes } = options;
    this.life = life;
    this.broker = new SimBroker({ life, kind: this.kind, network, actions: {}, misroutes });
    this.cores = new Cores(this.broker, life, {
      coreHeard: (incarnation, flush) => this.table.coreHeard(incarnation, flush),
      coreLost: (incarnation) => this.table.coreLost(incarnation),
    });
    const clocks = { clock: life, monotonic: () => life.world.now };
    const missing = { found: () => undefined, missed: () => undefined };
    this.table = new RoomTable(roomPorts(this.cores, clocks, this.delivery(), missing), options.limits);
  }

  /** Hears how far each core node is, then accepts connections. */
  start(): void {
    this.life.setTimeout(() => {
      void this.cores.hearAll().then(() => (this.accepts = true));
    }, HEAR_CORES_AFTER_MS);
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

  connect(link: Link): void {
    this.links.set(link.id, link);
    this.table.addSocket({ id: link.id, userId: link.userId });
    this.joined.set(link.id, this.table.joinAll(link.id));
  }

  disconnect(link: Link): void {
    if (!this.links.delete(link.id)) return;
    this.joined.delete(link.id);
    this.table.removeSocket(link.id);
  }

  /** Runs a command at the conversation's home; answers in time, if with an error. */
  async command(request: Request): Promise<Answer> {
    const deadline = this.life.now() + this.options.requestMs;
    const { conversationId } = request;
    const params = { conversationId, command: toCommand(request, deadline) };
    try {
      const outcome = await callRoom(this.caller(deadline), "room.command", params);
      if ("noop" in outcome) return { kind: "no-op", seq: outcome.noop.seq };
      return { kind: "done", seq: outcome.event.seq, id: outcome.event._id };
    } catch (error) {
      if (!isParleyError(error)) throw error;
      return { kind: "refused", type: error.type, data: (error as ParleyError).data };
    }
  }

  /** Answers `conversation.sync`, and lets the socket in without a gap. */
  async sync(link: Link, cursors: Readonly<Record<string, number>>, answer: (result: SyncResult) => void) {
    const caller = this.caller(this.life.now() + this.options.requestMs, link.userId);
    const { complete, ...result } = await catchUp(caller, (id) => this.broker.router.home(id), cursors);
    answer(result);
    await this.table.afterSync(link.id, complete);
  }

  /** Answered once the socket has joined, or not at all: whatever it joins later, the client is told of. */
  async list(link: Link): Promise<string[]> {
    let joined = false;
    const joining = this.joined.get(link.id)?.then(() => (joined = true));
    await Promise.race([joining, this.life.pauseFor(this.options.requestMs)]);
    if (!joined) throw new ParleyError("UNAVAILABLE");
    const found = await callRoom(this.broker, "room.memberships", { userId: link.userId });
    return found.memberships.map(({ conversationId }) => conversationId);
  }

  private caller(deadline: number, userId = "") {
    return {
      call: (name: string, params: object) => this.broker.call(name, params, { meta: { deadline, userId } }),
    };
  }

  private delivery(): RoomDelivery {
    return {
      joined: (socketId, id, audience) => void this.room(id).set(socketId, audience),
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
