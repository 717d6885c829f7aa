import { Conversations } from "../../actors/conversation/conversation.actor";
import type { Kv } from "../../lib/kv/kv";
import { Outbox } from "../../lib/outbox/publisher";
import type { Store } from "../../lib/store/collection";
import { PresenceTracker } from "../../services/presence/presence.tracker";
import { TimerStore } from "../../services/timers";
import { coreActions, type OnRun } from "./core-actions";
import type { Life } from "./life";
import type { Network, Peer } from "./network";
import { WANTED } from "./scheduler-node";
import { SimBroker } from "./sim-broker";

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
  readonly onRun: OnRun;
  readonly onLost: () => void;
  /** Somebody wants to know of messages. */
  readonly publishes: boolean;
  /** Presence is kept. */
  readonly presence: boolean;
  /** Time does things to sessions. */
  readonly timed: boolean;
}

/** Shorter than in the product: histories are short, and sweeping an owner that lives is part of the game. */
const SWEEPING = { ownerlessMs: 20_000, againMs: 5_000 };
const PING_MS = 1_500;
const STORELESS_AFTER_MS = 5_000;
const SPREAD_MS = 100;
const FINISH_MS = 10_000;

/** A process that serves conversations: the product's own `Conversations`, on a simulated store and broker. */
export class CoreNode implements Peer {
  readonly kind = "core";
  readonly life: Life;
  readonly broker: SimBroker;
  readonly conversations: Conversations;
  private readonly tracker: PresenceTracker | undefined;
  private readonly timers: TimerStore | undefined;
  private storeAt: number;

  constructor(private readonly options: CoreOptions) {
    const { life, store, network, misroutes, onRun, presence, timed } = options;
    this.life = life;
    this.timers = timed ? new TimerStore(store, life, life) : undefined;
    this.storeAt = life.world.now;
    const actions = coreActions(() => ({
      life,
      store,
      broker: this.broker,
      conversations: this.conversations,
      tracker: this.tracker,
      timers: this.timers,
      onRun,
    }));
    this.broker = new SimBroker({ life, kind: this.kind, network, actions, misroutes });
    this.conversations = this.makeConversations();
    this.tracker = presence ? this.makeTracker() : undefined;
  }

  async start(): Promise<void> {
    this.pingStore();
    this.tracker?.start();
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
    await Promise.all([this.conversations.stop(withinMs), this.tracker?.stop()]);
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
      ...(this.timers && { alarm: this.timers }),
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

  private makeTracker(): PresenceTracker {
    const { life, kv, network } = this.options;
    return new PresenceTracker({
      kv,
      clock: life,
      monotonic: () => life.world.now,
      nodeId: life.name,
      isGone: (node) => !network.alive(life, "io").includes(node),
      takeCensus: () => this.broker.broadcast("presence.census", {}, { groups: ["io"] }),
      announce: (userId, { status }) => {
        life.world.trace("shown", userId, status);
        return Promise.resolve();
      },
      failed: () => undefined,
      worked: () => undefined,
    });
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
