import type { CollectionDefinition } from "../collection";
import { againAfterRace, Commands, type Host, SMALL } from "./commands";
import { throwFirst } from "./replies";

/** What is written for the sake of being written. */
export const PINGS: CollectionDefinition = { name: "parley_ping", indexes: [] };

/**
 * Makes sure that the read that follows misses nothing acknowledged before it began. A majority read alone may be the
 * past: a primary that was deposed answers from what it knows until it notices, and a new one does not know at once what
 * the old one acknowledged. A write that a majority has taken proves that its server led the others after the read
 * began, and whoever reads behind the time of that write sees all there was (ReadIndex: Ongaro, "Consensus: bridging
 * theory and practice", 2014, section 6.4).
 */
export class ReadIndex {
  private readonly commands: Commands;
  /** Resolves when the last write is answered. */
  private underWay: Promise<unknown> = Promise.resolve();
  /** The write that is not sent yet. */
  private next: Promise<void> | undefined;

  constructor(host: Pick<Host, "connection" | "admit">) {
    this.commands = new Commands(PINGS, host);
  }

  /**
   * Resolves when `session()` of the connection is behind a write that was sent after this call. One write at a time;
   * those who ask before it is sent share it.
   * @throws MongoFailure
   */
  pass(): Promise<void> {
    if (this.next) return this.next;
    const next = this.underWay.then(() => {
      this.next = undefined;
      return this.write();
    });
    this.next = next;
    this.underWay = next.catch(() => undefined);
    return next;
  }

  /** A change each time: a write that changes nothing may be answered without the others. */
  private write(): Promise<void> {
    const statement = { place: 0, size: SMALL, q: { _id: "read" }, u: { $inc: { n: 1 } }, upsert: true };
    return againAfterRace(statement, async () => throwFirst((await this.commands.update([statement])).failures));
  }
}
