import type { Clock } from "../actor/ports";
import { type OutboxRow, OutboxStore } from "./outbox.store";
import type { Store } from "../store/collection";

/** Somebody who must learn of events, surely, if late. */
export interface Publisher<E> {
  /** Part of the row's id: never changed, without a colon or slash. */
  readonly name: string;
  /** What it must be told of an event; undefined when nothing. Pure, and cheap: it sees every event. */
  wants(event: E): object | undefined;
  /**
   * Delivers one row, at least once: the receiver drops what it has by `row._id`. Rows of a lane come in the order of
   * `seq`, one at a time; one that was published late, after a crash, comes late.
   * @throws when it must be tried again
   */
  deliver(row: OutboxRow): Promise<void>;
}

/** An event as far as the outbox reads it. */
export interface Published {
  readonly _id: string;
  readonly seq: number;
}

/** Puts events into the outbox of whoever wants them. */
export class Outbox<E extends Published> {
  private readonly rows: OutboxStore;

  constructor(
    private readonly publishers: ReadonlyArray<Pick<Publisher<E>, "name" | "wants">>,
    /** The stream that an event belongs to. */
    private readonly streamOf: (event: E) => string,
    store: Store,
    private readonly clock: Pick<Clock, "now">,
    /** Told after rows were added, so that delivery need not wait for its next turn. */
    private readonly onAdded: () => void = () => undefined,
  ) {
    this.rows = new OutboxStore(store);
  }

  /** Does anybody want it? */
  wants(event: E): boolean {
    return this.publishers.some((publisher) => publisher.wants(event) !== undefined);
  }

  /** Resolves when every row is durable. Publishing an event again changes nothing. */
  async publish(events: readonly E[]): Promise<void> {
    const now = this.clock.now();
    const rows = this.publishers.flatMap((publisher) => events.flatMap((event) => this.rowsOf(publisher, event, now)));
    for (let from = 0; from < rows.length; from += ROWS_AT_ONCE)
      await this.rows.add(rows.slice(from, from + ROWS_AT_ONCE));
    if (rows.length > 0) this.onAdded();
  }

  private rowsOf(publisher: Pick<Publisher<E>, "name" | "wants">, event: E, now: number): OutboxRow[] {
    const { name } = publisher;
    const payload = publisher.wants(event);
    if (payload === undefined) return [];
    return [
      {
        _id: `${name}:${event._id}`,
        publisher: name,
        lane: `${name}/${this.streamOf(event)}`,
        seq: event.seq,
        payload,
        state: "due",
        // At once, whatever the clock of the node that delivers.
        at: 0,
        tries: 0,
        createdAt: now,
      },
    ];
  }
}

const ROWS_AT_ONCE = 500;
