import type { ImportItem, ImportResult } from "../../services/bulk/bulk.contract";
import { CommandFailure } from "../command-line";
import type { AdminClient } from "./admin-client";
import type { Chunk, Tell } from "./chunk";

export interface ImporterPorts {
  readonly client: Pick<AdminClient, "ask">;
  readonly tell: Tell;
  readonly journal: { has(conversation: string): boolean; add(conversation: string): void };
  /** Lines that are done with. */
  readonly progress: (lines: number) => void;
}

export interface Imported {
  conversations: number;
  messages: number;
  /** Conversations that an earlier import had finished. */
  skipped: number;
}

const REQUEST_BYTES = 48_000;
const REQUEST_ITEMS = 50;
const AT_ONCE = 4;

/** Sends chunks, several in a request and several requests at once; those of one conversation in order. */
export class Importer {
  private batch: Chunk[] = [];
  private bytes = 0;
  private readonly inFlight = new Set<Promise<void>>();
  readonly imported: Imported = { conversations: 0, messages: 0, skipped: 0 };

  constructor(private readonly ports: ImporterPorts) {}

  /** @throws CommandFailure when the server cannot be reached or does not let this user import */
  async run(chunks: AsyncIterable<Chunk>): Promise<Imported> {
    for await (const chunk of chunks) await this.add(chunk);
    await this.send();
    await Promise.all(this.inFlight);
    return this.imported;
  }

  private async add(chunk: Chunk): Promise<void> {
    if (this.ports.journal.has(chunk.item.conversation.id)) {
      if (chunk.item.last) this.imported.skipped++;
      this.ports.progress(linesIn(chunk));
      return;
    }
    const size = Buffer.byteLength(JSON.stringify(chunk.item));
    if (this.batch.length === REQUEST_ITEMS || this.bytes + size > REQUEST_BYTES) await this.send();
    // What came before of the same conversation may be in a request that is not answered yet.
    if (chunk.continued && this.batch.length === 0) await Promise.all(this.inFlight);
    this.batch.push(chunk);
    this.bytes += size;
  }

  private async send(): Promise<void> {
    const batch = this.batch;
    [this.batch, this.bytes] = [[], 0];
    if (batch.length === 0) return;
    const task = this.deliver(batch).finally(() => this.inFlight.delete(task));
    this.inFlight.add(task);
    if (this.inFlight.size >= AT_ONCE) await Promise.race(this.inFlight);
  }

  private async deliver(batch: readonly Chunk[]): Promise<void> {
    let left = batch;
    while (left.length > 0) {
      try {
        const body = { items: left.map(({ item }) => item) };
        const { results } = await this.ports.client.ask<{ results: ImportResult[] }>(
          "POST",
          "/import/conversations",
          body,
        );
        for (const [index, chunk] of left.entries()) this.settle(chunk, results[index]);
        return;
      } catch (error) {
        const tooLarge = error instanceof CommandFailure && error.type === "PAYLOAD_TOO_LARGE";
        left = tooLarge ? await this.inParts(left, error) : this.withoutRefused(left, error);
      }
    }
  }

  private settle(chunk: Chunk, result: ImportResult | undefined): void {
    const { item, line, lines } = chunk;
    for (const { message, field, problem } of result?.refused ?? [])
      this.ports.tell({
        line: message === undefined ? line : (lines[message] ?? line),
        column: field,
        reason: problem,
      });
    this.imported.messages += result?.stored ?? 0;
    this.ports.progress(linesIn(chunk));
    if (!item.last) return;
    this.imported.conversations++;
    this.ports.journal.add(item.conversation.id);
  }

  /** Delivers the first half of what is too large together; answers what is left. */
  private async inParts(batch: readonly Chunk[], error: unknown): Promise<readonly Chunk[]> {
    const [only, another] = batch;
    if (only && !another) {
      const [line, second] = only.lines;
      if (line === undefined) throw error;
      if (second !== undefined) return this.inParts(halvesOf(only), error);
      this.ports.tell({ line, column: "", reason: "is larger than the server takes" });
      this.ports.progress(1);
      return [without(only, 0)];
    }
    const half = Math.ceil(batch.length / 2);
    await this.deliver(batch.slice(0, half));
    return batch.slice(half);
  }

  /** A server may allow less than this program knows of: what it names is told, and the rest is sent again. */
  private withoutRefused(batch: readonly Chunk[], error: unknown): readonly Chunk[] {
    const fields = error instanceof CommandFailure ? error.error?.data?.["fields"] : undefined;
    const [{ field, problem }] = (fields ?? [{}]) as [{ field?: string; problem?: string }];
    const [, item, message, name = ""] = /^items\.(\d+)(?:\.messages\.(\d+))?(?:\.(.*))?$/.exec(field ?? "") ?? [];
    const chunk = batch[Number(item)];
    if (!chunk) throw error;
    const line = message === undefined ? chunk.line : (chunk.lines[Number(message)] ?? chunk.line);
    this.ports.tell({ line, column: name, reason: problem ?? "is refused" });
    if (message === undefined) this.ports.progress(linesIn(chunk));
    const rest = message === undefined ? [] : [without(chunk, Number(message))];
    return batch.flatMap((other) => (other === chunk ? rest : [other]));
  }
}

/** A conversation's own line counts with its last messages. */
export const linesIn = ({ lines, item }: Chunk): number => lines.length + (item.last ? 1 : 0);

function halvesOf({ item, lines, ...chunk }: Chunk): Chunk[] {
  const { conversation, messages, last } = item;
  const half = Math.ceil(lines.length / 2);
  const part = (from: number, to: number, isLast: boolean): Chunk => ({
    ...chunk,
    item: { conversation, messages: messages.slice(from, to), last: isLast },
    lines: lines.slice(from, to),
  });
  return [part(0, half, false), part(half, lines.length, last)];
}

function without(chunk: Chunk, message: number): Chunk {
  const left = <T>(values: readonly T[]): T[] => values.filter((_value, index) => index !== message);
  const item: ImportItem = { ...chunk.item, messages: left(chunk.item.messages) };
  return { ...chunk, item, lines: left(chunk.lines) };
}
