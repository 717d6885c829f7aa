import { performance } from "node:perf_hooks";
import type { RoomPlan } from "./ledger";
import { Samples } from "./stats";

export interface JournalEvent {
  readonly seq?: number;
  readonly commandId: string;
}

/** What a run with lost connections showed. Latencies in milliseconds. */
export interface JournalResult {
  readonly sent: number;
  readonly acked: number;
  /** Deliveries of acknowledged messages to all members, in percent of what they must be. */
  readonly deliveredPercent: number;
  readonly duplicates: number;
  /** Events that came after one with a higher seq. */
  readonly disorder: number;
}

/** Books who sent what, what was acknowledged, and who saw it, over any number of connections. */
export class Journal {
  readonly tag = `${process.pid.toString(36)}${Date.now().toString(36)}`;
  readonly ack = new Samples();
  private readonly due: number[] = [];
  private readonly room: RoomPlan[] = [];
  private readonly acknowledged = new Set<number>();
  /** By message: which connections have seen it. */
  private readonly seen: Array<Set<number>> = [];
  private readonly lastSeq: number[] = [];
  private duplicates = 0;
  private disorder = 0;

  /** @param clientsPerMember clients of each member: each of them must see every message of its room */
  constructor(private readonly clientsPerMember = 1) {}

  /** Books a message and answers its number. */
  book(room: RoomPlan): number {
    const message = this.due.push(performance.now()) - 1;
    this.room.push(room);
    this.seen.push(new Set());
    return message;
  }

  commandId(message: number): string {
    return `${this.tag}-${message}`;
  }

  acked(message: number): void {
    if (this.acknowledged.has(message)) return;
    this.acknowledged.add(message);
    this.ack.add(performance.now() - (this.due[message] ?? 0));
  }

  /** A client got an event; */
  delivered(client: number, { seq, commandId }: JournalEvent): void {
    const [tag, number] = commandId.split("-");
    if (tag !== this.tag) return;
    const seen = this.seen[Number(number)];
    if (!seen) return;
    if (seen.has(client)) this.duplicates++;
    seen.add(client);
    if (seq === undefined) return;
    if (seq < (this.lastSeq[client] ?? 0)) this.disorder++;
    this.lastSeq[client] = Math.max(seq, this.lastSeq[client] ?? 0);
  }

  /** Deliveries of acknowledged messages that have not come. */
  get missing(): number {
    let missing = 0;
    for (const message of this.acknowledged) missing += this.owed(message) - (this.seen[message]?.size ?? 0);
    return missing;
  }

  private owed(message: number): number {
    return (this.room[message]?.members.length ?? 0) * this.clientsPerMember;
  }

  /** Messages without an acknowledgement. */
  get unanswered(): number {
    return this.due.length - this.acknowledged.size;
  }

  result(): JournalResult {
    let owed = 0;
    for (const message of this.acknowledged) owed += this.owed(message);
    return {
      sent: this.due.length,
      acked: this.acknowledged.size,
      deliveredPercent: (100 * (owed - this.missing)) / owed,
      duplicates: this.duplicates,
      disorder: this.disorder,
    };
  }
}
