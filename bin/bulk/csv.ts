import { createReadStream } from "node:fs";
import { parse } from "csv-parse";
import { stringify } from "csv-stringify/sync";
import { derivedId } from "../../services/conversation-command";
import type { ExportRecord, MessageRecord } from "../../services/bulk/bulk.contract";
import { CommandFailure } from "../command-line";
import { type Chunk, chunksOf, type Placed, readConversation, readMessage, type Tell } from "./chunk";

const NEEDED = ["User ID", "Timestamp (UTC)", "Message Body"] as const;
const MORE = ["Conversation ID", "Sender ID", "Topic", "Urgency", "Status"] as const;
const COLUMNS = [...NEEDED, ...MORE];
type Column = (typeof COLUMNS)[number];
type Row = Readonly<Partial<Record<Column, string>>>;

/** What is wrong with a field of a record is wrong with this column. */
const COLUMN_OF: Readonly<Record<string, Column>> = {
  id: "Conversation ID",
  customer: "User ID",
  openedAt: "Timestamp (UTC)",
  at: "Timestamp (UTC)",
  text: "Message Body",
  by: "Sender ID",
  topic: "Topic",
  urgency: "Urgency",
  status: "Status",
};

const columnOf = (field: string): string => COLUMN_OF[field.split(".", 1)[0] ?? ""] ?? field;

interface Talk {
  readonly line: number;
  readonly row: Row;
  readonly messages: Placed[];
}

/**
 * Conversations of a CSV file: one for each user, or for each conversation id where there are such. The rows of one may
 * stand anywhere, so all of them are kept in memory.
 * @throws CommandFailure when a column is missing
 */
export async function* readCsv(file: string, source: string, tell: Tell): AsyncGenerator<Chunk> {
  const talks = new Map<string, Talk>();
  const seen = new Map<string, number>();
  for await (const { row, line } of rowsOf(file, tell)) {
    const user = row["User ID"] ?? "";
    const id = row["Conversation ID"] ?? user;
    const message = messageOf(row, id, seen, (column, reason) => tell({ line, column, reason }));
    if (!message) continue;
    const talk = talks.get(id) ?? { line, row, messages: [] };
    talks.set(id, talk);
    if (talk.row["User ID"] === user) talk.messages.push({ message, line });
    else tell({ line, column: "User ID", reason: "is not the user of the conversation's first row" });
  }
  for (const [id, talk] of talks) {
    talk.messages.sort((a, b) => Date.parse(a.message.at) - Date.parse(b.message.at) || a.line - b.line);
    const conversation = conversationOf(id, talk, source, tell);
    if (conversation) yield* chunksOf(conversation, talk.line, talk.messages);
  }
}

async function* rowsOf(file: string, tell: Tell): AsyncGenerator<{ row: Row; line: number }> {
  let line = 1;
  const parser = createReadStream(file).pipe(
    parse({
      ...{ bom: true, info: true, relax_column_count: true, skip_empty_lines: true, skip_records_with_error: true },
      max_record_size: 1_000_000,
      on_skip: (error) => {
        tell({ line: Number(error?.["lines"] ?? line), column: "", reason: "the quotes or its length cannot be read" });
        return undefined;
      },
    }),
  );
  let header: string[] | undefined;
  for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
    const at = line;
    line = info.lines + 1;
    if (!header) {
      header = record.map((name) => name.trim());
      const missing = NEEDED.filter((name) => !header?.includes(name));
      if (missing.length > 0) throw new CommandFailure(`the first line has no column ${missing.join(", ")}`);
    } else if (record.length !== header.length) {
      tell({ line: at, column: "", reason: `has ${record.length} columns instead of ${header.length}` });
    } else {
      const cells = header.map((name, index) => [name, record[index] ?? ""] as const);
      yield { row: Object.fromEntries(cells.filter(([, cell]) => cell !== "")) as Row, line: at };
    }
  }
}

