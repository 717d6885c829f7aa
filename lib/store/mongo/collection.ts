import {
  type Collection,
  type CollectionDefinition,
  type Document,
  DuplicateKeyError,
  type Filter,
  type FindOptions,
  RejectedError,
  type Update,
  type UpdateOptions,
  type UpdateResult,
  type WriteOperation,
} from "../collection";
import { faultIs, newness } from "../fault";
import { parseFilter } from "../filter";
import { type ParsedWrite, parseWrite } from "../update";
import { segmentsOf, validateFindOptions, validateLimit } from "../values";
import { againAfterRace, Commands, type Host, SMALL, type Statement } from "./commands";
import type { MongoConnection, MongoModel } from "./connection";
import { type Prepared, prepare } from "./documents";
import { toMongoFilter, toMongoUpdate } from "./language";
import { putNewer } from "./put-newer";
import { type DocumentError, failureOf, throwFirst } from "./replies";

/** Documents that a cursor's first answer holds when there is no limit. */
const BATCH_SIZE = 5_000;

/**
 * A collection of a MongoDB server. Reads go to the primary with majority concern, behind every write that this process
 * knows to be stored. Calls are checked by the port's own validators, and what is sent is built from what those have
 * read.
 */
export class MongoCollection<T extends Document> implements Collection<T> {
  readonly name: string;
  private readonly commands: Commands;

  constructor(
    private readonly definition: CollectionDefinition,
    private readonly host: Host,
    private readonly model: MongoModel,
  ) {
    this.name = definition.name;
    this.commands = new Commands(definition, host);
  }

  async insertMany(documents: readonly T[]): Promise<void> {
    const prepared: Prepared[] = [];
    const failures = this.prepareUntil(documents, prepared);
    throwFirst(await this.commands.insert(prepared, true));
    throwFirst(failures);
  }

  async find(filter: Filter, options: FindOptions = {}): Promise<T[]> {
    const parsed = toMongoFilter(parseFilter(filter));
    validateFindOptions(options);
    const { sort = {}, limit, fresh = false } = options;
    const found = this.read(fresh, (bounds) => {
      const cursor = this.model.collection.find(parsed, {
        ...bounds,
        batchSize: Math.min(limit ?? BATCH_SIZE, BATCH_SIZE),
      });
      if (Object.keys(sort).length > 0) cursor.sort(sort);
      if (limit !== undefined) cursor.limit(limit);
      return cursor.toArray();
    });
    return found as unknown as Promise<T[]>;
  }

  async findOne(filter: Filter, options?: Omit<FindOptions, "limit">): Promise<T | undefined> {
    return (await this.find(filter, { ...options, limit: 1 }))[0];
  }

  async count(filter: Filter, limit: number): Promise<number> {
    const parsed = toMongoFilter(parseFilter(filter));
    validateLimit(limit);
    return this.read(false, (bounds) => this.model.collection.countDocuments(parsed, { limit, ...bounds }));
  }

  async updateOne(filter: Filter, update: Update, options: UpdateOptions = {}): Promise<UpdateResult> {
    const statement = this.statement(parseWrite({ ...options, filter, update }), 0);
    return againAfterRace(statement, async () => {
      const { failures, matched, upserted } = await this.commands.update([statement]);
      throwFirst(failures);
      return { matched, upserted: upserted > 0 };
    });
  }

  async findOneAndUpdate(filter: Filter, update: Update, options: UpdateOptions = {}): Promise<T | undefined> {
    const statement = this.statement(parseWrite({ ...options, filter, update }), 0);
    return againAfterRace(statement, () => this.commands.findAndModify(statement)) as Promise<T | undefined>;
  }

  async bulkWrite(operations: readonly WriteOperation[]): Promise<void> {
    const failures: DocumentError[] = [];
    const statements = operations
      .map(parseWrite)
      .map((write, index) => attempt(failures, () => this.statement(write, index)));
    const sent = statements.filter((statement) => statement !== undefined);
    const first = await this.commands.update(sent);
    const raced = new Set(first.failures.filter((each) => each instanceof DuplicateKeyError).map(({ index }) => index));
    const again = sent.filter(({ place, upsert }) => upsert && raced.has(place));
    const repeated = new Set(again.map(({ place }) => place));
    const second = await this.commands.update(again);
    throwFirst([...failures, ...first.failures.filter(({ index }) => !repeated.has(index)), ...second.failures]);
  }

  async putNewer(documents: readonly T[], field: keyof T & string): Promise<void> {
    segmentsOf(field);
    const failures: DocumentError[] = [];
    const prepared = documents.map((document, index) =>
      attempt(failures, () => {
        newness(document, field, index);
        return prepare(document, this.definition.indexes, index);
      }),
    );
    const given = prepared.filter((each) => each !== undefined);
    if (given.length > 0) failures.push(...(await putNewer(this.commands, this as never, given, field)));
    throwFirst(failures);
  }

  async deleteMany(filter: Filter): Promise<number> {
    const { failures, deleted } = await this.commands.delete(toMongoFilter(parseFilter(filter)));
    throwFirst(failures);
    return deleted;
  }

  /** Adds the documents before the first that no store takes; answers that one's failure. */
  private prepareUntil(documents: readonly T[], prepared: Prepared[]): DocumentError[] {
    const failures: DocumentError[] = [];
    for (const [index, document] of documents.entries()) {
      const each = attempt(failures, () => prepare(document, this.definition.indexes, index));
      if (!each) break;
      prepared.push(each);
    }
    return failures;
  }

  private statement({ filter, update, upsert }: ParsedWrite, place: number): Statement {
    return faultIs(place, () => ({
      place,
      size: SMALL,
      q: toMongoFilter(filter),
      u: toMongoUpdate(update, this.definition),
      upsert,
    }));
  }

  private async read<R>(fresh: boolean, run: (bounds: Bounds) => Promise<R>): Promise<R> {
    const { connection, readIndex } = this.host;
    await this.host.admit(this.definition);
    try {
      connection.assertOpen();
      if (fresh) await readIndex.pass();
      const session = connection.session();
      try {
        return await run({ maxTimeMS: connection.times.operationMs, ...(session && { session }) });
      } finally {
        await session?.endSession();
      }
    } catch (error) {
      throw failureOf(error);
    }
  }
}

interface Bounds {
  readonly maxTimeMS: number;
  readonly session?: NonNullable<ReturnType<MongoConnection["session"]>>;
}

/** Runs a step of one document; its failure is added to the others. */
function attempt<R>(failures: DocumentError[], step: () => R): R | undefined {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof RejectedError)) throw error;
    failures.push(error);
    return undefined;
  }
}
