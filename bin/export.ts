/** `npm run export`: all support conversations, as JSON lines or CSV. */
import { createWriteStream } from "node:fs";
import { once } from "node:events";
import { SingleBar } from "cli-progress";
import type { Result } from "../lib/contract";
import type { exportConversations, ExportRecord } from "../services/bulk/bulk.contract";
import { CsvWriter } from "./bulk/csv";
import { adminClient, namedFile, SERVER_OPTIONS } from "./bulk/options";
import { belowBar, readOptions, runCommand } from "./command-line";

const USAGE = `npm run export -- conversations.csv|conversations.jsonl [--spreadsheet]
                  [--url https://chat.example.org] [--token-file file]

Writes all support conversations of a running server into a file that npm run import reads. JSON lines have everything;
CSV has what the customer saw, as plain text. With --spreadsheet no cell is taken for a formula, and the file is not for
importing.
`;
const OPTIONS = {
  file: { type: "string" },
  spreadsheet: { type: "boolean", default: false },
  ...SERVER_OPTIONS,
} as const;

type Page = Result<typeof exportConversations>;

async function main(): Promise<void> {
  const options = readOptions(USAGE, OPTIONS, "file");
  const { file, isCsv } = namedFile(options.file);
  const { client } = adminClient(options);
  const csv = isCsv ? new CsvWriter({ spreadsheet: options.spreadsheet }) : undefined;
  const write = csv ? (records: readonly ExportRecord[]) => csv.write(records) : asJsonLines;
  const out = createWriteStream(file);
  const bar = new SingleBar({ format: "{value} conversations | {duration_formatted}" });
  bar.start(0, 0);
  if (csv) out.write(csv.head);
  for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
    const query = cursor === undefined ? "" : `?cursor=${encodeURIComponent(cursor)}`;
    const page: Page = await client.ask<Page>("GET", `/export/conversations${query}`);
    if (!out.write(write(page.records))) await once(out, "drain");
    bar.increment(page.records.filter(({ type }) => type === "conversation").length);
    cursor = page.cursor;
  }
  out.end();
  await once(out, "finish");
  bar.stop();
}

const asJsonLines = (records: readonly ExportRecord[]): string =>
  records.map((record) => `${JSON.stringify(record)}\n`).join("");

runCommand(main, belowBar);
