import { performance } from "node:perf_hooks";
import type { Journal, JournalEvent } from "./journal";
import type { RoomPlan } from "./ledger";
import type { Manner } from "./load";
import { Wire, type WireHandlers } from "./wire";

export interface RoamerOptions {
  readonly index: number;
  readonly auth: unknown;
  readonly room: RoomPlan;
  readonly journal: Journal;
  readonly manner: Manner;
  /** The port to try next. */
  readonly port: () => number;
  /** Told how long it took from the connection to the last missed event. */
  readonly caughtUp: (ms: number) => void;
}

interface SyncAnswer {
  readonly ok: boolean;
  readonly data?: { readonly events: ReadonlyArray<JournalEvent & { readonly seq: number }>; readonly more: boolean };
}

const SYNC_ID = 1_000_000_000;
/** As the stock client: one second, doubled up to five, half of it by chance. */
const backoff = (attempt: number): number => Math.min(1_000 * 2 ** attempt, 5_000) * (0.5 + Math.random());

/**
 * A client that loses its connection and comes back. With Parley it then asks for what it missed and repeats what was
 * not acknowledged, as docs/protocol.md tells a client to; a peer offers neither, so there it sends what it held back.
 */
export class Roamer implements WireHandlers {
  private wire: Wire | undefined;
  private lastSeq = 0;
  private connectedAt = 0;
  private ended = false;
  /** Sent and not acknowledged. */
  private readonly pending = new Map<number, string>();
  /** Not sent yet, for want of a connection. */
  private readonly held = new Map<number, string>();

  constructor(private readonly options: RoamerOptions) {}

  get connected(): boolean {
    return this.wire !== undefined;
  }

  /** Connects, and tries again until it succeeds. */
  async connect(): Promise<void> {
    const { index, auth, port } = this.options;
    for (let attempt = 0; !this.ended; attempt++) {
      try {
        this.wire = await Wire.open(index, port(), auth, this);
        break;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, backoff(attempt)));
      }
    }
    this.connectedAt = performance.now();
    if (this.recovers) this.sync();
    for (const [message, json] of this.held) this.emit(message, json);
    this.held.clear();
    if (this.recovers) for (const [message, json] of this.pending) this.wire?.emit(message, json);
  }

  /** Loses the connection with a TCP reset and comes back after `offlineMs`. */
  async drop(offlineMs: number): Promise<void> {
    this.wire?.reset();
    this.wire = undefined;
    await new Promise((resolve) => setTimeout(resolve, offlineMs));
    await this.connect();
  }

  /** Sends a message to its room, now or as soon as there is a connection. */
  send(text: string): void {
    const { room, journal, manner } = this.options;
    const message = journal.book(room);
    const params = { conversationId: room.conversationId, commandId: journal.commandId(message), text };
    const json = `${manner.send}${JSON.stringify(params)}]`;
    if (this.wire) this.emit(message, json);
    else this.held.set(message, json);
  }

  close(): void {
    this.ended = true;
    this.wire?.close();
    this.wire = undefined;
  }

  onAck(_wire: Wire, id: number, buffer: Buffer, from: number, to: number): void {
    const text = buffer.toString("utf8", from, to);
    if (id === SYNC_ID) this.synced(JSON.parse(text) as [SyncAnswer]);
    else if (text.startsWith(this.options.manner.ok)) {
      this.pending.delete(id);
      this.options.journal.acked(id);
    } else if (this.recovers) this.later(id);
  }

  onEvent(_wire: Wire, buffer: Buffer, from: number, to: number): void {
    const [name, events] = JSON.parse(buffer.toString("utf8", from, to)) as [string, JournalEvent[]];
    if (name === "events") for (const event of events) this.take(event);
  }

  onLost(): void {
    if (!this.wire || this.ended) return;
    this.wire = undefined;
    void new Promise((resolve) => setTimeout(resolve, backoff(0))).then(() => this.connect());
  }

  private get recovers(): boolean {
    return this.options.manner.recovers === true;
  }

  private emit(message: number, json: string): void {
    this.pending.set(message, json);
    this.wire?.emit(message, json);
  }

  /** A refusal that may be repeated: tried again in a moment. */
  private later(message: number): void {
    setTimeout(() => {
      const json = this.pending.get(message);
      if (json !== undefined) this.wire?.emit(message, json);
    }, 200);
  }

  private take(event: JournalEvent): void {
    const { index, journal } = this.options;
    if (event.seq === undefined) return journal.delivered(index, event);
    // What a client of Parley has it drops: an event may come live and by sync.
    if (event.seq <= this.lastSeq) return;
    if (this.lastSeq > 0 && event.seq > this.lastSeq + 1) return this.sync();
    this.lastSeq = event.seq;
    journal.delivered(index, event);
  }

  private sync(): void {
    const cursors = { [this.options.room.conversationId]: this.lastSeq };
    this.wire?.emit(SYNC_ID, JSON.stringify(["conversation.sync", { cursors }]));
  }

  private synced([answer]: [SyncAnswer]): void {
    if (!answer.ok || !answer.data) {
      setTimeout(() => this.sync(), 200);
      return;
    }
    for (const event of answer.data.events) {
      if (event.seq <= this.lastSeq) continue;
      this.lastSeq = event.seq;
      this.options.journal.delivered(this.options.index, event);
    }
    if (answer.data.more) this.sync();
    else this.options.caughtUp(performance.now() - this.connectedAt);
  }
}
