/** `npm run import`: conversations of another system, from CSV or JSON lines. */
import { createReadStream, existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { SingleBar } from "cli-progress";
import { RequestError } from "./bulk/admin-client";
import type { Chunk, Tell } from "./bulk/chunk";
import { FileError, readCsv } from "./bulk/csv";
import { Importer } from "./bulk/importer";
import { Journal } from "./bulk/journal";
import { readJsonLines } from "./bulk/jsonl";
import { adminClient } from "./bulk/options";
import { Report } from "./bulk/report";
import { readOptions } from "./command-line";

const USAGE = `npm run import -- conversations.csv|conversations.jsonl [--source name] [--dry-run]
                  [--url https://chat.example.org] [--token-file file]

Imports conversations into a running server. What is imported again stores nothing again; after a stop it goes on where
it was. Refused rows are listed in <file>.refused.csv. Exit code 3 when there are any.
`;
const OPTIONS = {
  file: { type: "string" },
  source: { type: "string", default: "" },
  "dry-run": { type: "boolean", default: false },
  url: { type: "string" },
  "token-file": { type: "string" },
} as const;
const REFUSED = 3;

type Read = (file: string, source: string, tell: Tell) => AsyncGenerator<Chunk>;

async function main(): Promise<number> {
  const options = readOptions(USAGE, OPTIONS, "file");
  const { file } = options;
  const kind = /\.(csv|jsonl)$/i.exec(file ?? "")?.[1]?.toLowerCase();
  if (file === undefined || kind === undefined)
    throw new FileError("name a .csv or a .jsonl file; --help tells the rest");
  if (!existsSync(file)) throw new FileError(`${file} is not there`);
  const read: Read = kind === "csv" ? readCsv : readJsonLines;
  const report = new Report(file);
  const bar = new SingleBar({ format: "{bar} {percentage}% | {value} of {total} lines | {eta_formatted} left" });
  bar.start(await countLines(file), 0);
  const chunks = read(file, options.source || kind, report.tell);
  const says = options["dry-run"]
    ? await look(chunks, bar)
    : await send(chunks, file, options, { bar, tell: report.tell });
  bar.stop();
  process.stdout.write(`${says}\n`);
  if (report.count === 0) return 0;
  process.stdout.write(`${report.count} refused, see ${report.path}\n`);
  return REFUSED;
}

/** Reads everything and sends nothing. */
async function look(chunks: AsyncIterable<Chunk>, bar: SingleBar): Promise<string> {
  let [conversations, messages] = [0, 0];
  for await (const { item, lines } of chunks) {
    messages += lines.length;
    if (item.last) conversations++;
    bar.increment(lines.length + (item.last ? 1 : 0));
  }
  return `${messages} messages of ${conversations} conversations can be read; nothing was imported`;
}

async function send(
  chunks: AsyncIterable<Chunk>,
  file: string,
  options: { readonly url?: string; readonly "token-file"?: string; readonly source: string },
  { bar, tell }: { readonly bar: SingleBar; readonly tell: Tell },
): Promise<string> {
  const { client, url } = adminClient(options);
  const journal = Journal.open(file, `${url} ${options.source}`);
  const importer = new Importer({ client, tell, journal, progress: (lines) => bar.increment(lines) });
  const { messages, conversations, skipped } = await importer.run(chunks);
  const before = skipped === 0 ? "" : `; ${skipped} conversations were imported before`;
  return `${messages} messages of ${conversations} conversations imported${before}`;
}

async function countLines(file: string): Promise<number> {
  let lines = 0;
  for await (const line of createInterface({ input: createReadStream(file) })) if (line !== "") lines++;
  return lines;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    const known = error instanceof FileError || error instanceof RequestError;
    process.stderr.write(`\n${known ? error.message : error instanceof Error ? (error.stack ?? "") : String(error)}\n`);
    process.exit(1);
  },
);
