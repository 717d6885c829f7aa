import type { ServiceBroker } from "moleculer";
import { answerMetricsOf } from "../../lib/answer-metrics";
import { FailureSeries } from "../../lib/failure-series";
import { toWireError } from "../../lib/middlewares/errors";
import type { Patience } from "../../lib/patience";
import type { Resources } from "../../lib/resources";
import { type Activity, activityOf } from "../agents/activity";
import type { Authenticator } from "../auth/authenticator";
import type { Principal } from "../auth/principal";
import { broadcast } from "../call";
import type { BrokerEvents } from "../events";
import { callPresence } from "../presence/presence.internal";
import { backlogOf, type ClientSocket, cut, forgetHandshake } from "./client-socket";
import { Connections } from "./connections";
import { Cores } from "./cores";
import { Desk } from "./desk";
import { Dispatcher } from "./dispatcher";
import { drain } from "./drain";
import { Fanout } from "./fanout";
import { Handshake } from "./handshake";
import { type IoMetrics, ioMetrics } from "./io-metrics";
import { Identities } from "./identities";
import { PacketLimits } from "./limits";
import { MarkWatch } from "./mark-watch";
import { PresenceReporter } from "./presence-reporter";
import { roomPorts } from "./room-ports";
import { RoomTable } from "./rooms/room-table";
import { routesOf } from "./routes";
import { TypingState } from "./typing";
import { Wire } from "./wire";

export interface IoNodeParts {
  readonly broker: ServiceBroker;
  readonly resources: Resources;
  readonly authenticator: Authenticator;
  readonly patience: Patience;
}

const SWEEP_MS = 1_000;
const REPORT_MS = 5_000;
/** A client may have as many calls in flight as it may send in this time. */
const IN_FLIGHT_SECONDS = 10;

/** All that an io node does for its clients: who they are, what they may, what they see, and when they must go. */
export class IoNode {
  readonly rooms: RoomTable;
  readonly cores: Cores;
  readonly fanout: Fanout;
  /** Absent where no other node can be. */
  private readonly marks: MarkWatch | undefined;
  private readonly connections = new Connections();
  private readonly metrics: IoMetrics;
  private readonly limits: PacketLimits;
  private readonly handshake: Handshake;
  private readonly identities: Identities;
  private readonly dispatcher: Dispatcher;
  private readonly desk: Desk;
  private readonly typing: TypingState;
  private readonly presence: PresenceReporter;
  private readonly activity: Activity;
  private readonly wire = new Wire();
  private cancelSweep: (() => void) | undefined;
  private draining = false;

  constructor(private readonly parts: IoNodeParts) {
    const { broker } = parts;
    const { config, clock, monotonic, sole } = parts.resources;
    this.limits = new PacketLimits({
      perSocket: config.LIMIT_PACKETS_PER_SECOND,
      perUser: config.LIMIT_USER_PACKETS_PER_SECOND,
    });
    this.metrics = ioMetrics(broker, {
      maxSockets: config.LIMIT_SOCKETS,
      sockets: () => this.connections.size,
      rooms: () => this.rooms.size,
      callsInFlight: () => this.dispatcher.inFlight,
    });
    this.fanout = new Fanout(this.connections, this.metrics.deliveries);
    this.cores = this.makeCores();
    const ports = roomPorts(this.cores, { clock, monotonic }, this.fanout, {
      found: (events) => this.desk.received(events),
      missed: () => this.desk.missed(),
    });
    // Memberships of a sole node are never behind: no socket needs them looked up again.
    this.rooms = new RoomTable(ports, sole ? { youngMs: 0 } : {});
    this.marks = sole ? undefined : new MarkWatch({ ...ports, list: () => this.cores.marks(), rooms: this.rooms });
    const isFresh = (): boolean => parts.authenticator.isFresh;
    this.desk = new Desk({ broker, connections: this.connections, rooms: this.rooms, isFresh });
    this.typing = new TypingState(clock);
    this.presence = this.makePresence();
    this.activity = activityOf(broker);
    this.handshake = this.makeHandshake();
    this.identities = this.makeIdentities();
    this.dispatcher = this.makeDispatcher();
  }

  /** Call it before the first client: listens to the log from here on. */
  async start(): Promise<void> {
    await Promise.all([this.cores.hearAll(), this.marks?.start()]);
    this.identities.start();
    this.presence.start();
    this.desk.start();
    this.sweepLater();
  }

  /** Makes the socket one of ours, or rejects with what its client may see. */
  async admit(socket: ClientSocket): Promise<void> {
    await this.handshake.admit(socket);
    socket.conn.once("close", () => this.connections.remove(socket));
  }

  /** A client that was admitted is connected. */
  connected(socket: ClientSocket): void {
    const { user, phase } = socket.data;
    if (phase === "ended") {
      this.identities.part(socket, "revoked");
      return;
    }
    this.wire.attach(socket);
    forgetHandshake(socket);
    socket.use((packet) => {
      this.activity.heard(socket.data.user, packet[0]);
      this.dispatcher.handle(socket, packet);
    });
    socket.on("disconnect", () => this.disconnected(socket));
    this.rooms.addSocket({ id: socket.id, userId: user.id });
    socket.data.joined = this.rooms.joinAll(socket.id);
    this.presence.connected(socket);
  }

