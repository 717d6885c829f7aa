import { type Collection, type CollectionDefinition, DuplicateKeyError, type Store } from "../store/collection";

/** What one publisher has to deliver about one event. Times are wall-clock milliseconds. */
export interface OutboxRow {
  /** `<publisher>:<event id>`: publishing twice is publishing once. */
  _id: string;
  publisher: string;
  /** `<publisher>/<stream>`: rows of one lane are delivered in the order of `seq`. */
  lane: string;
  seq: number;
  payload: object;
  state: "due" | "delivered" | "dead";
  /** `due`: when it is tried next; else when it ended. */
  at: number;
  tries: number;
  createdAt: number;
}

export const OUTBOX: CollectionDefinition = {
  name: "outbox",
  indexes: [{ fields: { publisher: 1, state: 1, at: 1 } }, { fields: { lane: 1, state: 1, seq: 1 } }],
};

/** The rows of all publishers. Every write may be repeated. */
export class OutboxStore {
  private readonly rows: Collection<OutboxRow>;

  constructor(store: Store) {
    this.rows = store.collection<OutboxRow>(OUTBOX);
  }

  /** Adds rows; those that are there already, in whatever state, stay as they are. */
  async add(rows: readonly OutboxRow[]): Promise<void> {
    let missing = rows;
    while (missing.length > 0) {
      try {
        await this.rows.insertMany(missing);
        return;
      } catch (error) {
        if (!(error instanceof DuplicateKeyError)) throw error;
        // What was stored before the duplicate is found too.
        const there = await this.rows.find({ _id: { $in: missing.map(({ _id }) => _id) } });
        const known = new Set(there.map(({ _id }) => _id));
        missing = missing.filter(({ _id }) => !known.has(_id));
      }
    }
  }

  /** Rows to be tried by `now`, the longest due first. */
  due(publisher: string, now: number, limit: number): Promise<OutboxRow[]> {
    return this.rows.find({ publisher, state: "due", at: { $lte: now } }, { sort: { at: 1 }, limit });
  }

  /** The first rows of a lane that are not ended, due or not. */
  lane(lane: string, limit: number): Promise<OutboxRow[]> {
    return this.rows.find({ lane, state: "due" }, { sort: { seq: 1 }, limit });
  }

  delivered(ids: readonly string[], now: number): Promise<void> {
    return this.change(ids, { state: "delivered", at: now });
  }

  /** Not before `at`. */
  postpone(ids: readonly string[], at: number): Promise<void> {
    return this.change(ids, { at });
  }

  /** A try that failed: again at `at`. */
  failed(id: string, tries: number, at: number): Promise<void> {
    return this.change([id], { at, tries });
  }

  /** The last try failed: it stays for an operator to see, and holds nobody up. */
  dead(id: string, tries: number, now: number): Promise<void> {
    return this.change([id], { state: "dead", at: now, tries });
  }

  /** How many rows of a publisher are in a state, counting no further than `limit`. */
  count(publisher: string, state: OutboxRow["state"], limit: number): Promise<number> {
    return this.rows.count({ publisher, state }, limit);
  }

  /** Deletes some of the rows that were delivered before a time; answers how many. */
  async clean(publisher: string, before: number, limit: number): Promise<number> {
    const old = await this.rows.find({ publisher, state: "delivered", at: { $lt: before } }, { limit });
    if (old.length === 0) return 0;
    return this.rows.deleteMany({ _id: { $in: old.map(({ _id }) => _id) } });
  }

  private async change(ids: readonly string[], $set: Record<string, unknown>): Promise<void> {
    if (ids.length === 0) return;
    // Only what is due still: somebody else may have delivered it meanwhile.
    await this.rows.bulkWrite(ids.map((_id) => ({ filter: { _id, state: "due" }, update: { $set } })));
  }
}
