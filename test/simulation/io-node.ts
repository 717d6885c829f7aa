import type { Audience } from "../../actors/conversation/conversation.events";
import type { SyncAnswer } from "../../actors/conversation/conversation.reader";
import { ConversationStore } from "../../actors/conversation/conversation.store";
import { Attempts } from "../../lib/actor/attempts";
import { Peers } from "../../lib/actor/peers";
import { Router } from "../../lib/actor/router";
import { isParleyError, ParleyError } from "../../lib/errors";
import type { Store } from "../../lib/store/collection";
import type { RoomLimits } from "../../services/io/rooms/ports";
import { RoomTable } from "../../services/io/rooms/room-table";
import { catchUp } from "../../services/room/catch-up";
import type { RoomInternal } from "../../services/room/room.internal";
import type { WireEvent } from "../../services/schemas";
import type { CoreNode } from "./core-node";
import type { Life } from "./life";
import type { Link } from "./link";
import type { Answer, Request, SyncResult } from "./messages";
import type { Network, Peer } from "./network";

type CatchUp = RoomInternal["room.catchUp"]["params"];

const PING_MS = 1_000;
const HEAR_CORES_AFTER_MS = 1_500;

export interface IoOptions {
  readonly life: Life;
  readonly store: Store;
  readonly network: Network;
  readonly limits: Partial<RoomLimits>;
  readonly requestMs: number;
  /** Should this call go to any core node rather than to the home? */
  readonly misroutes: () => boolean;
  /** A core node was asked to run a command. */
  readonly onAsked: (request: Request) => void;
}

/** A process that holds clients' connections: the product's own `RoomTable`, on a simulated store and broker. */
export class IoNode implements Peer {
  readonly kind = "io";
  readonly life: Life;
  readonly table: RoomTable;
  accepts = false;
  private readonly store: ConversationStore;
  private readonly router: Router;
  private readonly links = new Map<string, Link>();
  private readonly rooms = new Map<string, Map<string, Audience>>();
  private readonly joined = new Map<string, Promise<void>>();

  constructor(private readonly options: IoOptions) {
    this.life = options.life;
    this.store = new ConversationStore(options.store);
    const { life, network } = options;
    const peers = new Peers({
      clock: life,
      ping: (node) =>
        network
          .call(life, node, () => Promise.resolve(true), PING_MS)
          .then(
            (answered) => answered,
            () => false,
          ),
    });
    this.router = new Router({
      clock: life,
      random: life,
      peers,
      attempts: new Attempts(life, peers),
      nodes: () => network.homes(life),
      classify: (error) => (isParleyError(error) ? "answered" : "no answer"),
    });
    this.table = new RoomTable(
      {
        clock: this.life,
        readEvents: (id, after, limit) => this.store.readAfter(id, after, limit),
        readFlushes: (incarnation, from, to) => this.store.readFlushPage(incarnation, from, to),
        memberships: (userId) => this.anyCore((core) => core.memberships(userId)),
        joined: (socketId, id, audience) => void this.room(id).set(socketId, audience),
        left: (socketId, id) => void this.room(id).delete(socketId),
        emit: (id, audience, events) => this.emit(id, audience, events),
        emitTo: (socketId, events) => this.links.get(socketId)?.toClient(events),
      },
      options.limits,
    );
  }

  /** Hears how far each core node is, then accepts connections. */
  start(): void {
    this.life.setTimeout(() => void this.hearCores(), HEAR_CORES_AFTER_MS);
  }

  lostSight(incarnation: string): void {
    this.table.coreLost(incarnation);
  }

  connect(link: Link): void {
    this.links.set(link.id, link);
    this.table.addSocket({ id: link.id, userId: link.userId });
    this.joined.set(link.id, this.table.joinAll(link.id));
  }

  disconnect(link: Link): void {
    this.links.delete(link.id);
    this.joined.delete(link.id);
    this.table.removeSocket(link.id);
  }

  /** Runs a command at the conversation's home; answers in time, if with an error. */
  async command(request: Request): Promise<Answer> {
    const deadline = this.life.now() + this.options.requestMs;
    try {
      return await this.atHome(request.conversationId, deadline, (core) => {
        this.options.onAsked(request);
        return core.command(request, deadline);
      });
    } catch (error) {
      if (!isParleyError(error)) throw error;
      return { kind: "refused", type: error.type, data: (error as ParleyError).data };
    }
  }

  /** Answers `conversation.sync`, and lets the socket in without a gap. */
  async sync(link: Link, cursors: Readonly<Record<string, number>>, answer: (result: SyncResult) => void) {
    const deadline = this.life.now() + this.options.requestMs;
    const call = async (_name: string, params: object): Promise<SyncAnswer> => {
      const asked = params as CatchUp;
      return this.atHome(asked.at, deadline, (core) =>
        core.conversations.reader.sync(link.userId, asked.cursors, deadline),
      );
    };
    const { complete, ...result } = await catchUp({ call }, (id) => this.router.home(id), cursors);
    answer(result);
    await this.table.afterSync(link.id, complete);
  }

  /** Answered once the socket has joined, or not at all: whatever it joins later, the client is told of. */
  async list(link: Link): Promise<string[]> {
    let joined = false;
    const joining = this.joined.get(link.id)?.then(() => (joined = true));
    await Promise.race([joining, this.pause(this.options.requestMs)]);
    if (!joined) throw new ParleyError("UNAVAILABLE");
    const found = await this.anyCore((core) => core.memberships(link.userId));
    return found.map(({ conversationId }) => conversationId);
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

  private async hearCores(): Promise<void> {
    const { network } = this.options;
    await Promise.all(
      network.homes(this.life).map(async (name) => {
        try {
          const { incarnation, flush } = await network.call(this.life, name, (peer) =>
            Promise.resolve((peer as unknown as CoreNode).conversations.progress),
          );
          this.table.coreHeard(incarnation, flush);
        } catch {
          // It is followed from its first broadcast on.
        }
      }),
    );
    this.accepts = true;
  }

  private atHome<R>(id: string, deadline: number, run: (core: CoreNode) => Promise<R>): Promise<R> {
    const { network, misroutes } = this.options;
    return this.router.call(id, deadline, (home, timeoutMs) => {
      const node = misroutes() ? this.life.world.random.pick(network.homes(this.life)) : home;
      return network.call(this.life, node, (peer) => run(peer as unknown as CoreNode), timeoutMs);
    });
  }

  private async anyCore<R>(run: (core: CoreNode) => Promise<R>): Promise<R> {
    const homes = this.options.network.homes(this.life);
    if (homes.length === 0) throw new ParleyError("UNAVAILABLE");
    return this.options.network.call(this.life, this.life.world.random.pick(homes), (peer) =>
      run(peer as unknown as CoreNode),
    );
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.life.setTimeout(resolve, ms));
  }
}
