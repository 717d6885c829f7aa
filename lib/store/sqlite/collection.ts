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
import { parseWrite } from "../update";
import { encode, encodeDocument, segmentsOf, validateFindOptions, validateLimit } from "../values";
import type { ReadOperation, WriteName } from "./protocol";

/** The store's threads, as a collection sees them. */
export interface Threads {
  write(operation: WriteName, collection: string, text: string): Promise<string>;
  read(operation: ReadOperation, collection: string, text: string): Promise<string>;
}

/**
 * A collection whose work is done in the store's threads. What is checked here is checked before anything is sent, so
 * that a call outside the port's subset never reaches the database.
 */
export class SqliteCollection<T extends Document> implements Collection<T> {
  readonly name: string;
  private ready = false;
  private readonly defined: Promise<void>;

  /** @param defined settles when the table is there */
  constructor(
    definition: CollectionDefinition,
    private readonly threads: Threads,
    defined: Promise<void>,
  ) {
    this.name = definition.name;
    this.defined = defined.then(() => void (this.ready = true));
    this.defined.catch(() => undefined);
  }

  async insertMany(documents: readonly T[]): Promise<void> {
    const lines: string[] = [];
    let fault: Error | undefined;
    for (const document of documents) {
      try {
        lines.push(faultIs(lines.length, () => encodeDocument(document)));
      } catch (error) {
        fault = error as Error;
        break;
      }
    }
    if (lines.length > 0) await this.write("insert", lines.join("\n"));
    if (fault) throw fault;
  }

  async find(filter: Filter, options: FindOptions = {}): Promise<T[]> {
    parseFilter(filter);
    validateFindOptions(options);
    return JSON.parse(await this.read("find", encode([filter, options]))) as T[];
  }

  async findOne(filter: Filter, options?: Omit<FindOptions, "limit">): Promise<T | undefined> {
    return (await this.find(filter, { ...options, limit: 1 }))[0];
  }

  async count(filter: Filter, limit: number): Promise<number> {
    parseFilter(filter);
    validateLimit(limit);
    return Number(await this.read("count", encode([filter, limit])));
  }

  async updateOne(filter: Filter, update: Update, options: UpdateOptions = {}): Promise<UpdateResult> {
    return JSON.parse(await this.update("update", { ...options, filter, update })) as UpdateResult;
  }

  async findOneAndUpdate(filter: Filter, update: Update, options: UpdateOptions = {}): Promise<T | undefined> {
    const text = await this.update("findAndUpdate", { ...options, filter, update });
    return text === "" ? undefined : (JSON.parse(text) as T);
  }

  async bulkWrite(operations: readonly WriteOperation[]): Promise<void> {
    operations.forEach(parseWrite);
    const text = faultIs(0, () => encode(operations));
    if (operations.length > 0) await this.write("bulk", text);
  }

  async putNewer(documents: readonly T[], field: keyof T & string): Promise<void> {
    segmentsOf(field);
    const failures: unknown[] = [];
    const lines = documents.map((document, index) => {
      try {
        newness(document, field, index);
        return faultIs(index, () => encodeDocument(document));
      } catch (error) {
        failures.push(error);
        return "";
      }
    });
    if (failures.length < documents.length)
      await this.write("putNewer", [field, ...lines].join("\n")).catch((error: unknown) => failures.push(error));
    throwFirst(failures);
  }

  async deleteMany(filter: Filter): Promise<number> {
    parseFilter(filter);
    return Number(await this.write("delete", encode(filter)));
  }

  private update(operation: "update" | "findAndUpdate", write: WriteOperation): Promise<string> {
    parseWrite(write);
    const { filter, update, ...options } = write;
    return this.write(
      operation,
      faultIs(0, () => encode([filter, update, options])),
    );
  }

  private async write(operation: WriteName, text: string): Promise<string> {
    if (!this.ready) await this.defined;
    return this.threads.write(operation, this.name, text);
  }

  private async read(operation: ReadOperation, text: string): Promise<string> {
    if (!this.ready) await this.defined;
    return this.threads.read(operation, this.name, text);
  }
}

/** Throws the failure of the first document; before all, one that is no document's. */
function throwFirst(failures: readonly unknown[]): void {
  const place = (error: unknown): number =>
    error instanceof RejectedError || error instanceof DuplicateKeyError ? error.index : -1;
  const [first] = [...failures].sort((a, b) => place(a) - place(b));
  if (failures.length > 0) throw first;
}
