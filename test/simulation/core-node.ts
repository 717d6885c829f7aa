import { Conversations } from "../../actors/conversation/conversation.actor";
import { MARKS, type MarkDocument } from "../../lib/actor/mark";
import type { Store } from "../../lib/store/collection";
import { ConversationLists } from "../../services/room/conversation-lists";
import type { IoNode } from "./io-node";
import type { Life } from "./life";
import { type Answer, type Request, toCommand } from "./messages";
import type { Network, Peer } from "./network";

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
}

const SWEEP_MS = 5_000;
const OWNERLESS_MS = 20_000;

/** A process that serves conversations: the product's own `Conversations`, on a simulated store and broker. */
export class CoreNode implements Peer {
  readonly kind = "core";
  readonly life: Life;
  readonly conversations: Conversations;
  private readonly lists: ConversationLists;
  private readonly marks = new Map<string, { flush: number; renewedAt: number; since: number }>();

  constructor(private readonly options: CoreOptions) {
    const { life, store, network, limits, onLost } = options;
    this.life = life;
    const toIo = (arrive: (io: IoNode) => void): void =>
      network.broadcast(life, "io", (peer) => arrive(peer as unknown as IoNode));
    this.conversations = new Conversations({
      store,
      clock: life,
      random: life,
      incarnation: life.incarnation,
      limits,
      sole: false,
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

  /**
   * Projects and broadcasts what ended incarnations left beyond their marks, time and again, for inserts that land late.
   */
  private readonly sweep = async (): Promise<void> => {
    try {
      for (const mark of await this.options.store.collection<MarkDocument>(MARKS).find({ _id: { $gt: "" } })) {
        const known = this.marks.get(mark._id);
        if (!known || known.flush !== mark.flush || known.renewedAt !== mark.renewedAt)
          this.marks.set(mark._id, { flush: mark.flush, renewedAt: mark.renewedAt, since: this.life.now() });
        else if (this.life.now() - known.since >= OWNERLESS_MS) await this.sweepOne(mark);
      }
    } catch {
      // The next round finds what this one did not.
    }
    this.life.setTimeout(() => void this.sweep(), SWEEP_MS);
  };

  private async sweepOne(mark: MarkDocument): Promise<void> {
    const { store, projector } = this.conversations;
    const left = await store.readFlushes(mark._id, mark.flush + 1);
    for (const id of new Set(left.map(({ conversationId }) => conversationId))) {
      const { state, found } = await store.load(id);
      if (found.length > 0) projector.repair(found, state);
    }
    this.options.network.broadcast(this.life, "io", (peer) =>
      (peer as unknown as IoNode).table.receiveFound({ events: left }),
    );
  }
}
