import mongoose, { type Connection, type Model, Mongoose, Schema } from "mongoose";
import type { CollectionDefinition, Document } from "../collection";
import { validateDefinition } from "../indexes";
import { failureOf, MongoFailure } from "./replies";

export type MongoModel = Model<Document>;

type Session = mongoose.mongo.ClientSession;
type Time = mongoose.mongo.Timestamp;

interface Reply {
  /** The time of a write, in a store of several servers. */
  readonly operationTime?: Time;
  readonly writeConcernError?: object;
}

/** The address cannot be understood, or names what this driver does not know. */
export class MongoAddressError extends Error {
  override readonly name = "MongoAddressError";
  constructor() {
    super("the MongoDB address is malformed");
  }
}

export interface MongoTimes {
  /** Longest search for a server that takes the operation. */
  readonly serverSelectionMs: number;
  /** Longest silence on a connection before it is given up; 0 for ever. */
  readonly socketMs: number;
  /** Longest that the server works on a read, or waits for its write concern. */
  readonly operationMs: number;
}

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 2_000;
const DATABASE = "parley";
const MALFORMED = /^Mongo(?:Parse|InvalidArgument|Runtime|MissingCredentials|MissingDependency|API)Error$|^TypeError$/;

/**
 * A connection of its own, which is made in the background: until it stands, and whenever it is lost, operations fail.
 * The driver's own retries are off, as whoever writes here knows how to repeat.
 */
export class MongoConnection {
  readonly times: MongoTimes;
  private readonly base: Mongoose;
  private readonly connection: Connection;
  private readonly named: boolean;
  private closed = false;
  private wake: (() => void) | undefined;
  private lastFailure: Error = new MongoFailure("not connected yet");
  /** The time of the latest write that this process knows to be with a majority. */
  private known: Time | undefined;

  constructor(
    private readonly uri: string,
    times: MongoTimes,
    private readonly maxPoolSize: number,
  ) {
    this.times = times;
    this.base = new Mongoose({
      strictQuery: "throw",
      sanitizeFilter: true,
      autoIndex: false,
      autoCreate: false,
      bufferCommands: false,
    });
    this.connection = this.base.createConnection();
    this.connection.on("error", () => undefined);
    this.named = /^[^:]+:\/\/[^/]+\/[^?]/.test(uri);
  }

  /**
   * Answers after the first attempt, whatever came of it, and goes on trying.
   * @throws MongoAddressError
   */
  async open(): Promise<void> {
    try {
      await this.attempt();
    } catch (error) {
      if (error instanceof MongoAddressError) throw error;
      void this.retry();
    }
  }

  /** The model of a collection, with its indexes declared and none of them built. */
  model(definition: CollectionDefinition): MongoModel {
    validateDefinition(definition);
    const schema = new Schema<Document>({ _id: Schema.Types.Mixed } as never, {
      strict: false,
      minimize: false,
      versionKey: false,
      id: false,
      collection: definition.name,
      autoIndex: false,
    });
    for (const { fields, unique = false, sparse = false } of definition.indexes)
      schema.index({ ...fields }, { ...(unique && { unique }), ...(sparse && { sparse }) });
    return this.database.model<Document>(definition.name, schema, definition.name);
  }

  /** @throws MongoFailure when there is no connection yet, or none any more */
  assertOpen(): void {
    if (this.closed) throw new MongoFailure("the store is closed");
    if (!this.database.db) throw this.lastFailure;
  }

  /** Runs a command and answers the server's reply. */
  async command<T>(command: Record<string, unknown>): Promise<T> {
    this.assertOpen();
    const reply = (await this.database.db?.command(command, { ignoreUndefined: true })) as (T & Reply) | undefined;
    const { operationTime: time, writeConcernError } = reply ?? {};
    if (time && !writeConcernError && !this.known?.greaterThan(time)) this.known = time;
    return reply as T;
  }

  /**
   * A causally consistent session behind every command that has succeeded here: whichever server is read, it answers
   * when it has all that. To be ended by the caller; undefined where one server is all there is.
   */
  session(): Session | undefined {
    if (!this.known) return undefined;
    const session = this.connection.getClient().startSession({ causalConsistency: true });
    session.advanceOperationTime(this.known);
    return session;
  }

  async close(): Promise<void> {
    this.closed = true;
    this.wake?.();
    await this.connection.close(true).catch(() => undefined);
  }

  private get database(): Connection {
    return this.named ? this.connection : this.connection.useDb(DATABASE, { useCache: true });
  }

  private async attempt(): Promise<void> {
    try {
      await this.connection.openUri(this.uri, {
        ...MONGO_OPTIONS,
        maxPoolSize: this.maxPoolSize,
        serverSelectionTimeoutMS: this.times.serverSelectionMs,
        connectTimeoutMS: this.times.serverSelectionMs,
        waitQueueTimeoutMS: this.times.serverSelectionMs,
        socketTimeoutMS: this.times.socketMs,
        writeConcern: { w: "majority", journal: true, wtimeoutMS: this.times.operationMs },
      });
    } catch (error) {
      if (MALFORMED.test((error as Error).name)) throw new MongoAddressError();
      this.lastFailure = failureOf(error);
      throw this.lastFailure;
    }
  }

  private async retry(): Promise<void> {
    for (let wait = FIRST_RETRY_MS; !this.closed; wait = Math.min(wait * 2, LAST_RETRY_MS)) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        setTimeout(resolve, wait).unref();
      });
      if (this.closed) return;
      const connected = await this.attempt().then(
        () => true,
        () => false,
      );
      if (connected && this.closed) await this.connection.close(true);
      if (connected) return;
    }
  }
}

const MONGO_OPTIONS = {
  appName: "parley",
  retryWrites: false,
  retryReads: true,
  readPreference: mongoose.mongo.ReadPreference.primary,
  readConcern: { level: "majority" },
  heartbeatFrequencyMS: 2_000,
  maxIdleTimeMS: 300_000,
  autoIndex: false,
  autoCreate: false,
  bufferCommands: false,
} as const;
