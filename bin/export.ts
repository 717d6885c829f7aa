/** `npm run export`: all support conversations, as JSON lines or CSV. */
import { createWriteStream } from "node:fs";
import { once } from "node:events";
import { SingleBar } from "cli-progress";
import type { Result } from "../lib/contract";
import type { exportConversations, ExportRecord } from "../services/bulk/bulk.contract";
import { RequestError } from "./bulk/admin-client";
import { CsvWriter, FileError } from "./bulk/csv";
import { adminClient } from "./bulk/options";
import { readOptions } from "./command-line";

const USAGE = `npm run export -- conversations.csv|conversations.jsonl [--spreadsheet]
                  [--url https://chat.example.org] [--token-file file]

Writes all support conversations of a running server into a file that npm run import reads. JSON lines have everything;
CSV leaves internal notes out. With --spreadsheet no cell is taken for a formula, and the file is not for importing.
`;
const OPTIONS = {
  file: { type: "string" },
  spreadsheet: { type: "boolean", default: false },
  url: { type: "string" },
  "token-file": { type: "string" },
} as const;

type Page = Result<typeof exportConversations>;

async function main(): Promise<void> {
  const options = readOptions(USAGE, OPTIONS, "file");
  const kind = /\.(csv|jsonl)$/i.exec(options.file ?? "")?.[1]?.toLowerCase();
  if (options.file === undefined || kind === undefined)
    throw new FileError("name a .csv or a .jsonl file; --help tells the rest");
  const { client } = adminClient(options);
  const csv = kind === "csv" ? new CsvWriter({ spreadsheet: options.spreadsheet }) : undefined;
  const write = csv ? (records: readonly ExportRecord[]) => csv.write(records) : asJsonLines;
  const out = createWriteStream(options.file);
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

main().then(
  () => process.exit(0),
  (error: unknown) => {
    const known = error instanceof FileError || error instanceof RequestError;
    process.stderr.write(`\n${known ? error.message : error instanceof Error ? (error.stack ?? "") : String(error)}\n`);
    process.exit(1);
  },
);
