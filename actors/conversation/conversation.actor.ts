import type { Outcome } from "../../lib/actor/behaviour";
import { HeadReader } from "../../lib/actor/head-reader";
import { ActorHost } from "../../lib/actor/host";
import { Mark, type MarkDocument, MARKS } from "../../lib/actor/mark";
import type { Clock, Random } from "../../lib/actor/ports";
import { Writer } from "../../lib/actor/writer";
import type { Collection, Store } from "../../lib/store/collection";
import { wellFormed } from "../../lib/store/values";
import { ConversationBehaviour } from "./conversation.behaviour";
import type { ConversationCommand, Facts, NoOp } from "./conversation.commands";
import type { Limits } from "./conversation.decide";
import { sizeOf, type StoredEvent } from "./conversation.events";
import { Projector } from "./conversation.projector";
import { ConversationReader } from "./conversation.reader";
import { Receipts, type Watermark } from "./conversation.receipts";
import type { ConversationState } from "./conversation.state";
import { ConversationStore } from "./conversation.store";

/** Where a core node's events go: broadcasts to the io nodes. Fire and forget. */
export interface Fanout {
  flush(part: {
    incarnation: string;
    flush: number;
    part: number;
    parts: number;
    events: readonly StoredEvent[];
  }): void;
  beat(beat: { incarnation: string; flush: number }): void;
  found(events: readonly StoredEvent[]): void;
  receipts(conversationId: string, watermarks: readonly Watermark[]): void;
}

/** Counters and timings of the hot path; plain calls, no allocation. */
export interface Probe {
  flushed(documents: number, ms: number): void;
  fenced(): void;
  storeFailed(): void;
  /** A rule threw, or the store will never take a document: the caller was answered INTERNAL. */
  faulted?(error: unknown): void;
}

export interface ConversationsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  /** This life of this node; never used twice. */
  readonly incarnation: string;
  readonly fanout: Fanout;
  readonly probe?: Probe;
  readonly limits: Limits & { readonly mailbox: number; readonly activations: number };
  /** No other node shares the store: at start, whatever an earlier life left unprojected is swept at once. */
  readonly sole: boolean;
  /** The node may not write any more and should end. */
  readonly onLost: () => void;
}

/** The conversations of one core node: activations, the node's writer, projections and receipts. */
export class Conversations {
  readonly store: ConversationStore;
  readonly reader: ConversationReader;
  readonly receipts: Receipts;
  readonly projector: Projector;
  readonly host: ActorHost<ConversationState, ConversationCommand, StoredEvent, Facts, NoOp>;
  private readonly writer: Writer<StoredEvent>;
  private readonly mark: Mark;
  private readonly marks: Collection<MarkDocument>;
  private cancelBeat: (() => void) | undefined;

  constructor(private readonly options: ConversationsOptions) {
    const { store, clock, random, incarnation, fanout, probe, limits } = options;
    this.store = new ConversationStore(store);
    this.marks = store.collection<MarkDocument>(MARKS);
    this.projector = new Projector(this.store, clock, random);
    this.mark = new Mark(this.marks, incarnation, clock, () => this.projector.projected, options.onLost, options.sole);
    this.receipts = new Receipts(store, clock, random, (id, watermarks) => fanout.receipts(id, watermarks));
    this.writer = new Writer<StoredEvent>({
      log: this.store,
      clock,
      random,
      incarnation,
      maxDocuments: FLUSH_DOCUMENTS,
      maxBytes: FLUSH_BYTES,
      beforeInsert: () => this.mark.beforeInsert(),
      onSettled: (flush, stored, ms) => this.settled(flush, stored, ms),
      onFence: () => probe?.fenced(),
      onStoreError: () => probe?.storeFailed(),
    });
    this.host = new ActorHost(
      {
        behaviour: new ConversationBehaviour(this.store, random, limits),
        log: this.store,
        writer: this.writer,
        heads: new HeadReader(this.store, clock, random),
        clock,
        random,
        maxMailbox: limits.mailbox,
        onDurable: (_id, event, state) => this.projector.add(event, state),
        onFound: (_id, events, state) => this.found(events, state),
        projected: () => this.projector.write(),
        onFault: (error) => probe?.faulted?.(error),
      },
      { maxActivations: limits.activations, idleMs: IDLE_MS },
    );
    const read = (id: string, deadline: number) => this.host.read(id, deadline);
    // Nobody else writes to the store of a sole node, so its activations are never behind.
    const readHead = options.sole ? read : (id: string, deadline: number) => this.host.readHead(id, deadline);
    this.reader = new ConversationReader(this.store, read, readHead);
  }

