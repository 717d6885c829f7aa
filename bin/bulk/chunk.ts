import { isParleyError } from "../../lib/errors";
import { validatorOf } from "../../lib/schema";
import {
  ConversationRecord,
  type ImportItem,
  type MessageRecord,
  MessageRecord as MessageSchema,
} from "../../services/bulk/bulk.contract";

/** A place in a file that something is wrong with; lines and columns as an editor counts and a reader names them. */
export interface Flaw {
  readonly line: number;
  readonly column: string;
  readonly reason: string;
}

export type Tell = (flaw: Flaw) => void;

/** Messages of one conversation that are sent together, and the lines they come from. */
export interface Chunk {
  readonly item: ImportItem;
  /** The conversation's own line, and that of each message. */
  readonly line: number;
  readonly lines: readonly number[];
  /** Others of the same conversation came before it. */
  readonly continued: boolean;
}

/** A message, and where it stands. */
export interface Placed {
  readonly message: MessageRecord;
  readonly line: number;
}

/** What one request carries: below the least `BODY_BYTES` that lets the longest message through. */
const CHUNK_BYTES = 24_000;
const CHUNK_MESSAGES = 100;

/** Cuts a conversation into chunks of bounded size, the last one marked; one of them at least. */
export async function* chunksOf(
  conversation: ImportItem["conversation"],
  line: number,
  messages: AsyncIterable<Placed> | Iterable<Placed>,
): AsyncGenerator<Chunk> {
  let some: Placed[] = [];
  let bytes = 0;
  let continued = false;
  const cut = (last: boolean): Chunk => ({
    item: { conversation, messages: some.map(({ message }) => message), last },
    line,
    lines: some.map((placed) => placed.line),
    continued,
  });
  for await (const placed of messages) {
    const size = Buffer.byteLength(JSON.stringify(placed.message));
    if (some.length > 0 && (bytes + size > CHUNK_BYTES || some.length === CHUNK_MESSAGES)) {
      yield cut(false);
      [some, bytes, continued] = [[], 0, true];
    }
    some.push(placed);
    bytes += size;
  }
  yield cut(true);
}

const conversationOf = validatorOf(ConversationRecord);
const messageOf = validatorOf(MessageSchema);

/** The conversation that a value describes; undefined when it is told what is wrong with it. */
export const readConversation = (value: unknown, tell: (column: string, reason: string) => void) =>
  read(value, conversationOf, tell) as ConversationRecord | undefined;

export const readMessage = (value: unknown, tell: (column: string, reason: string) => void) =>
  read(value, messageOf, tell) as MessageRecord | undefined;

function read(
  value: unknown,
  validate: ReturnType<typeof validatorOf>,
  tell: (column: string, reason: string) => void,
): object | undefined {
  try {
    return validate(value);
  } catch (error) {
    if (!isParleyError(error)) throw error;
    const fields = (error.data?.["fields"] ?? []) as Array<{ field: string; problem: string }>;
    for (const { field, problem } of fields) tell(field, problem);
    return undefined;
  }
}
