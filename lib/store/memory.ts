/**
 * The store port in memory: for tests and for simulation. It is deterministic - no timer, no randomness, no I/O -
 * and answers in microtasks. Documents are copied on the way in and out. The same calls
 * in the same order give the same answers in the same order.
 */
import {
  type Collection,
  type CollectionDefinition,
  type Document,
  DuplicateKeyError,
  type Filter,
  type FindOptions,
  type Scalar,
  type Store,
  type Update,
  type UpdateOptions,
  type UpdateResult,
  type WriteOperation,
} from "./collection";
import { faultIs, newness } from "./fault";
import { equalityFields, matchesParsed, parseFilter, type ParsedFilter } from "./filter";
import { MemoryIndex, validateDefinition } from "./indexes";
import { applyParsed, type ParsedWrite, parseWrite, upserted } from "./update";
import { comparator, copy, encodeDocument, validateFindOptions, validateLimit, valueAt } from "./values";

export class MemoryStore implements Store {
  private readonly collections = new Map<string, MemoryCollection<Document>>();
  private closed = false;

  collection<T extends Document>(definition: CollectionDefinition): Collection<T> {
    let found = this.collections.get(definition.name);
    if (!found) this.collections.set(definition.name, (found = new MemoryCollection(definition)));
    return found as unknown as Collection<T>;
  }

  ping(): Promise<void> {
    return this.closed ? Promise.reject(new Error("the store is closed")) : Promise.resolve();
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}

class MemoryCollection<T extends Document> implements Collection<T> {
  readonly name: string;
  private readonly documents = new Map<string, T>();
  private readonly indexes: readonly MemoryIndex<T>[];

  constructor(definition: CollectionDefinition) {
    validateDefinition(definition);
    this.name = definition.name;
    this.indexes = definition.indexes.map((index) => new MemoryIndex<T>(index));
  }

  insertMany(documents: readonly T[]): Promise<void> {
    return promised(() => documents.forEach((document, index) => this.put(stored(document, index), undefined, index)));
  }

  find(filter: Filter, options?: FindOptions): Promise<T[]> {
    return promised(() => {
      validateFindOptions(options);
      return this.select(parseFilter(filter), options ?? {}).map(copy);
    });
  }

  findOne(filter: Filter, options?: Omit<FindOptions, "limit">): Promise<T | undefined> {
    return this.find(filter, { ...options, limit: 1 }).then((found) => found[0]);
  }

  count(filter: Filter, limit: number): Promise<number> {
    return promised(() => {
      validateLimit(limit);
      return this.select(parseFilter(filter), { limit }).length;
    });
  }

  updateOne(filter: Filter, update: Update, options?: UpdateOptions): Promise<UpdateResult> {
    return promised(() => {
      const { matched, inserted } = this.write(parseWrite({ ...options, filter, update }), 0);
      return { matched, upserted: inserted };
    });
  }

  findOneAndUpdate(filter: Filter, update: Update, options?: UpdateOptions): Promise<T | undefined> {
    return promised(() => copy(this.write(parseWrite({ ...options, filter, update }), 0).document));
  }

  bulkWrite(operations: readonly WriteOperation[]): Promise<void> {
    return promised(() => independently(operations.map(parseWrite), (write, index) => this.write(write, index)));
  }

  putNewer(documents: readonly T[], field: keyof T & string): Promise<void> {
    return promised(() =>
      independently(documents, (given, index) => {
        const document = stored(given, index);
        const seq = newness(document, field, index);
        const before = this.documents.get(document._id);
        const seqBefore = before && valueAt(before, field);
        if (typeof seqBefore !== "number" || seqBefore < seq) this.put(document, before, index);
      }),
    );
  }

  deleteMany(filter: Filter): Promise<number> {
    return promised(() => {
      const found = this.select(parseFilter(filter), {});
      for (const document of found) {
        for (const index of this.indexes) index.remove(document);
        this.documents.delete(document._id);
      }
      return found.length;
    });
  }

  private write(write: ParsedWrite, index: number): { matched: number; inserted: boolean; document?: T } {
    const [before] = this.select(write.filter, { limit: 1 });
    if (!before && !write.upsert) return { matched: 0, inserted: false };
    const document = faultIs(index, () => {
      if (!before) return upserted(write.filter, write.update) as unknown as T;
      const after = copy(before);
      applyParsed(after, write.update, false);
      return after;
    });
    this.put(document, before, index);
    return { matched: before ? 1 : 0, inserted: !before, document };
  }

  /** Stores a document in the place of another one, or as a new one, unless a unique index forbids it. */
  private put(document: T, before: T | undefined, index: number): void {
    const keys = faultIs(index, () => this.indexes.map((each) => each.keys(document)));
    if (this.documents.get(document._id) !== before) throw new DuplicateKeyError(index);
    if (this.indexes.some((each, i) => each.conflicts(keys[i] ?? [], before))) throw new DuplicateKeyError(index);
    if (before) for (const each of this.indexes) each.remove(before);
    this.indexes.forEach((each, i) => each.add(keys[i] ?? [], document));
    this.documents.set(document._id, document);
  }

  private select(filter: ParsedFilter, options: FindOptions): T[] {
    const limit = options.limit ?? Infinity;
    const found: T[] = [];
    for (const document of this.candidates(filter) ?? this.documents.values()) {
      if (matchesParsed(filter, document) && found.push(document) >= limit && !options.sort) break;
    }
    if (!options.sort) return found;
    return found.sort(comparator(options.sort)).slice(0, limit);
  }

  /** At least the documents that match; undefined when no index narrows them down. */
  private candidates(filter: ParsedFilter): Iterable<T> | undefined {
    const ids = filter.terms.find((term) => term.path === "_id" && (term.op === "eq" || term.op === "in"));
    if (ids) return this.byIds(ids.op === "in" ? ids.values : [ids.value as Scalar]);
    const fixed = equalityFields(filter);
    let best: { index: MemoryIndex<T>; values: Scalar[] } | undefined;
    for (const index of this.indexes) {
      const values = prefix(index.paths, fixed);
      if (values.length > (best?.values.length ?? 0)) best = { index, values };
    }
    return best?.index.lookup(best.values) ?? (filter.or && this.candidatesOfAny(filter.or));
  }

  private candidatesOfAny(branches: readonly ParsedFilter[]): Iterable<T> | undefined {
    const found = new Set<T>();
    for (const branch of branches) {
      const candidates = this.candidates(branch);
      if (!candidates) return undefined;
      for (const document of candidates) found.add(document);
    }
    return found;
  }

  private byIds(ids: readonly Scalar[]): T[] {
    const found = [...new Set(ids)].map((id) => this.documents.get(String(id)));
    return found.filter((document) => document !== undefined);
  }
}

function prefix(paths: readonly string[], fixed: ReadonlyMap<string, Scalar>): Scalar[] {
  const values: Scalar[] = [];
  for (const path of paths) {
    const value = fixed.get(path);
    if (value === undefined) break;
    values.push(value);
  }
  return values;
}

/** The document as it would be read again. */
const stored = <T extends Document>(document: T, index: number): T =>
  JSON.parse(faultIs(index, () => encodeDocument(document))) as T;

/** Runs a step for each item; all of them run, then the first failure is thrown. */
function independently<T>(items: readonly T[], step: (item: T, index: number) => void): void {
  const failures: unknown[] = [];
  items.forEach((item, index) => {
    try {
      step(item, index);
    } catch (error) {
      failures.push(error);
    }
  });
  if (failures.length > 0) throw failures[0];
}

function promised<T>(run: () => T): Promise<T> {
  return new Promise((resolve) => resolve(run()));
}
