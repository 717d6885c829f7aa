import type { Chunk, Flaw } from "../../../bin/bulk/chunk";
import { Importer } from "../../../bin/bulk/importer";
import { CommandFailure } from "../../../bin/command-line";
import type { ImportItem, ImportResult } from "../../../services/bulk/bulk.contract";

const AT = "2026-01-05T10:00:00.000Z";

const chunkOf = (id: string, texts: readonly string[], line: number): Chunk => ({
  item: {
    conversation: { source: "old", id, openedAt: AT, customer: { id: "c" } },
    messages: texts.map((text, n) => ({ id: `${id}/${n}`, at: AT, by: "c", text })),
    last: true,
  },
  line,
  lines: texts.map((_, n) => line + 1 + n),
  continued: false,
});

/** A server that takes requests of so many bytes. */
async function importInto(limit: number, chunks: readonly Chunk[]) {
  const texts: string[] = [];
  const ended: string[] = [];
  const flaws: Flaw[] = [];
  const done: string[] = [];
  let progress = 0;
  const take = ({ conversation, messages, last }: ImportItem): ImportResult => {
    texts.push(...messages.flatMap(({ text }) => text ?? []));
    if (last) ended.push(conversation.id);
    return { stored: messages.length, refused: [] };
  };
  const ask = (_method: string, _path: string, body?: unknown): Promise<unknown> => {
    if (JSON.stringify(body).length <= limit)
      return Promise.resolve({ results: (body as { items: ImportItem[] }).items.map(take) });
    const error = { type: "PAYLOAD_TOO_LARGE", message: "The request is too large.", retryable: false } as const;
    return Promise.reject(new CommandFailure("too large", error));
  };
  const importer = new Importer({
    client: { ask: ask as never },
    tell: (flaw) => flaws.push(flaw),
    journal: { has: () => false, add: (id) => done.push(id) },
    progress: (lines) => (progress += lines),
  });
  async function* all(): AsyncGenerator<Chunk> {
    yield* chunks;
  }
  const imported = await importer.run(all());
  return { texts, ended, flaws, done, progress, imported };
}

describe("an import into a server that takes less in a request than the program sends", () => {
  const long = "x".repeat(900);
  const chunks = [chunkOf("1", ["a", "b", long, "c", "d"], 1), chunkOf("2", [long], 7), chunkOf("3", ["e", "f"], 9)];

  it("sends less at once, and tells what is too large by itself", async () => {
    const { texts, ended, flaws, done, progress, imported } = await importInto(700, chunks);
    expect(texts).toEqual(["a", "b", "c", "d", "e", "f"]);
    expect(flaws.map(({ line }) => line)).toEqual([4, 8]);
    expect([ended, done]).toEqual([
      ["1", "2", "3"],
      ["1", "2", "3"],
    ]);
    expect(imported).toEqual({ conversations: 3, messages: 6, skipped: 0 });
    expect(progress).toBe(11);
  });

  it("ends where not even a conversation alone fits", async () => {
    await expect(importInto(50, chunks)).rejects.toThrow("too large");
  });
});
