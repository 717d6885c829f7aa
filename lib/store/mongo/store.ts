import type { Collection, CollectionDefinition, Document, Store } from "../collection";
import { MongoCollection } from "./collection";
import type { Host } from "./commands";
import { MongoConnection, type MongoModel } from "./connection";
import { describe, indexState, notMigrated, StoreNotMigratedError } from "./indexes";
import { PINGS, ReadIndex } from "./read-index";
import { failureOf } from "./replies";

export { MongoAddressError } from "./connection";
export { StoreNotMigratedError } from "./indexes";
export { MongoFailure } from "./replies";

export interface MongoOptions {
  /** Secret: it is in no error and no log line. The database is `parley` unless it names one. */
  uri: string;
  maxPoolSize?: number;
  /** How long operations look for a server, in milliseconds. */
  serverSelectionMs?: number;
  /** How long they wait for its answer; 0 for as long as it takes. */
  socketMs?: number;
}

/** The port over MongoDB, with what only this store needs: its indexes are built by the operator's own command. */
export interface MongoStore extends Store {
  check(): Promise<void>;
  /**
   * Makes what is missing of these collections, and says what it made, one line each. Repeating it changes nothing.
   * @throws StoreNotMigratedError naming what only the operator can decide about; MongoFailure
   */
  migrate(definitions: readonly CollectionDefinition[]): Promise<string[]>;
}

const OPERATION_MS = 4_000;
const NAMESPACE_EXISTS = 48;

/**
 * Opens a store on a MongoDB server through mongoose: every write waits for a majority and its journal, every read is
 * the primary's with majority concern. It never waits for the server: while that is away, operations fail within two
 * seconds, and the connection is made again in the background.
 * @throws MongoAddressError
 */
export async function openMongoStore(options: MongoOptions): Promise<MongoStore> {
  const { uri, maxPoolSize = 50, serverSelectionMs = 1_500, socketMs = 5_000 } = options;
  const times = { serverSelectionMs, socketMs, operationMs: socketMs === 0 ? 0 : OPERATION_MS };
  const connection = new MongoConnection(uri, times, maxPoolSize);
  await connection.open();
  return new OpenStore(connection);
}

interface Opened {
  readonly definition: CollectionDefinition;
  readonly model: MongoModel;
  readonly collection: MongoCollection<Document>;
  admitted: boolean;
  checking?: Promise<void> | undefined;
}

class OpenStore implements MongoStore, Host {
  private readonly opened = new Map<string, Opened>();
  readonly readIndex: ReadIndex;
  private tellsSparse: boolean | undefined;

  constructor(readonly connection: MongoConnection) {
    this.readIndex = new ReadIndex(this);
  }

  collection<T extends Document>(definition: CollectionDefinition): Collection<T> {
    return this.open(definition).collection as unknown as Collection<T>;
  }

  async ping(): Promise<void> {
    await this.collection(PINGS).updateOne({ _id: "ping" }, { $set: { at: Date.now() } }, { upsert: true });
  }

  async check(): Promise<void> {
    const checks = await Promise.allSettled([...this.opened.values()].map((opened) => this.compare(opened)));
    const differences = checks.flatMap((check) =>
      check.status === "rejected" && check.reason instanceof StoreNotMigratedError ? check.reason.differences : [],
    );
    if (differences.length > 0) throw new StoreNotMigratedError(differences);
  }

  async migrate(definitions: readonly CollectionDefinition[]): Promise<string[]> {
    const done: string[] = [];
    const conflicts: string[] = [];
    for (const definition of definitions) {
      const { model } = this.open(definition);
      await this.create(definition, done);
      const state = await indexState(model, definition, await this.knowsSparse());
      conflicts.push(...state.conflicts);
      for (const index of state.missing) {
        const { fields, unique = false, sparse = false } = index;
        await this.build(model, fields, { ...(unique && { unique }), ...(sparse && { sparse }) });
        done.push(describe(definition, index, "built"));
      }
    }
    if (conflicts.length > 0) throw new StoreNotMigratedError(conflicts);
    return done;
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  /** A collection once admitted stays so: nobody drops an index under a running node. */
  admit({ name }: CollectionDefinition): Promise<void> | undefined {
    const opened = this.opened.get(name);
    if (!opened || opened.admitted) return undefined;
    opened.checking ??= this.compare(opened).finally(() => (opened.checking = undefined));
    return opened.checking;
  }

  private open(definition: CollectionDefinition): Opened {
    const found = this.opened.get(definition.name);
    if (found) return found;
    const model = this.connection.model(definition);
    const collection = new MongoCollection<Document>(definition, this, model);
    const opened = { definition, model, collection, admitted: definition.indexes.length === 0 };
    this.opened.set(definition.name, opened);
    return opened;
  }

  private async compare(opened: Opened): Promise<void> {
    this.connection.assertOpen();
    const state = await indexState(opened.model, opened.definition, await this.knowsSparse());
    const error = notMigrated(opened.definition, state);
    if (error) throw error;
    opened.admitted = true;
  }

  /** FerretDB keeps no sparse indexes, and says so of none: its unique ones let fields be missing anyway. */
  private async knowsSparse(): Promise<boolean> {
    this.tellsSparse ??= await this.connection.command<object>({ buildInfo: 1 }).then(
      (info) => !("ferretdbVersion" in info),
      (error: unknown) => {
        throw failureOf(error);
      },
    );
    return this.tellsSparse;
  }

  private async create({ name }: CollectionDefinition, done: string[]): Promise<void> {
    try {
      await this.connection.command({ create: name });
      done.push(`collection ${name} made`);
    } catch (error) {
      if ((error as { code?: unknown }).code !== NAMESPACE_EXISTS) throw failureOf(error);
    }
  }

  private async build(model: MongoModel, fields: Readonly<Record<string, 1 | -1>>, options: object): Promise<void> {
    try {
      await model.collection.createIndex({ ...fields }, options);
    } catch (error) {
      throw failureOf(error);
    }
  }
}
