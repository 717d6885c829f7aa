import {
  type Audience,
  maySee,
  standingChanges,
  type StoredEvent,
  toWire,
} from "../../../actors/conversation/conversation.events";
import type { WireEvent } from "../../schemas";
import type { LocalSocket } from "./ports";

/**
 * One socket on its way into a room: it takes the events between the seq of its standing and the room's, alone and in
 * order, while what the room applies meanwhile waits in `buffer`.
 */
export class CatchUp {
  /** The socket has everything through here. */
  at: number;
  cancelled = false;
  /** Settles `done`. */
  finish!: () => void;
  /** Resolves when the socket is live, or will not be. */
  readonly done: Promise<void>;
  /** Events applied by the room since `target`, in order. */
  private buffer: StoredEvent[] = [];

  /**
   * @param from  where the socket starts
   * @param standing  of its user at `from`
   * @param target  the room's seq; what lies between must be read
   * @param bufferLimit  events held back; beyond it they are dropped and read again
   */
  constructor(
    readonly socket: LocalSocket,
    readonly from: number,
    private standing: Audience | "none",
    private target: number,
    private readonly bufferLimit: number,
    private readonly emit: (events: WireEvent[]) => void,
  ) {
    this.at = from;
    this.done = new Promise((resolve) => (this.finish = resolve));
  }

  /** True when nothing is left to be read: `drain` brings the socket to the room's seq. */
  get complete(): boolean {
    return this.at >= this.target;
  }

  /** The room applied an event. */
  push(event: StoredEvent): void {
    if (event.seq <= this.at) return;
    if (this.buffer.length >= this.bufferLimit) this.buffer = [];
    if (this.buffer.length === 0) this.target = event.seq - 1;
    this.buffer.push(event);
  }

  /** Takes what continues at `at`, up to the target, from a page of the log. Answers how many events it took. */
  take(page: readonly StoredEvent[]): number {
    const next: StoredEvent[] = [];
    for (const event of page) {
      if (event.seq === this.at + next.length + 1 && event.seq <= this.target) next.push(event);
    }
    this.pass(next);
    return next.length;
  }

  /** Passes what waited, and answers the standing in which the socket is now at the room's seq. */
  drain(): Audience | "none" {
    this.pass(this.buffer);
    this.buffer = [];
    return this.standing;
  }

  private pass(events: readonly StoredEvent[]): void {
    const frame: WireEvent[] = [];
    for (const event of events) {
      const own = standingChanges(event).filter((change) => change.userId === this.socket.userId);
      for (const { standing } of own) if (standing !== "none") this.standing = standing;
      if (this.standing !== "none" && maySee(event, this.standing)) frame.push(toWire(event, this.standing));
      if (own.at(-1)?.standing === "none") this.standing = "none";
      this.at = event.seq;
    }
    if (frame.length > 0) this.emit(frame);
  }
}
