import type { Outcome } from "../../lib/actor/behaviour";
import { HeadReader } from "../../lib/actor/head-reader";
import { ActorHost } from "../../lib/actor/host";
import { Mark, type MarkDocument, MARKS } from "../../lib/actor/mark";
import type { Clock, Monotonic, Random } from "../../lib/actor/ports";
import { Sweeper, type SweepReport } from "../../lib/actor/sweeper";
import { inTime } from "../../lib/actor/time";
import { Writer } from "../../lib/actor/writer";
import type { Kv } from "../../lib/kv/kv";
import type { Collection, Store } from "../../lib/store/collection";
import { wellFormed } from "../../lib/store/values";
import { type Alarm, Arming } from "./conversation.arming";
import { ConversationBehaviour } from "./conversation.behaviour";
import type { ConversationCommand, Facts, NoOp } from "./conversation.commands";
import type { Limits } from "./conversation.decide";
import type { StoredEvent } from "./conversation.events";
import { partsOf } from "./conversation.parts";
import { Projector, type Publishing } from "./conversation.projector";
import { ConversationReader } from "./conversation.reader";
import { Receipts } from "./conversation.receipts";
import { recoverFlushes } from "./conversation.recovery";
import type { ConversationState } from "./conversation.state";
import { ConversationStore } from "./conversation.store";
import { ConversationTail } from "./conversation.tail";
import type { Watermark } from "./conversation.watermarks";

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
  /** Snapshots, members or what is to be published could not be written; it is tried again. */
  projectionFailed?(error: unknown): void;
  /** What a node that ended left behind could not be recovered; it is tried again. */
  sweepFailed?(error: unknown): void;
}

