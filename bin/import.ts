/** `npm run import`: conversations of another system, from CSV or JSON lines. */
import { createReadStream, existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { SingleBar } from "cli-progress";
import type { Chunk, Tell } from "./bulk/chunk";
import { readCsv } from "./bulk/csv";
import { Importer, linesIn } from "./bulk/importer";
import { Journal } from "./bulk/journal";
import { readJsonLines } from "./bulk/jsonl";
import { adminClient, namedFile, SERVER_OPTIONS, type ServerOptions } from "./bulk/options";
import { Report } from "./bulk/report";
import { belowBar, CommandFailure, readOptions, runCommand } from "./command-line";

const USAGE = `npm run import -- conversations.csv|conversations.jsonl [--source name] [--dry-run]
                  [--url https://chat.example.org] [--token-file file]

Imports conversations into a running server. What is imported again stores nothing again; after a stop it goes on where
it was. Refused rows are listed in <file>.refused.csv. Exit code 3 when there are any.
`;
const OPTIONS = {
  file: { type: "string" },
  source: { type: "string", default: "" },
  "dry-run": { type: "boolean", default: false },
  ...SERVER_OPTIONS,
} as const;
const REFUSED = 3;

type Read = (file: string, source: string, tell: Tell) => AsyncGenerator<Chunk>;

async function main(): Promise<number> {
  const options = readOptions(USAGE, OPTIONS, "file");
  const { file, isCsv } = namedFile(options.file);
  if (!existsSync(file)) throw new CommandFailure(`${file} is not there`);
  const read: Read = isCsv ? readCsv : readJsonLines;
  const report = new Report(file);
  const bar = new SingleBar({ format: "{bar} {percentage}% | {value} of {total} lines | {eta_formatted} left" });
  bar.start(await countLines(file), 0);
  const chunks = read(file, options.source || (isCsv ? "csv" : "jsonl"), report.tell);
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
  for await (const chunk of chunks) {
    messages += chunk.lines.length;
    if (chunk.item.last) conversations++;
    bar.increment(linesIn(chunk));
  }
  return `${messages} messages of ${conversations} conversations can be read; nothing was imported`;
}

async function send(
  chunks: AsyncIterable<Chunk>,
  file: string,
  options: ServerOptions & { readonly source: string },
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

runCommand(main, belowBar);
