import {
  type Collection,
  type CollectionDefinition,
  type Document,
  DuplicateKeyError,
  type Store,
} from "../../lib/store/collection";
import { MemoryStore } from "../../lib/store/memory";
import type { Faults } from "./faults";
import type { World } from "./world";

type Operation = (store: Store) => Promise<unknown>;

interface Applied {
  readonly operation: Operation;
  readonly result: Promise<unknown>;
  readonly documents: readonly Document[] | undefined;
  readonly onCommitted: ((documents: readonly never[]) => void) | undefined;
  readonly settle: (result: Promise<unknown>) => void;
}

/** Where the answers of a client's requests arrive; drops them when the node is gone. */
export interface Receiver {
  readonly name: string;
  deliver(run: () => void): void;
}

/** Milliseconds after which a client gives up waiting. */
const TIMEOUT_MS = 2_000;
const LATEST_LANDING_MS = 40_000;

/**
 * A replicated document store. A write is applied by the primary, where unique indexes are checked, and answered when a
 * majority has it; reads see what a majority has. A fail-over takes back what a majority did not have yet. Requests get
 * lost, cut in the middle, land late or are answered by nobody; then the client knows nothing of the outcome.
 */
export class SimStore {
  /** Called for inserted documents of some collections as they become durable, in that order. */
  readonly onCommitted = new Map<string, (documents: readonly never[]) => void>();
  /** Faults happen. */
  disturbed = true;
  private readonly definitions = new Map<string, CollectionDefinition>();
  private primary = new MemoryStore();
  private readonly majority = new MemoryStore();
  private oplog: Applied[] = [];
  /** Writes that are still on their way, whose callers were told nothing. */
  landing = 0;
  private downUntil = 0;
  private committedAt = 0;

  constructor(
    private readonly world: World,
    private readonly faults: Faults,
  ) {}

  /** What a majority has, read without delay. */
  get durable(): Store {
    return this.majority;
  }

  /** Nobody is answered for a while. */
  outage(ms: number): void {
    this.world.trace("store down", Math.round(ms));
    this.downUntil = Math.max(this.downUntil, this.world.now + ms);
  }

  /** Another member becomes primary: some of what a majority did not have survives, the rest never happened. */
  failOver(): void {
    const survive = this.world.random.int(this.oplog.length + 1);
    this.world.trace("fail-over", survive, this.oplog.length);
    for (let i = 0; i < survive; i++) this.commit();
    const lost = this.oplog;
    this.oplog = [];
    this.outage(this.world.random.logBetween(50, 3_000));
    this.primary = new MemoryStore();
    for (const definition of this.definitions.values()) {
      const copy = this.primary.collection(definition);
      void this.majority
        .collection(definition)
        .find({})
        .then((documents) => copy.insertMany(documents));
    }
    for (const { settle } of lost) settle(failed("fail-over"));
  }

  /** Documents that are there at once, and stay. */
  async put<T extends Document>(definition: CollectionDefinition, documents: readonly T[]): Promise<void> {
    this.definitions.set(definition.name, definition);
    for (const store of [this.primary, this.majority]) await store.collection<T>(definition).insertMany(documents);
  }

  /** A store as one node sees it. */
  client(receiver: Receiver): Store {
    return {
      collection: <T extends Document>(definition: CollectionDefinition) => {
        this.definitions.set(definition.name, definition);
        return this.collection<T>(definition, receiver);
      },
      ping: () => this.read(receiver, () => Promise.resolve()),
      close: () => Promise.resolve(),
    };
  }

  private collection<T extends Document>(definition: CollectionDefinition, receiver: Receiver): Collection<T> {
    const reads = <R>(run: (collection: Collection<T>) => Promise<R>): Promise<R> =>
      this.read(receiver, (store) => run(store.collection<T>(definition)));
    const writes = <R>(run: (collection: Collection<T>) => Promise<R>, documents?: readonly T[]): Promise<R> =>
      this.write(receiver, (store) => run(store.collection<T>(definition)), definition, documents);
    return {
      name: definition.name,
      insertMany: (documents) => {
        const sent = structuredCopy(documents);
        return this.insert(receiver, definition, sent);
      },
      find: (filter, options) => reads((collection) => collection.find(filter, options)),
      findOne: (filter, options) => reads((collection) => collection.findOne(filter, options)),
      count: (filter, limit) => reads((collection) => collection.count(filter, limit)),
      updateOne: (filter, update, options) => writes((collection) => collection.updateOne(filter, update, options)),
      findOneAndUpdate: (filter, update, options) =>
        writes((collection) => collection.findOneAndUpdate(filter, update, options)),
      bulkWrite: (operations) => {
        const sent = structuredCopy(operations);
        return writes((collection) => collection.bulkWrite(sent));
      },
      putNewer: (documents, field) => {
        const sent = structuredCopy(documents);
        return writes((collection) => collection.putNewer(sent, field));
      },
      deleteMany: (filter) => writes((collection) => collection.deleteMany(filter)),
    };
  }

