import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Chunk, Flaw } from "../../../bin/bulk/chunk";
import { readJsonLines } from "../../../bin/bulk/jsonl";
import { collect } from "../../support/collect";

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "parley-jsonl-"))));
afterAll(() => rmSync(folder, { recursive: true }));

async function read(...lines: readonly unknown[]): Promise<{ chunks: Chunk[]; flaws: Flaw[] }> {
  const file = join(folder, "file.jsonl");
  writeFileSync(file, lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"));
  const flaws: Flaw[] = [];
  const chunks = await collect(readJsonLines(file, "old", (flaw) => flaws.push(flaw)));
  return { chunks, flaws };
}

const AT = "2026-01-05T10:00:00.000Z";
const conversation = (id: string, more: object = {}) => ({
  ...{ type: "conversation", id, openedAt: AT, customer: { id: "c" } },
  ...more,
});
const message = (of: string, id: string, text = "Hi") => ({
  ...{ type: "message", conversation: of, id, at: AT, by: "c", text },
});

describe("a file of JSON lines", () => {
  it("is conversations, each followed by its messages", async () => {
    const { chunks, flaws } = await read(conversation("1"), message("1", "a"), conversation("2", { source: "other" }));
    expect(flaws).toEqual([]);
    expect(chunks.map(({ item }) => [item.conversation.source, item.conversation.id, item.messages.length])).toEqual([
      ["old", "1", 1],
      ["other", "2", 0],
    ]);
  });

  it("ends its lines where newlines are, whatever else is a line break elsewhere", async () => {
    const text = "one\u2028two\u2029three\u0085four\vfive";
    const { chunks, flaws } = await read(
      conversation("1"),
      message("1", "a", text),
      `${JSON.stringify(message("1", "b"))}\r`,
    );
    expect(flaws).toEqual([]);
    expect(chunks[0]?.item.messages.map((one) => one.text)).toEqual([text, "Hi"]);
  });

  it("says what a message answers and what became of it, and how the conversation was rated", async () => {
    const changes = { replyTo: "0", editedAt: AT, reactions: [{ emoji: "+1", by: "c", at: AT }] };
    const rating = { score: 5, comment: "Quick", at: AT };
    const { chunks, flaws } = await read(conversation("1", { rating }), { ...message("1", "a"), ...changes });
    expect(flaws).toEqual([]);
    expect(chunks[0]?.item).toMatchObject({ conversation: { rating }, messages: [changes] });
    const bad = await read(
      conversation("1"),
      ...[{ replyTo: "" }, { editedAt: "now" }, { deletedAt: 7 }, { whisper: "yes" }, { reactions: [] }].map(
        (more) => ({
          ...message("1", "a"),
          ...more,
        }),
      ),
      { ...message("1", "a"), reactions: [{ emoji: "", by: "c", at: AT }] },
      conversation("2", { rating: { score: 6, at: AT } }),
    );
    expect(bad.flaws.map(({ line, column }) => [line, column])).toEqual([
      [2, "replyTo"],
      [3, "editedAt"],
      [4, "deletedAt"],
      [5, "whisper"],
      [6, "reactions"],
      [7, "reactions.0.emoji"],
      [8, "rating.score"],
    ]);
    expect(bad.chunks.map(({ item }) => [item.conversation.id, item.messages])).toEqual([["1", []]]);
  });

  it("comes in chunks of bounded size, the last one marked", async () => {
    const many = Array.from({ length: 250 }, (_, n) => message("1", `m${n}`, n < 10 ? "x".repeat(7_000) : "x"));
    const { chunks } = await read(conversation("1"), ...many);
    expect(chunks.flatMap(({ item }) => item.messages.map(({ id }) => id))).toEqual(many.map(({ id }) => id));
    for (const { item } of chunks) expect(JSON.stringify(item).length).toBeLessThan(33_000);
    expect(chunks.map(({ continued, item }) => [continued, item.last])).toEqual(
      chunks.map((_, at) => [at > 0, at === chunks.length - 1]),
    );
  });

  it("tells each line that cannot be read, and reads the others", async () => {
    const { chunks, flaws } = await read(
      message("0", "early"),
      "{",
      "[]",
      conversation("1"),
      { type: "message", conversation: "1", id: "x", by: "c", at: "now", text: "x" },
      message("2", "stray"),
      { type: "other" },
      message("1", "good"),
      conversation("3", { customer: 7 }),
      message("3", "lost"),
      conversation("4"),
    );
    expect(flaws.map(({ line, column }) => [line, column])).toEqual([
      [1, "type"],
      [2, ""],
      [3, ""],
      [5, "at"],
      [6, "conversation"],
      [7, "type"],
      [9, "customer"],
      [10, "conversation"],
    ]);
    expect(chunks.map(({ item }) => [item.conversation.id, item.messages.map(({ id }) => id)])).toEqual([
      ["1", ["good"]],
      ["4", []],
    ]);
  });
});