export interface ConversationsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  /** Milliseconds that never go back, whatever is done to the wall clock. */
  readonly monotonic: Monotonic;
  /** Is this node the conversation's home, as far as it knows? Absent where no other node can be. */
  readonly isHome?: (id: string) => boolean;
  /** This life of this node; never used twice. */
  readonly incarnation: string;
  readonly fanout: Fanout;
  readonly probe?: Probe;
  /** The outbox; absent where nobody listens. */
  readonly publishing?: Publishing;
  /** Has a session's timers looked at when they are due; absent where nobody does. */
  readonly alarm?: Alarm;
  /** Where the newest events of conversations are kept for reading; absent where the store is as near. */
  readonly kv?: Kv | undefined;
  readonly limits: Limits & { readonly mailbox: number; readonly activations: number };
  /** No other node shares the store: at start, whatever an earlier life left unprojected is swept at once. */
  readonly sole: boolean;
  /** How sweeps are timed; for the simulation. */
  readonly sweeping?: Partial<typeof SWEEPING>;
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
  private readonly heads: HeadReader<StoredEvent>;
  private readonly mark: Mark;
  private readonly sweeper: Sweeper;
  private readonly tail: ConversationTail | undefined;
  private cancelBeat: (() => void) | undefined;

  constructor(private readonly options: ConversationsOptions) {
    const { store, clock, random, incarnation, fanout, probe, limits, sole } = options;
    this.store = new ConversationStore(store);
    const arming = options.alarm && new Arming(options.alarm, clock);
    const publishing = arming ? arming.publishing(options.publishing) : options.publishing;
    this.projector = new Projector(this.store, clock, random, publishing, (error) => probe?.projectionFailed?.(error));
    const { monotonic, onLost } = options;
    const marks = store.collection<MarkDocument>(MARKS);
    const projected = (): number => this.projector.projected;
    this.mark = new Mark({ marks, incarnation, clock, monotonic, projected, onLost, sole });
    this.sweeper = this.makeSweeper(marks);
    this.heads = new HeadReader(this.store, clock, random);
    this.receipts = new Receipts(store, clock, random, (id, watermarks) => fanout.receipts(id, watermarks));
    this.tail = options.kv && new ConversationTail(options.kv, clock);
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
        behaviour: new ConversationBehaviour(this.store, random, limits, arming),
        log: this.store,
        writer: this.writer,
        heads: this.heads,
        clock,
        random,
        maxMailbox: limits.mailbox,
        freshMs: sole ? undefined : FRESH_MS,
        onDurable: (_id, event, state) => this.projector.add(event, state),
        onFound: (_id, events, state) => this.found(events, state),
        projected: () => this.projector.write(),
        onFault: (error) => probe?.faulted?.(error),
      },
      { maxActivations: limits.activations, idleMs: IDLE_MS, ...(options.isHome && { isHome: options.isHome }) },
    );
    const read = (id: string, deadline: number) => this.host.read(id, deadline);
    // Nobody else writes to the store of a sole node, so its activations are never behind.
    const readHead = sole ? read : (id: string, deadline: number) => this.host.readHead(id, deadline);
    this.reader = new ConversationReader(this.store, read, readHead, this.tail);
  }

  /** The number of the last settled flush, and documents waiting for the next. */
  get progress(): { readonly incarnation: string; readonly flush: number; readonly queued: number } {
    return { incarnation: this.options.incarnation, flush: this.writer.settled, queued: this.writer.queued };
  }

  async start(): Promise<void> {
    if (this.options.sole) await this.sweep();
    this.sayBeat();
  }

  /**
   * One look for what nodes that ended left behind: it is projected, published and broadcast. Any node may do it, at any
   * time; the one that does it again and again notices whose mark stands still.
   */
  sweep(): Promise<SweepReport> {
    return this.sweeper.round();
  }

  /**
   * Answers what was taken, projects it, and ends; after `withinMs` at the latest, when the store does not answer. Then
   * the mark stays, for another node to sweep.
   */
  async stop(withinMs = Number.POSITIVE_INFINITY): Promise<void> {
    const { clock } = this.options;
    const finished = this.finish();
    if (Number.isFinite(withinMs)) {
      // What a store that does not answer leaves behind is swept.
      await inTime(clock, withinMs, () => finished.catch(() => undefined));
      this.abandon();
    } else await finished;
    this.projector.stop();
    this.cancelBeat?.();
  }

  private async finish(): Promise<void> {
    await this.host.stop();
    await this.writer.drained();
    await this.tail?.stop();
    await this.receipts.stop();
    await this.projector.write();
    await this.mark.stop();
  }

  /** Whatever is not finished by now never is. */
  private abandon(): void {
    this.mark.abandon();
    this.host.abandon();
    this.writer.abandon();
    this.heads.abandon();
  }

  /** See `Activation.ask`. */
  command(id: string, command: ConversationCommand): Promise<Outcome<StoredEvent, NoOp>> {
    // As the store will give it back: what it stored under one id must be found under the same.
    const commandId = wellFormed(command.commandId);
    return this.host.ask(id, commandId === command.commandId ? command : { ...command, commandId });
  }

  private sayBeat(): void {
    const { incarnation, flush } = this.progress;
    this.options.fanout.beat({ incarnation, flush });
    this.cancelBeat = this.options.clock.setTimeout(() => this.sayBeat(), BEAT_MS);
  }

  private settled(flush: number, stored: readonly StoredEvent[], ms: number): void {
    const { incarnation, fanout, probe } = this.options;
    this.projector.settled(flush);
    const parts = partsOf(stored);
    parts.forEach((events, part) => fanout.flush({ incarnation, flush, part, parts: parts.length, events }));
    this.tail?.add(stored);
    probe?.flushed(stored.length, ms);
  }

  private found(events: readonly StoredEvent[], state: ConversationState): void {
    this.projector.repair(events, state);
    this.tellFound(events);
  }

  private tellFound(events: readonly StoredEvent[]): void {
    for (const part of partsOf(events)) this.options.fanout.found(part);
  }

  private makeSweeper(marks: Collection<MarkDocument>): Sweeper {
    const { incarnation, monotonic, sole, probe, sweeping } = this.options;
    const ports = {
      store: this.store,
      projector: this.projector,
      found: (events: readonly StoredEvent[]) => this.tellFound(events),
    };
    return new Sweeper({
      marks,
      incarnation,
      monotonic,
      recover: (owner, flush, known) => recoverFlushes(ports, owner, flush, known),
      ...(sole ? SWEEPING_ALONE : SWEEPING),
      ...sweeping,
      onFailure: (error) => probe?.sweepFailed?.(error),
    });
  }
}

const FLUSH_DOCUMENTS = 500;
const FLUSH_BYTES = 4_000_000;
const BEAT_MS = 500;
const IDLE_MS = 60_000;
/** A state is read without a look at the log's head for so long. */
const FRESH_MS = 1_000;
/** An owner gives up after 30 s without a renewal; inserts may land late for an hour. */
const SWEEPING = { ownerlessMs: 60_000, againMs: 10_000, keepMs: 3_600_000 };
/** Whatever is there was left by an earlier life of this node. */
const SWEEPING_ALONE = { ownerlessMs: 0, againMs: 0, keepMs: 0 };