  /** The number of the last settled flush, and documents waiting for the next. */
  get progress(): { readonly incarnation: string; readonly flush: number; readonly queued: number } {
    return { incarnation: this.options.incarnation, flush: this.writer.settled, queued: this.writer.queued };
  }

  async start(): Promise<void> {
    if (this.options.sole) await this.sweepAll();
    this.beat();
  }

  /** Answers what was taken, projects it, and ends. */
  async stop(): Promise<void> {
    await this.host.stop();
    await this.writer.drained();
    await this.receipts.stop();
    await this.projector.write();
    await this.mark.stop();
    this.projector.stop();
    this.cancelBeat?.();
  }

  /** See `Activation.ask`. */
  command(id: string, command: ConversationCommand): Promise<Outcome<StoredEvent, NoOp>> {
    // As the store will give it back: what it stored under one id must be found under the same.
    const commandId = wellFormed(command.commandId);
    return this.host.ask(id, commandId === command.commandId ? command : { ...command, commandId });
  }

  private beat(): void {
    this.cancelBeat = this.options.clock.setTimeout(() => {
      const { incarnation, flush } = this.progress;
      this.options.fanout.beat({ incarnation, flush });
      this.beat();
    }, BEAT_MS);
  }

  private settled(flush: number, stored: readonly StoredEvent[], ms: number): void {
    const { incarnation, fanout, probe } = this.options;
    this.projector.settled(flush);
    const parts = split(stored);
    parts.forEach((events, part) => fanout.flush({ incarnation, flush, part, parts: parts.length, events }));
    probe?.flushed(stored.length, ms);
  }

  private found(events: readonly StoredEvent[], state: ConversationState): void {
    this.projector.repair(events, state);
    for (const part of split(events)) this.options.fanout.found(part);
  }

  /** Loads every conversation that an ended life of this node left beyond its mark: a load projects and broadcasts. */
  private async sweepAll(): Promise<void> {
    for (const mark of await this.marks.find({ _id: { $gt: "" } })) {
      if (mark._id === this.options.incarnation) continue;
      const left = await this.store.readFlushes(mark._id, mark.flush + 1);
      const deadline = this.options.clock.now() + SWEEP_DEADLINE_MS;
      for (const id of new Set(left.map(({ conversationId }) => conversationId))) await this.host.read(id, deadline);
      await this.projector.write();
      await this.marks.deleteMany({ _id: mark._id });
    }
  }
}

const FLUSH_DOCUMENTS = 500;
const FLUSH_BYTES = 4_000_000;
/** A broadcast carries at most so much of a flush. */
const PART_BYTES = 512_000;
const BEAT_MS = 1_000;
const IDLE_MS = 60_000;
const SWEEP_DEADLINE_MS = 60_000;

/** A flush in broadcasts of bounded size; one, even if it is empty. */
function split(events: readonly StoredEvent[]): Array<readonly StoredEvent[]> {
  let bytes = 0;
  const parts: StoredEvent[][] = [[]];
  for (const event of events) {
    const size = sizeOf(event);
    if (bytes > 0 && bytes + size > PART_BYTES) {
      parts.push([]);
      bytes = 0;
    }
    bytes += size;
    parts.at(-1)?.push(event);
  }
  return parts;
}
