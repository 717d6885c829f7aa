/**
 * The store port: the subset of MongoDB's query and update language that Parley uses. Every implementation passes
 * `test/conformance/store.suite.ts`. An operator outside this subset throws `UnsupportedOperatorError` at once.
 */

/** A stored document. `_id` is always a string chosen by the caller. */
export interface Document {
  _id: string;
}

export type Scalar = string | number | boolean | null;

export interface Condition {
  $eq?: Scalar;
  $in?: readonly Scalar[];
  $gt?: Scalar;
  $gte?: Scalar;
  $lt?: Scalar;
  $lte?: Scalar;
  $exists?: boolean;
}

/**
 * Field paths may be dotted (`session.status`); they do not lead into arrays. Several fields are joined by AND; `$or`
 * takes whole filters. As in MongoDB `null` matches a missing field too, a range compares within one type, and a field
 * that is an array matches when one of its elements does. `undefined` for a value is refused: it would match everything.
 * A value from outside belongs into `{ $eq: value }`, where an object is refused; by itself it may be a condition.
 */
export type Filter = { [path: string]: Scalar | Condition | readonly Filter[] | undefined } & {
  $or?: readonly Filter[];
};

export interface Update {
  $set?: Record<string, unknown>;
  $unset?: Record<string, true>;
  $setOnInsert?: Record<string, unknown>;
  $inc?: Record<string, number>;
  $max?: Record<string, number | string>;
  $min?: Record<string, number | string>;
  $addToSet?: Record<string, Scalar>;
  $pull?: Record<string, Scalar>;
}

export interface FindOptions {
  /**
   * Field path to direction, in order of significance. Null and missing come first, then numbers, strings by code point,
   * booleans. The order of equals, and without a sort the order of all, is not defined.
   */
  sort?: Readonly<Record<string, 1 | -1>>;
  limit?: number;
  /**
   * The read sees everything that any process was told is stored before the read began. Without it a read sees only
   * what is durable, but while several servers agree on which of them leads, perhaps what was a moment ago. Costs a
   * write there, shared by the reads that wait for it, and fails when that does.
   */
  fresh?: boolean;
}

export interface UpdateOptions {
  /** Insert when nothing matches: the equality fields of the filter, then the update. `_id` must be among them. */
  upsert?: boolean;
}

export interface UpdateResult {
  matched: number;
  upserted: boolean;
}

export interface WriteOperation extends UpdateOptions {
  filter: Filter;
  update: Update;
}

/** An indexed field holds a scalar: a document with an array or object there, or null in a sparse index, is rejected. */
export interface IndexDefinition {
  fields: Readonly<Record<string, 1 | -1>>;
  unique?: boolean;
  /** Documents without the (single) indexed field are not in the index. */
  sparse?: boolean;
}

export interface CollectionDefinition {
  name: string;
  indexes: readonly IndexDefinition[];
}

/**
 * One collection. What a method reports as done is durable (it survives SIGKILL and power loss), and a read sees only
 * what is durable. Any error that is none of the typed ones below means an unknown outcome: the write may or may not
 * have happened, or may still happen.
 */
export interface Collection<T extends Document> {
  readonly name: string;
  /**
   * Inserts in order and stops at the first failure: documents before it are stored, it and the later ones are not.
   * @throws DuplicateKeyError, RejectedError with the `index` of the failing document
   */
  insertMany(documents: readonly T[]): Promise<void>;
  find(filter: Filter, options?: FindOptions): Promise<T[]>;
  findOne(filter: Filter, options?: Omit<FindOptions, "limit">): Promise<T | undefined>;
  /** Number of matching documents, counting no further than `limit`. */
  count(filter: Filter, limit: number): Promise<number>;
  /**
   * Updates one matching document.
   * @throws DuplicateKeyError (`index` 0) when the change would break a unique index; RejectedError when it does not fit
   * the document, such as `$inc` of a string
   */
  updateOne(filter: Filter, update: Update, options?: UpdateOptions): Promise<UpdateResult>;
  /** Updates one matching document and returns it as it is afterwards; undefined when nothing matched. */
  findOneAndUpdate(filter: Filter, update: Update, options?: UpdateOptions): Promise<T | undefined>;
  /**
   * Many independent updates in one round trip, in no particular order; one that fails does not stop the others. When
   * all are done, the first failure is thrown. Other writes may come in between.
   * @throws DuplicateKeyError, RejectedError with the `index` of the operation
   */
  bulkWrite(operations: readonly WriteOperation[]): Promise<void>;
  /**
   * Writes each document unless the stored one of the same `_id` has an equal or greater number in `field`
   * ("overwritten only by a greater seq"). In bulk, in no particular order, with failures as in `bulkWrite`.
   */
  putNewer(documents: readonly T[], field: keyof T & string): Promise<void>;
  /** Deletes all matching documents and returns how many there were. */
  deleteMany(filter: Filter): Promise<number>;
}

export interface Store {
  /** Opens a collection. A store of this process alone creates it and its declared indexes when they are missing. */
  collection<T extends Document>(definition: CollectionDefinition): Collection<T>;
  /**
   * For a store whose indexes are built by the operator: compares them for every collection opened so far.
   * @throws StoreNotMigratedError. A store that cannot be reached is no difference.
   */
  check?(): Promise<void>;
  /** Resolves after one round trip through the write path. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** A unique index already has this document's value. */
export class DuplicateKeyError extends Error {
  override readonly name = "DuplicateKeyError";
  constructor(readonly index: number) {
    super(`duplicate key at document ${index}`);
  }
}

/** The store will never take this document (too large, not serialisable). */
export class RejectedError extends Error {
  override readonly name = "RejectedError";
  constructor(
    readonly index: number,
    reason: string,
  ) {
    super(`document ${index} rejected: ${reason}`);
  }
}

/** A query or update used something outside the port's subset: a programming error. */
export class UnsupportedOperatorError extends Error {
  override readonly name = "UnsupportedOperatorError";
  constructor(operator: string) {
    super(`operator not supported: ${operator}`);
  }
}
