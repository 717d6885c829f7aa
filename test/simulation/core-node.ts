import { Conversations } from "../../actors/conversation/conversation.actor";
import { fittingPages, partsOf } from "../../actors/conversation/conversation.parts";
import type { Kv } from "../../lib/kv/kv";
import { Outbox } from "../../lib/outbox/publisher";
import type { Store } from "../../lib/store/collection";
import { ConversationLists } from "../../services/room/conversation-lists";
import type { RoomInternal } from "../../services/room/room.internal";
import type { Life } from "./life";
import type { Network, Peer } from "./network";
import { WANTED } from "./scheduler-node";
import { type Handlers, type Meta, SimBroker } from "./sim-broker";

export interface CoreOptions {
  readonly life: Life;
  readonly store: Store;
  readonly kv: Kv;
  readonly network: Network;
  readonly limits: {
    readonly members: number;
    readonly reactions: number;
    readonly mailbox: number;
    readonly activations: number;
  };
  readonly misroutes: () => boolean;
  /** A conversation was given a command. */
  readonly onAsked: (command: RoomInternal["room.command"]["params"]) => void;
  readonly onLost: () => void;
  /** Somebody wants to know of messages. */
  readonly publishes: boolean;
}

type Params<N extends keyof RoomInternal> = RoomInternal[N]["params"];

/** Shorter than in the product: histories are short, and sweeping an owner that lives is part of the game. */
const SWEEPING = { ownerlessMs: 20_000, againMs: 5_000 };
const PING_MS = 1_500;
const STORELESS_AFTER_MS = 5_000;
const SPREAD_MS = 100;
const FINISH_MS = 10_000;
const SYNC_PATIENCE_MS = 2_000;

/** A process that serves conversations: the product's own `Conversations`, on a simulated store and broker. */
export class CoreNode implements Peer {
  readonly kind = "core";
  readonly life: Life;
  readonly broker: SimBroker;
  readonly conversations: Conversations;
  private readonly lists: ConversationLists;
  private storeAt: number;

  constructor(private readonly options: CoreOptions) {
    const { life, network, misroutes } = options;
    this.life = life;
    this.storeAt = life.world.now;
    this.broker = new SimBroker({ life, kind: this.kind, network, actions: this.actions(), misroutes });
    this.conversations = this.makeConversations();
    this.lists = new ConversationLists(this.conversations);
  }

  async start(): Promise<void> {
    this.pingStore();
    await this.conversations.start();
  }

  /** SIGTERM: what was taken is answered, the others choose other homes. Resolves when the process would end. */
  async drain(withinMs: number): Promise<void> {
    const { life, network } = this.options;
    life.world.trace("drain", life.incarnation);
    const end = life.world.now + FINISH_MS;
    this.become("draining");
    await life.pauseFor(SPREAD_MS);
    while (this.broker.underWay > 0 && life.world.now < end) await life.pauseFor(5);
    await this.conversations.stop(withinMs);
    network.leave(this);
  }

  private makeConversations(): Conversations {
    const { life, store, kv, limits, onLost, publishes } = this.options;
    const toIo = (name: string, data: object): void => void this.broker.broadcast(name, data, { groups: ["io"] });
    return new Conversations({
      store,
      kv,
      clock: life,
      random: life,
      monotonic: () => life.world.now,
      incarnation: life.incarnation,
      isHome: (id) => this.broker.isHome(id),
      limits,
      sole: false,
      sweeping: SWEEPING,
      ...(publishes && { publishing: new Outbox([WANTED], ({ conversationId }) => conversationId, store, life) }),
      onLost,
      fanout: {
        flush: (part) => {
          life.world.trace("flush", life.incarnation, part.flush, ...part.events.map(({ _id }) => _id));
          toIo("log.flush", part);
        },
        beat: (beat) => toIo("log.beat", beat),
        found: (events) => toIo("log.found", { events }),
        receipts: () => undefined,
      },
    });
  }

  /** What the facades over the conversations do. */
  private actions(): Handlers {
    const conversations = (): Conversations => this.conversations;
    return {
      "room.command": (params: Params<"room.command">) => {
        this.options.onAsked(params);
        return conversations().command(params.conversationId, params.command);
      },
      "room.catchUp": ({ cursors }: Params<"room.catchUp">, { userId = "", deadline = 0 }: Meta) =>
        conversations().reader.sync(userId, cursors, Math.min(deadline, this.life.now() + SYNC_PATIENCE_MS)),
      "room.memberships": async ({ userId }: Params<"room.memberships">) => ({
        memberships: await this.lists.memberships(userId),
      }),
      "room.events": async ({ reads }: Params<"room.events">) => ({
        pages: fittingPages(await conversations().store.readPages(reads)),
      }),
      "room.flushes": async ({ incarnation, from, to, part }: Params<"room.flushes">) => {
        const { events, through } = await conversations().store.readFlushPage(incarnation, from, to);
        const parts = partsOf(events);
        return { events: parts[part] ?? [], through, parts: parts.length };
      },
      "room.progress": () => Promise.resolve(conversations().progress),
      "room.sweep": () => conversations().sweep(),
    };
  }

  private become(state: SimBroker["state"]): void {
    if (this.broker.state === state || this.broker.state === "draining") return;
    this.broker.state = state;
    this.options.network.say(this);
  }

  private pingStore(): void {
    const { world } = this.life;
    this.options.store.ping().then(
      () => (this.storeAt = world.now),
      () => undefined,
    );
    this.become(world.now - this.storeAt > STORELESS_AFTER_MS ? "storeless" : "serving");
    this.life.setTimeout(() => this.pingStore(), PING_MS);
  }
}