/** Rows have no ids: they are told apart by what is in them, and equal ones by their order. */
function messageOf(
  row: Row,
  conversation: string,
  seen: Map<string, number>,
  tell: (column: string, reason: string) => void,
): MessageRecord | undefined {
  for (const column of NEEDED) {
    if (row[column] !== undefined) continue;
    tell(column, "is empty");
    return undefined;
  }
  const { "User ID": user = "", "Sender ID": sender = user, "Message Body": text = "" } = row;
  const at = readTime(row["Timestamp (UTC)"] ?? "");
  if (at === undefined) {
    tell("Timestamp (UTC)", "is no time like 2026-01-31 23:59:59");
    return undefined;
  }
  const same = derivedId(conversation, sender, at, text);
  const count = (seen.get(same) ?? 0) + 1;
  seen.set(same, count);
  return readMessage({ id: `${same}-${count}`, at, by: sender, text }, (field, reason) =>
    tell(columnOf(field), reason),
  );
}

function conversationOf(id: string, { line, row, messages }: Talk, source: string, tell: Tell) {
  const user = row["User ID"] ?? "";
  const others = new Set(messages.map(({ message }) => message.by).filter((by) => by !== user));
  const agents = [...others].map((agent) => ({ id: agent }));
  const [openedAt, closedAt] = [messages[0]?.message.at, messages.at(-1)?.message.at];
  const { Topic: topic, Urgency: urgency, Status: status } = row;
  const value = {
    ...{ source, id, openedAt, closedAt, customer: { id: user } },
    ...(agents.length > 0 && { agents, agent: agents.at(-1)?.id }),
    ...(topic !== undefined && { topic }),
    ...(urgency !== undefined && { urgency }),
    ...(status !== undefined && { status }),
  };
  return readConversation(value, (field, reason) => tell({ line, column: columnOf(field), reason }));
}

const TIME = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d)(?::(\d\d)(\.\d{1,3})?\d*)?Z?$/;

/** ISO 8601 of a time in UTC; undefined when there is no such time. */
export function readTime(text: string): string | undefined {
  const [, day, minute, second = "00", fraction = ".0"] = TIME.exec(text.trim()) ?? [];
  if (day === undefined || minute === undefined) return undefined;
  const iso = `${day}T${minute}:${second}${fraction.padEnd(4, "0")}Z`;
  const at = new Date(iso);
  return !Number.isNaN(at.getTime()) && at.toISOString() === iso ? iso : undefined;
}

export interface CsvOptions {
  /** Cells that a spreadsheet would take for a formula begin with an apostrophe. They do not read back as they were. */
  readonly spreadsheet: boolean;
}

/**
 * Writes records as CSV. Notes are left out, as in this format nobody could tell them from what the customer saw, and so
 * are deleted messages.
 */
export class CsvWriter {
  private conversation: Extract<ExportRecord, { type: "conversation" }> | undefined;

  constructor(private readonly options: CsvOptions) {}

  readonly head = stringify([[...COLUMNS]]);

  /** The rows of the next records. */
  write(records: readonly ExportRecord[]): string {
    const rows: string[][] = [];
    for (const record of records) {
      if (record.type === "conversation") this.conversation = record;
      else if (this.conversation && !record.note && !record.whisper && record.deletedAt === undefined)
        rows.push(this.rowOf(record, this.conversation));
    }
    return stringify(rows, { escape_formulas: this.options.spreadsheet });
  }

  private rowOf(
    { at, by, text, attachments = [] }: MessageRecord,
    { id, customer, topic, urgency, status }: NonNullable<typeof this.conversation>,
  ): string[] {
    const said = [...(text === undefined ? [] : [text]), ...attachments.map(({ url }) => url)].join("\n");
    const time = at.replace("T", " ").replace("Z", "");
    return [customer.id, time, said, id, by === customer.id ? "" : by, topic ?? "", urgency ?? "", status ?? ""];
  }
}
