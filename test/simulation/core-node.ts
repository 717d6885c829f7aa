import { Conversations } from "../../actors/conversation/conversation.actor";
import { Outbox } from "../../lib/outbox/publisher";
import type { Store } from "../../lib/store/collection";
import { ConversationLists } from "../../services/room/conversation-lists";
import type { IoNode } from "./io-node";
import type { Life } from "./life";
import { type Answer, type Request, toCommand } from "./messages";
import type { Network, Peer } from "./network";
import { WANTED } from "./scheduler-node";

export interface CoreOptions {
  readonly life: Life;
  readonly store: Store;
  readonly network: Network;
  readonly limits: {
    readonly members: number;
    readonly reactions: number;
    readonly mailbox: number;
    readonly activations: number;
  };
  readonly onLost: () => void;
  /** Somebody wants to know of messages. */
  readonly publishes: boolean;
}

const SWEEP_MS = 5_000;
/** Shorter than in the product: histories are short, and sweeping an owner that lives is part of the game. */
const SWEEPING = { ownerlessMs: 20_000, againMs: 5_000 };

/** A process that serves conversations: the product's own `Conversations`, on a simulated store and broker. */
export class CoreNode implements Peer {
  readonly kind = "core";
  readonly life: Life;
  readonly conversations: Conversations;
  private readonly lists: ConversationLists;

  constructor(private readonly options: CoreOptions) {
    const { life, store, network, limits, onLost, publishes } = options;
    this.life = life;
    const toIo = (arrive: (io: IoNode) => void): void =>
      network.broadcast(life, "io", (peer) => arrive(peer as unknown as IoNode));
    this.conversations = new Conversations({
      store,
      clock: life,
      random: life,
      monotonic: () => life.world.now,
      incarnation: life.incarnation,
      limits,
      sole: false,
      sweeping: SWEEPING,
      ...(publishes && { publishing: new Outbox([WANTED], ({ conversationId }) => conversationId, store, life) }),
      onLost,
      fanout: {
        flush: (part) => {
          life.world.trace("flush", life.incarnation, part.flush, ...part.events.map(({ _id }) => _id));
          toIo((io) => io.table.receiveFlush(part));
        },
        beat: (beat) => toIo((io) => io.table.receiveBeat(beat)),
        found: (events) => toIo((io) => io.table.receiveFound({ events })),
        receipts: () => undefined,
      },
    });
    this.lists = new ConversationLists(this.conversations);
  }

  async start(): Promise<void> {
    await this.conversations.start();
    this.life.setTimeout(() => void this.sweep(), SWEEP_MS);
  }

  ping(): Promise<void> {
    return this.options.store.ping();
  }

  async command(request: Request, deadline: number): Promise<Answer> {
    const outcome = await this.conversations.command(request.conversationId, toCommand(request, deadline));
    if ("noop" in outcome) return { kind: "no-op", seq: outcome.noop.seq };
    return { kind: "done", seq: outcome.event.seq, id: outcome.event._id };
  }

  memberships(userId: string) {
    return this.lists.memberships(userId);
  }

  private readonly sweep = async (): Promise<void> => {
    try {
      await this.conversations.sweep();
    } catch {
      // The next round finds what this one did not.
    }
    this.life.setTimeout(() => void this.sweep(), SWEEP_MS);
  };
}
