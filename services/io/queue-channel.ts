import { type QueueChange, type QueueDelta, summarise } from "../session/queue";
import type { ClientSocket } from "./client-socket";
import { encodeEvent, sendPacket } from "./wire";

/**
 * The subscribers of one topic's queue, or of the whole one, and the numbering of what they are told. An epoch begins
 * with the first of them and ends with the last.
 */
export class QueueChannel {
  readonly subscribers = new Set<ClientSocket>();
  private lastSeq = 0;

  constructor(
    readonly topic: string | undefined,
    readonly epoch: string,
  ) {}

  get seq(): number {
    return this.lastSeq;
  }

  /** One frame with what these changes come to here; none when that is nothing. */
  tell(deltas: readonly QueueDelta[]): void {
    const what = summarise(deltas, this.topic);
    if (!what) return;
    const prevSeq = this.lastSeq++;
    const change: QueueChange = { seq: this.lastSeq, prevSeq, ...what };
    // Whoever names no topic is told as ever.
    const named = this.topic === undefined ? {} : { epoch: this.epoch, topic: this.topic };
    const packet = encodeEvent("queue", { ...change, ...named });
    for (const socket of this.subscribers) sendPacket(socket, packet);
  }
}
