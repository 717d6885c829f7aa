import type { Collection, CollectionDefinition, Document, Filter, Store } from "../../../lib/store/collection";

export interface Entry extends Document {
  stream?: string | null;
  seq?: number;
  by?: string;
  commandId?: string;
  key?: string;
  n?: unknown;
  tags?: unknown;
  at?: { day?: unknown };
}

export const LOG: CollectionDefinition = {
  name: "log",
  indexes: [
    { fields: { stream: 1, seq: 1 }, unique: true },
    { fields: { by: 1, commandId: 1, stream: 1 }, unique: true },
    { fields: { key: 1 }, unique: true, sparse: true },
    { fields: { "at.day": 1, _id: 1 } },
  ],
};
/** No index but `_id`: every filter and sort has to be computed. */
export const PLAIN: CollectionDefinition = { name: "plain", indexes: [] };

/** What not every server that speaks MongoDB's protocol does; the suite leaves out what rests on it. */
export type Ability =
  /** Two updates of one document at once come one after the other. */
  | "atomic updates"
  /** An update that meets a unique index is told apart from other failures, and stops no other. */
  | "updates fail one by one"
  /** A missing field counts as null in a unique index that is not sparse. */
  | "missing is null"
  | "order by code point";

/** What a case works on: two empty collections of the store under test, fresh for each case. */
export class Fixture {
  declare store: Store;
  declare log: Collection<Entry>;
  declare plain: Collection<Entry>;

  constructor(private readonly lacking: readonly Ability[]) {}

  can(ability: Ability): boolean {
    return !this.lacking.includes(ability);
  }

  use(store: Store): void {
    this.store = store;
    this.log = store.collection<Entry>(LOG);
    this.plain = store.collection<Entry>(PLAIN);
  }

  /** Ids of what a filter finds, in their order. */
  async found(filter: Filter, collection = this.plain): Promise<string[]> {
    return ids(await collection.find(filter, { sort: { _id: 1 } }));
  }

  one(_id: string): Promise<Entry | undefined> {
    return this.plain.findOne({ _id });
  }
}

export const ids = (documents: readonly Document[]): string[] => documents.map((document) => document._id);

export const event = (stream: string, seq: number, more: Partial<Entry> = {}): Entry => ({
  _id: `${stream}-${seq}`,
  stream,
  seq,
  by: "u",
  commandId: `c${seq}`,
  ...more,
});
