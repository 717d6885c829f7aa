import type { ServiceBroker } from "moleculer";
import type { Conversations } from "../actors/conversation/conversation.actor";
import type { ConversationState } from "../actors/conversation/conversation.state";
import { fromSnapshot } from "../actors/conversation/conversation.snapshot";
import { othersOffering } from "../lib/offers";
import { resourcesOf } from "../lib/resources";
import { SlowNodes } from "../lib/slow-nodes";
import { homesOf } from "./room/catch-up";
import { callRoom } from "./room/room.internal";

const ACTION = "room.projected";
/** A core node that does not answer in time is not waited for, and not asked again for a while. */
const PATIENCE_MS = 1_000;

/** What somebody is about to list from the projections. */
export interface Lists {
  /** Users whose conversations will be listed. */
  readonly userIds: readonly string[];
  /** Will sessions be? */
  readonly sessions: boolean;
}

interface Waiting extends Lists {
  readonly done: () => void;
}

/**
 * What the core nodes know that is not in the projections yet, for lists, which any of them serves. Nobody waits long
 * for a node that does not answer: what it knew is in the log, and soon in the projections.
 */
export class OtherCores {
  private waiting: Waiting[] = [];
  private running = false;
  /** They are not asked. */
  private readonly slow: SlowNodes;
  private readonly homeOf: (conversationId: string) => string | undefined;

  constructor(
    private readonly broker: ServiceBroker,
    private readonly conversations: Conversations,
  ) {
    this.slow = new SlowNodes(resourcesOf(broker).clock);
    this.homeOf = homesOf(broker);
  }

  /**
   * Resolves when the projections have what was answered before this call, on whichever node. One round over the nodes
   * is under way at a time; who comes meanwhile shares the next one. Never rejects.
   */
  project({ userIds = [], sessions = false }: Partial<Lists>): Promise<void> {
    return new Promise((done) => {
      this.waiting.push({ userIds, sessions, done });
      if (!this.running) void this.run();
    });
  }

  /** The states of those of these conversations that are active at their homes. Never rejects. */
  async peek(ids: readonly string[]): Promise<ConversationState[]> {
    const byHome = new Map<string, string[]>();
    for (const id of ids) {
      const home = this.homeOf(id) ?? this.broker.nodeID;
      byHome.set(home, [...(byHome.get(home) ?? []), id]);
    }
    const states = await Promise.all([...byHome].map(([home, theirs]) => this.peekAt(home, theirs)));
    return states.flat();
  }

  private async peekAt(home: string, ids: readonly string[]): Promise<ConversationState[]> {
    if (home === this.broker.nodeID) return ids.flatMap((id) => this.conversations.host.peek(id) ?? []);
    const answer = await this.ask(home, (options) => callRoom(this.broker, "room.peek", { ids }, options));
    return answer?.snapshots.map(fromSnapshot) ?? [];
  }

  private async run(): Promise<void> {
    this.running = true;
    while (this.waiting.length > 0) {
      const { waiting } = this;
      this.waiting = [];
      const userIds = [...new Set(waiting.flatMap((one) => one.userIds))];
      const lists = { userIds, sessions: waiting.some(({ sessions }) => sessions) };
      const others = this.others().map((id) =>
        this.ask(id, (options) => callRoom(this.broker, ACTION, lists, options)),
      );
      await Promise.all([writeProjections(this.conversations, lists), ...others]);
      for (const { done } of waiting) done();
    }
    this.running = false;
  }

  private others(): string[] {
    const { broker } = this;
    return broker.transit ? othersOffering(broker, ACTION) : [];
  }

  private async ask<T>(
    nodeID: string,
    call: (options: { nodeID: string; timeout: number }) => Promise<T>,
  ): Promise<T | undefined> {
    if (this.slow.has(nodeID)) return undefined;
    return this.slow.watch(nodeID, call({ nodeID, timeout: PATIENCE_MS })).catch(() => undefined);
  }
}

/** Writes what the projections of this node lack for these lists. */
export async function writeProjections({ projector }: Conversations, { userIds, sessions }: Lists): Promise<void> {
  const lags = userIds.some((userId) => projector.lags(userId)) || (sessions && projector.lagsInSessions);
  if (lags) await projector.write();
}

const byBroker = new WeakMap<ServiceBroker, OtherCores>();

/** The other core nodes, as this broker's node asks them. */
export function otherCoresOf(broker: ServiceBroker, conversations: Conversations): OtherCores {
  let others = byBroker.get(broker);
  if (!others) byBroker.set(broker, (others = new OtherCores(broker, conversations)));
  return others;
}
