import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import type { Chunk, Flaw } from "../../../bin/bulk/chunk";
import { CsvWriter, readCsv, readTime } from "../../../bin/bulk/csv";
import { CommandFailure } from "../../../bin/command-line";
import type { ExportRecord } from "../../../services/bulk/bulk.contract";
import { collect } from "../../support/collect";

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "parley-csv-"))));
afterAll(() => rmSync(folder, { recursive: true }));

async function read(content: string): Promise<{ chunks: Chunk[]; flaws: Flaw[] }> {
  const file = join(folder, "file.csv");
  writeFileSync(file, content);
  const flaws: Flaw[] = [];
  const chunks = await collect(readCsv(file, "csv", (flaw) => flaws.push(flaw)));
  return { chunks, flaws };
}

const HEAD = "User ID,Timestamp (UTC),Message Body\n";
const texts = ({ item }: Chunk): Array<string | undefined> => item.messages.map(({ text }) => text);

describe("a CSV file of conversations", () => {
  it("is one conversation for each user, with its messages in order of time, wherever they stand", async () => {
    const rows = ["208,2017-02-01 19:29:05,Second", "218,2017-02-01 16:08:19,Other", "208,2017-02-01 19:29:04,First"];
    const { chunks, flaws } = await read(`\uFEFF${HEAD}${rows.join("\n")}\n`);
    expect(flaws).toEqual([]);
    expect(chunks.map(texts)).toEqual([["First", "Second"], ["Other"]]);
    expect(chunks[0]?.item.conversation).toEqual({
      ...{ source: "csv", id: "208", customer: { id: "208" } },
      ...{ openedAt: "2017-02-01T19:29:04.000Z", closedAt: "2017-02-01T19:29:05.000Z" },
    });
    expect(chunks.map(({ item, lines }) => [item.last, lines])).toEqual([
      [true, [4, 2]],
      [true, [3]],
    ]);
  });

  it("gives equal rows ids of their own, the same whenever it is read", async () => {
    const file = `${HEAD}1,2017-02-01 19:29:05,Hi\n1,2017-02-01 19:29:05,Hi\n`;
    const [first, again] = [await read(file), await read(file)];
    const ids = first.chunks[0]?.item.messages.map(({ id }) => id) ?? [];
    expect(new Set(ids).size).toBe(2);
    expect(again.chunks).toEqual(first.chunks);
  });

  it("tells each row that cannot be read by line, column and reason, and reads the others", async () => {
    const rows = [
      ",2017-02-01 19:29:05,No user",
      "1,yesterday,No time",
      "1,2017-02-30 00:00:00,No such day",
      "1,2017-02-01 19:29:05,",
      "1,2017-02-01 19:29:05",
      `1,2017-02-01 19:29:05,${"x".repeat(8_001)}`,
      '1,2017-02-01 19:29:05,"Two\nlines"',
      "2,2017-02-01 19:29:05,Good",
    ];
    const { chunks, flaws } = await read(HEAD + rows.join("\n"));
    expect(flaws.map(({ line, column }) => [line, column])).toEqual([
      [2, "User ID"],
      [3, "Timestamp (UTC)"],
      [4, "Timestamp (UTC)"],
      [5, "Message Body"],
      [6, ""],
      [7, "Message Body"],
    ]);
    expect(chunks.map(texts)).toEqual([["Two\nlines"], ["Good"]]);
    expect(chunks[1]?.lines).toEqual([10]);
  });

  it("is refused as a whole without its columns", async () => {
    await expect(read("a,b\n1,2\n")).rejects.toThrow(CommandFailure);
  });

  it("reads back as it was written, whatever people wrote", async () => {
    const cell = fc.oneof(
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }),
      fc.constantFrom('"', '""', ",", "\n", "\r\n", '",\n"', "=1+1", "@x", " a ", "\t", "'", "\uFEFF", '"\r', "\r"),
    );
    const id = cell.filter((text) => text.length <= 60);
    const message = fc.record({ at: fc.integer({ min: 1, max: 1e12 }), own: fc.boolean(), text: cell });
    const talk = fc.record({ id, customer: id, messages: fc.array(message, { minLength: 1, maxLength: 4 }) });
    const talks = fc.uniqueArray(talk, { maxLength: 4, selector: (one) => one.id });
    await fc.assert(
      fc.asyncProperty(talks, async (all) => {
        const writer = new CsvWriter({ spreadsheet: false });
        const records = all.flatMap(({ id: name, customer, messages }): ExportRecord[] => [
          {
            ...{ type: "conversation", source: "csv", id: name, openedAt: "2017-02-01T19:29:04.000Z" },
            ...{ customer: { id: customer }, topic: "loan", urgency: "high", status: "closed" },
          },
          ...[...messages]
            .sort((a, b) => a.at - b.at)
            .map(({ at, own, text }): ExportRecord => ({
              ...{ type: "message", conversation: name, id: "x", text },
              ...{ at: new Date(at).toISOString(), by: own ? customer : `${customer.slice(0, 50)}+` },
            })),
        ]);
        const { chunks, flaws } = await read(writer.head + writer.write(records));
        expect(flaws).toEqual([]);
        const seen = chunks.map(({ item: { conversation, messages } }) => ({
          ...{ id: conversation.id, customer: conversation.customer.id, topic: conversation.topic },
          messages: messages.map(({ at, by, text }) => ({ at, by, text })),
        }));
        const written = all.map(({ id: name, customer }) => ({
          ...{ id: name, customer, topic: "loan" },
          messages: records.flatMap((record) =>
            record.type === "message" && record.conversation === name
              ? [{ at: record.at, by: record.by, text: record.text }]
              : [],
          ),
        }));
        expect(seen).toEqual(written);
      }),
      { numRuns: 60 },
    );
  });

  it("of any content is read or told of, and never ends the program", async () => {
    const bits = fc.array(fc.oneof(fc.constantFrom('"', ",", "\n", "\r\n", "1", "2017-02-01 00:00"), fc.string()));
    await fc.assert(
      fc.asyncProperty(bits, async (some) => {
        const { chunks } = await read(HEAD + some.join(""));
        expect(Array.isArray(chunks)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it("for a spreadsheet has no cell that is taken for a formula", () => {
    const record: ExportRecord = {
      ...{ type: "conversation", source: "csv", id: "1", openedAt: "2017-02-01T19:29:04.000Z", customer: { id: "+1" } },
    };
    const message: ExportRecord = {
      ...{ type: "message", conversation: "1", id: "x", at: "2017-02-01T19:29:04.000Z", by: "+1", text: "=cmd()" },
    };
    const written = new CsvWriter({ spreadsheet: true }).write([record, message]);
    expect(written).toContain("'+1,");
    expect(written).toContain("'=cmd()");
  });

  it("leaves out notes, which nobody could tell from what the customer saw, and what was deleted", () => {
    const at = "2017-02-01T19:29:04.000Z";
    const records: ExportRecord[] = [
      { type: "conversation", source: "csv", id: "1", openedAt: at, customer: { id: "1" } },
      { type: "message", conversation: "1", id: "x", at, by: "2", text: "secret", note: true },
      { type: "message", conversation: "1", id: "y", at, by: "2", text: "secret", whisper: true },
      { type: "message", conversation: "1", id: "z", at, by: "1", deletedAt: at },
    ];
    expect(new CsvWriter({ spreadsheet: false }).write(records)).toBe("");
  });
});

describe("a time in UTC", () => {
  it.each([
    ["2017-02-01 19:29:05", "2017-02-01T19:29:05.000Z"],
    ["2017-02-01T19:29:05.1Z", "2017-02-01T19:29:05.100Z"],
    ["2017-02-01 19:29", "2017-02-01T19:29:00.000Z"],
    ["2017-02-01 19:29:05.123456", "2017-02-01T19:29:05.123Z"],
    ["2017-13-01 19:29:05", undefined],
    ["2017-02-29 19:29:05", undefined],
    ["2017-02-01 24:00:00", undefined],
    ["1485977345", undefined],
    ["2017-02-01 19:29:05+01:00", undefined],
  ])("%s is %s", (text, iso) => expect(readTime(text)).toBe(iso));
});
