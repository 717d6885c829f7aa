import { type CollectionDefinition, DuplicateKeyError } from "../collection";
import type { MongoConnection } from "./connection";
import { batchesOf, type Placed, placesOf } from "./batches";
import type { Prepared } from "./documents";
import type { ReadIndex } from "./read-index";
import { type DocumentError, errorOfCode, failureOf, failuresOf, type WriteReply } from "./replies";

/** One update of one document, as it is sent. */
export interface Statement extends Placed {
  readonly q: object;
  readonly u: object;
  readonly upsert: boolean;
}

/** What a collection needs of its store. */
export interface Host {
  readonly connection: Pick<MongoConnection, "assertOpen" | "command" | "session" | "times">;
  readonly readIndex: Pick<ReadIndex, "pass">;
  /** Resolves when the indexes of the collection are known to be as defined. */
  admit(definition: CollectionDefinition): Promise<void> | undefined;
}

/**
 * The write commands of a collection. Every one waits for a majority and its journal; every reply is read to the end,
 * as an operation may fail beside others that succeed.
 */
export class Commands {
  constructor(
    private readonly definition: CollectionDefinition,
    private readonly host: Pick<Host, "connection" | "admit">,
  ) {}

  /** Inserts in as few commands as will do; ordered, it stops at the first failure. */
  async insert(documents: readonly Prepared[], ordered: boolean): Promise<DocumentError[]> {
    const failures: DocumentError[] = [];
    for (const batch of batchesOf(documents)) {
      const command = { insert: this.definition.name, documents: batch.map(({ document }) => document), ordered };
      failures.push(...failuresOf(await this.run(command), placesOf(batch)));
      if (ordered && failures.length > 0) break;
    }
    return failures;
  }

  /** Updates in no particular order. `matched` counts the documents that were there. */
  async update(
    statements: readonly Statement[],
  ): Promise<{ failures: DocumentError[]; matched: number; upserted: number }> {
    const failures: DocumentError[] = [];
    let matched = 0;
    let upserted = 0;
    for (const batch of batchesOf(statements, UPDATES)) {
      const updates = batch.map(({ q, u, upsert }) => ({ q, u, upsert }));
      const reply = await this.run({ update: this.definition.name, updates, ordered: false });
      const inserted = reply.upserted?.length ?? 0;
      failures.push(...failuresOf(reply, placesOf(batch)));
      matched += (reply.n ?? 0) - inserted;
      upserted += inserted;
    }
    return { failures, matched, upserted };
  }

  /** Updates one document and answers it as it is afterwards. */
  async findAndModify({ q, u, upsert }: Statement): Promise<unknown> {
    const command = { findAndModify: this.definition.name, query: q, update: u, upsert, new: true };
    const reply = await this.run<WriteReply & { value?: unknown }>(command);
    failuresOf(reply, [0]);
    return reply.value ?? undefined;
  }

  async delete(q: object): Promise<{ failures: DocumentError[]; deleted: number }> {
    const reply = await this.run({ delete: this.definition.name, deletes: [{ q, limit: 0 }] });
    return { failures: failuresOf(reply, [0]), deleted: reply.n ?? 0 };
  }

  /** @throws the port's error of the first operation when the server refused the command as a whole for its sake */
  private async run<R extends WriteReply>(command: Record<string, unknown>): Promise<R> {
    const { connection } = this.host;
    await this.host.admit(this.definition);
    const operationMs = connection.times.operationMs;
    const writeConcern = { w: "majority", j: true, wtimeout: operationMs };
    try {
      return await connection.command<R>({ ...command, maxTimeMS: operationMs, writeConcern });
    } catch (error) {
      throw errorOfCode((error as { code?: unknown }).code, 0) ?? failureOf(error);
    }
  }
}

/** Updates of one command: projections come in hundreds, and no insert of messages should wait for all of them. */
const UPDATES = 8;

/** An update is not measured: the callers of the port send short ones. */
export const SMALL = 4_096;

/** Of two upserts at once one may meet the other's document: then there is one to update. */
export async function againAfterRace<R>({ upsert }: Statement, run: () => Promise<R>): Promise<R> {
  try {
    return await run();
  } catch (error) {
    if (!upsert || !(error instanceof DuplicateKeyError)) throw error;
    return run();
  }
}
