import { createReadStream } from "node:fs";
import type { ConversationRecord } from "../../services/bulk/bulk.contract";
import { type Chunk, chunksOf, type Placed, readConversation, readMessage, type Tell } from "./chunk";

interface Line {
  readonly line: number;
  readonly value: Readonly<Record<string, unknown>>;
}

/** Conversations of a file of JSON lines: a conversation, then its messages; and so on. One chunk is in memory. */
export async function* readJsonLines(file: string, source: string, tell: Tell): AsyncGenerator<Chunk> {
  const lines = new Ahead(linesOf(file, tell));
  for (;;) {
    const next = await lines.take();
    if (!next) return;
    const { line, value } = next;
    if (value["type"] !== "conversation") {
      tell({ line, column: "type", reason: "is no conversation, and none came before it" });
      continue;
    }
    const given = { source, ...value };
    const conversation = readConversation(given, (column, reason) => tell({ line, column, reason }));
    const messages = messagesOf(lines, conversation, tell);
    if (conversation) yield* chunksOf(conversation, line, messages);
    // The messages of a conversation that cannot be read are told of one by one.
    else for await (const placed of messages) tell({ line: placed.line, column: "conversation", reason: "is refused" });
  }
}

async function* messagesOf(
  lines: Ahead<Line>,
  conversation: ConversationRecord | undefined,
  tell: Tell,
): AsyncGenerator<Placed> {
  for (;;) {
    const next = await lines.peek();
    if (!next || next.value["type"] === "conversation") return;
    await lines.take();
    const { line, value } = next;
    if (value["type"] !== "message") tell({ line, column: "type", reason: "is neither conversation nor message" });
    else if (conversation && value["conversation"] !== conversation.id)
      tell({ line, column: "conversation", reason: "is not the conversation before it" });
    else {
      const message = readMessage(value, (column, reason) => tell({ line, column, reason }));
      if (message) yield { message, line };
    }
  }
}

async function* linesOf(file: string, tell: Tell): AsyncGenerator<Line, void> {
  let line = 0;
  for await (const text of textsOf(file)) {
    line++;
    if (text.trim() === "") continue;
    const value = parse(text);
    if (value) yield { line, value };
    else tell({ line, column: "", reason: "is no JSON object" });
  }
}

/** What stands between newlines. A text may have other characters that some programs take for the end of a line. */
async function* textsOf(file: string): AsyncGenerator<string, void> {
  let rest = "";
  for await (const part of createReadStream(file, "utf8") as AsyncIterable<string>) {
    const texts = (rest + part).split("\n");
    rest = texts.pop() ?? "";
    yield* texts;
  }
  yield rest;
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** An iterator of which the next value can be looked at. */
class Ahead<T> {
  private next: Promise<IteratorResult<T, void>> | undefined;

  constructor(private readonly values: AsyncGenerator<T, void>) {}

  async peek(): Promise<T | undefined> {
    const { value } = await (this.next ??= this.values.next());
    return value ?? undefined;
  }

  async take(): Promise<T | undefined> {
    const value = await this.peek();
    this.next = undefined;
    return value;
  }
}