  receivedFlush(flush: BrokerEvents["log.flush"]): void {
    this.rooms.receiveFlush(flush);
    this.desk.received(flush.events);
    this.metrics.arrived(flush.events.at(-1)?.at, this.parts.resources.clock.now());
  }

  receivedBeat(nodeID: string, beat: BrokerEvents["log.beat"]): void {
    this.cores.met(nodeID, beat.incarnation);
    this.rooms.receiveBeat(beat);
  }

  receivedFound(found: BrokerEvents["log.found"]): void {
    this.rooms.receiveFound(found);
    this.desk.received(found.events);
  }

  /** The connection to the broker was gone: whatever was told meanwhile did not arrive here. */
  broughtBack(): void {
    this.reportPresence();
    this.rooms.resync();
  }

  /** Somebody may have lost track of the sockets here. */
  reportPresence(): void {
    this.presence.renewAll();
  }

  /** Lets nobody in any more, and sends everybody away within `seconds`. */
  async drain(seconds: number): Promise<void> {
    this.draining = true;
    const { clock, random } = this.parts.resources;
    const { connections, dispatcher } = this;
    await drain({ clock, random, connections, inFlight: () => dispatcher.inFlight }, seconds);
  }

  stop(): void {
    this.draining = true;
    this.cancelSweep?.();
    this.presence.stop();
    this.desk.stop();
    this.marks?.stop();
    for (const socket of [...this.connections.all()]) cut(socket);
    this.rooms.stop();
  }

  private disconnected(socket: ClientSocket): void {
    const userId = socket.data.user.id;
    this.connections.remove(socket);
    this.rooms.removeSocket(socket.id);
    this.desk.closed(socket);
    for (const place of this.typing.forget(socket)) {
      void broadcast(this.parts.broker, "typing.changed", { ...place, userId, on: false }, ["io"]);
    }
    this.presence.disconnected(socket);
  }

  private sweepLater(): void {
    this.cancelSweep = this.parts.resources.clock.setTimeout(() => {
      this.sweep();
      this.sweepLater();
    }, SWEEP_MS);
  }

  /** Ends sockets whose token has expired, and cuts off those that do not read what they are sent. */
  private sweep(): void {
    this.desk.sweep();
    const { config, clock } = this.parts.resources;
    const now = clock.now();
    for (const socket of [...this.connections.all()]) {
      if (socket.data.expiresAt <= now) this.identities.end(socket, "expired");
      else if (backlogOf(socket).events > config.SOCKET_BUFFER_BYTES) cut(socket);
    }
  }

  private makeCores(): Cores {
    const { broker, resources } = this.parts;
    return new Cores(broker, resources.clock, {
      coreHeard: (incarnation, flush) => this.rooms.coreHeard(incarnation, flush),
      coreLost: (incarnation) => this.rooms.coreLost(incarnation),
    });
  }

  private makePresence(): PresenceReporter {
    const { broker, resources } = this.parts;
    const failures = new FailureSeries(broker.logger, {
      begins: "connections cannot be told to presence, it is tried again",
      ends: "connections are told to presence again",
    });
    return new PresenceReporter({
      clock: resources.clock,
      connections: this.connections,
      node: broker.nodeID,
      report: (report) => callPresence(broker, "presence.report", report, { timeout: REPORT_MS }),
      failed: (error) => failures.failed(error),
      worked: () => failures.worked(),
    });
  }

  private makeHandshake(): Handshake {
    const { authenticator, resources } = this.parts;
    return new Handshake({
      authenticator,
      connections: this.connections,
      limits: this.limits,
      clock: resources.clock,
      maxSocketsPerUser: resources.config.LIMIT_SOCKETS_PER_USER,
      isDraining: () => this.draining,
      toWireError: (error) => toWireError(error),
    });
  }

  private makeIdentities(): Identities {
    return new Identities({
      clock: this.parts.resources.clock,
      connections: this.connections,
      authenticator: this.parts.authenticator,
      changed: (socket) => this.desk.changed(socket),
    });
  }

  private makeDispatcher(): Dispatcher {
    const { broker, resources, authenticator } = this.parts;
    const { config, clock, random } = resources;
    const { typing, desk, rooms, limits } = this;
    return new Dispatcher({
      clock,
      limits,
      patience: this.parts.patience,
      routes: routesOf({ broker, clock, typing, desk, rooms }),
      timeoutMs: config.REQUEST_TIMEOUT_MS,
      bufferBytes: config.SOCKET_BUFFER_BYTES,
      maxInFlight: config.LIMIT_PACKETS_PER_SECOND * IN_FLIGHT_SECONDS,
      newId: () => random.id(),
      isRevoked: (user: Principal) => authenticator.isRevoked(user),
      isFresh: () => authenticator.isFresh,
      whenFresh: () => authenticator.whenFresh(),
      end: (socket, reason) => this.identities.end(socket, reason),
      toWireError,
      answered: answerMetricsOf(broker).answered,
    });
  }
}