  private insert<T extends Document>(
    receiver: Receiver,
    definition: CollectionDefinition,
    documents: readonly T[],
  ): Promise<void> {
    const whole: Operation = (store) => store.collection<T>(definition).insertMany(documents);
    const { random } = this.world;
    if (this.disturbed && documents.length > 1 && random.chance(this.faults.write.cut)) {
      const some = documents.slice(0, random.int(documents.length));
      const part: Operation = (store) => store.collection<T>(definition).insertMany(some);
      return this.request(receiver, (answer) => {
        this.apply(part, definition, some, () => this.back(answer, failed("connection reset")));
      });
    }
    return this.write(receiver, whole, definition, documents) as Promise<void>;
  }

  private write<R>(
    receiver: Receiver,
    operation: (store: Store) => Promise<R>,
    definition: CollectionDefinition,
    documents?: readonly Document[],
  ): Promise<R> {
    return this.request<R>(receiver, (answer) => {
      const apply = (reply: (result: Promise<unknown>) => void) => this.apply(operation, definition, documents, reply);
      const fate = this.world.random.float();
      const { lost, late, answerLost } = this.faults.write;
      if (!this.disturbed || fate > lost + late + answerLost)
        apply((result) => this.back(answer, result as Promise<R>));
      else if (fate < late) {
        const after = this.world.random.logBetween(5, LATEST_LANDING_MS);
        this.world.trace("lands late", definition.name, Math.round(after));
        this.landing += 1;
        this.world.schedule(after, () => {
          this.landing -= 1;
          apply(() => undefined);
        });
      } else if (fate < late + answerLost) apply(() => undefined);
      else this.world.trace("lost", definition.name);
    });
  }

  private read<R>(receiver: Receiver, operation: (store: Store) => Promise<R>): Promise<R> {
    return this.request<R>(receiver, (answer) => {
      const fails = this.disturbed && this.world.random.chance(this.faults.readFails);
      this.back(answer, fails ? failed("read failed") : operation(this.majority));
    });
  }

  /** Sends a request; whoever gets no answer in time knows nothing. */
  private request<R>(receiver: Receiver, arrive: (answer: (result: Promise<R>) => void) => void): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      let waiting = true;
      const answer = (result: Promise<R>): void => {
        receiver.deliver(() => {
          if (!waiting) return;
          waiting = false;
          cancel();
          resolve(result);
        });
      };
      const cancel = this.world.schedule(TIMEOUT_MS, () =>
        receiver.deliver(() => {
          waiting = false;
          reject(new Error("timed out"));
        }),
      );
      this.world.schedule(this.delay(), () => {
        if (this.world.now >= this.downUntil) arrive(answer);
        else if (this.world.random.chance(0.5)) this.back(answer, failed("no primary"));
      });
    });
  }

  private back<R>(answer: (result: Promise<R>) => void, result: Promise<R>): void {
    result.catch(() => undefined);
    this.world.schedule(this.delay(), () => answer(result));
  }

  private apply(
    operation: Operation,
    definition: CollectionDefinition,
    documents: readonly Document[] | undefined,
    settle: (result: Promise<unknown>) => void,
  ): void {
    const result = operation(this.primary);
    result.catch(() => undefined);
    const { random } = this.world;
    // A duplicate may be told at once, of a document that no majority has yet.
    if (documents && random.chance(0.5)) {
      result.catch((error: unknown) => {
        if (error instanceof DuplicateKeyError && error.index === 0) settle(result);
      });
    }
    this.oplog.push({ operation, result, settle, documents, onCommitted: this.onCommitted.get(definition.name) });
    const [low, high] = this.faults.majorityMs;
    this.committedAt = Math.max(this.committedAt, this.world.now + random.between(low, this.disturbed ? high : 2));
    this.world.schedule(this.committedAt - this.world.now, () => this.commitThrough());
  }

  /** Every applied write has a commit scheduled; those that a fail-over took or committed leave theirs without work. */
  private commitThrough(): void {
    if (this.oplog.length > 0) this.commit();
  }

  private commit(): void {
    const applied = this.oplog.shift();
    if (!applied) return;
    const { operation, result, documents, settle, onCommitted } = applied;
    operation(this.majority).catch(() => undefined);
    if (documents && onCommitted) {
      const committed = documents as readonly never[];
      void result.then(
        () => onCommitted(committed),
        (error: unknown) => {
          if (error instanceof DuplicateKeyError) onCommitted(committed.slice(0, error.index));
        },
      );
    }
    settle(result);
  }

  private delay(): number {
    const [low, high] = this.faults.storeMs;
    return this.world.random.between(low, this.disturbed ? high : 2);
  }
}

/** A rejected promise that nobody has to look at. */
function failed(reason: string): Promise<never> {
  const result = Promise.reject<never>(new Error(reason));
  result.catch(() => undefined);
  return result;
}

const structuredCopy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
