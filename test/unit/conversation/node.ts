import { Conversations, type ConversationsOptions } from "../../../actors/conversation/conversation.actor";
import type { Action, CommandParams, ConversationCommand } from "../../../actors/conversation/conversation.commands";
import type { StoredEvent } from "../../../actors/conversation/conversation.events";
import type { Outcome } from "../../../lib/actor/behaviour";
import type { NoOp } from "../../../actors/conversation/conversation.commands";
import { isParleyError } from "../../../lib/errors";
import type { Collection, CollectionDefinition, Document, Store } from "../../../lib/store/collection";
import { MemoryStore } from "../../../lib/store/memory";
import { SeededRandom, settle, VirtualClock } from "../../support/virtual-clock";

/** A store whose inserts into the log can be held back. */
export class GatedStore implements Store {
  private readonly waiting: Array<() => void> = [];
  /** While true, inserts into the log wait. */
  closed = false;

  constructor(private readonly inner: Store = new MemoryStore()) {}

  collection<T extends Document>(definition: CollectionDefinition): Collection<T> {
    const collection = this.inner.collection<T>(definition);
    if (definition.name !== "events") return collection;
    const insertMany = collection.insertMany.bind(collection);
    collection.insertMany = async (documents) => {
      if (this.closed) await new Promise<void>((resolve) => this.waiting.push(resolve));
      return insertMany(documents);
    };
    return collection;
  }

  async open(): Promise<void> {
    this.closed = false;
    for (const resume of this.waiting.splice(0)) resume();
    await settle();
  }

  ping(): Promise<void> {
    return this.inner.ping();
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}

/** The conversations of one node over a store in memory, under a clock that stands still. */
export class Node {
  readonly clock: VirtualClock;
  readonly store: GatedStore;
  /** It may not write any more. */
  lost = false;
  readonly found: Array<readonly StoredEvent[]> = [];
  readonly flushed: Array<readonly StoredEvent[]> = [];
  /** Attempts to project that failed. */
  readonly failures: unknown[] = [];
  readonly conversations: Conversations;

  /** Alone, unless it shares the store and the clock of a neighbour. */
  constructor(name = "node-1", options: Pick<ConversationsOptions, "publishing"> = {}, neighbour?: Node) {
    this.clock = neighbour?.clock ?? new VirtualClock();
    this.store = new GatedStore(neighbour?.store);
    this.conversations = new Conversations({
      store: this.store,
      clock: this.clock,
      random: new SeededRandom(name),
      monotonic: () => this.clock.now(),
      incarnation: name,
      fanout: {
        flush: ({ events }) => void this.flushed.push(events),
        beat: () => undefined,
        found: (events) => void this.found.push(events),
        receipts: () => undefined,
      },
      probe: {
        flushed: () => undefined,
        fenced: () => undefined,
        storeFailed: () => undefined,
        projectionFailed: (error) => void this.failures.push(error),
      },
      limits: { members: 1_000, reactions: 20, mailbox: 1_000, activations: 100 },
      sole: neighbour === undefined,
      onLost: () => (this.lost = true),
      ...options,
    });
  }

  get deadline(): number {
    return this.clock.now() + 5_000;
  }

  /** Gives a command; resolves with the event's seq, `noop`, or the error's type. */
  give<A extends Action>(
    id: string,
    by: string,
    action: A,
    params: CommandParams[A],
    commandId = `${by}-${++commands}`,
  ): Promise<unknown> {
    const head = { by, commandId, request: JSON.stringify([action, params]), deadline: this.deadline };
    const supervises = by === "sue";
    return this.conversations.command(id, { ...head, supervises, action, params } as ConversationCommand).then(
      (outcome: Outcome<StoredEvent, NoOp>) => ("event" in outcome ? outcome.event.seq : "noop"),
      (error: unknown) => (isParleyError(error) ? (error.data ?? error.type) : error),
    );
  }

  async stop(): Promise<void> {
    const stopped = this.conversations.stop();
    await this.clock.advance(1_000);
    await stopped;
  }
}

let commands = 0;
