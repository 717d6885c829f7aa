import { isA, type StoredEvent } from "../../actors/conversation/conversation.events";
import { toMessages, type WireMessage } from "../../actors/conversation/conversation.messages";
import type { ConversationStore } from "../../actors/conversation/conversation.store";
import { type ExportRecord, MAX_REACTIONS, type MessageRecord } from "./bulk.contract";
import { messageIdOf } from "./references";

/** Of which conversation they are, there and here, and what its people are called there. */
export interface Of {
  readonly conversation: string;
  readonly conversationId: string;
  readonly idOf: (userId: string) => string;
}

interface Page {
  readonly records: ExportRecord[];
  /** The seq of the last one. */
  readonly after: number;
  readonly more: boolean;
}

const MESSAGES = 100;

/** The next messages behind a seq, with what became of them. Of one that was deleted nothing is left but when. */
export async function exportedMessages(
  store: Pick<ConversationStore, "events" | "messages" | "changesOf">,
  of: Of,
  after: number,
): Promise<Page> {
  const { conversationId, conversation, idOf } = of;
  const range = { after, before: Number.MAX_SAFE_INTEGER };
  const created = await store.messages(conversationId, "staff", range, 1, MESSAGES);
  const seqs = created.map(({ seq }) => seq);
  const [changes, idAt] = await Promise.all([
    store.changesOf(conversationId, seqs),
    idsOf(store, conversationId, created),
  ]);
  const reactions = standingReactions(changes, idOf);
  const records = toMessages(created, changes).map((message): ExportRecord => {
    const { seq, at, by, replyTo, whisper, audience } = message;
    const answers = replyTo === undefined ? undefined : idAt.get(replyTo);
    return {
      ...{ type: "message", conversation, id: idAt.get(seq) ?? message.id, at, by: idOf(by) },
      ...contentOf(message, reactions.get(seq)),
      ...(audience === "staff" && { note: true }),
      ...(whisper && { whisper }),
      ...(answers !== undefined && { replyTo: answers }),
    };
  });
  return { records, after: seqs.at(-1) ?? after, more: created.length === MESSAGES };
}

function contentOf(
  { text, attachments, editedAt, deletedAt }: WireMessage,
  reactions: MessageRecord["reactions"],
): Partial<MessageRecord> {
  if (deletedAt !== undefined) return { deletedAt };
  return {
    ...(text !== undefined && { text }),
    ...(attachments && { attachments }),
    ...(editedAt !== undefined && { editedAt }),
    ...(reactions && { reactions }),
  };
}

/** What these messages, and those that they answer, are called. */
async function idsOf(
  { events }: Pick<ConversationStore, "events">,
  conversationId: string,
  created: readonly StoredEvent[],
): Promise<Map<number, string>> {
  const ids = new Map(created.map((event) => [event.seq, messageIdOf(event)]));
  const answered = created.flatMap((event) => (isA(event, "message.created") ? (event.data.replyTo ?? []) : []));
  const before = [...new Set(answered)].filter((seq) => !ids.has(seq));
  const found = before.length === 0 ? [] : await events.find({ conversationId, seq: { $in: before } });
  for (const event of found) ids.set(event.seq, messageIdOf(event));
  return ids;
}

type Reactions = NonNullable<MessageRecord["reactions"]>;

/** The reactions that stand, by the seq of their message: the oldest first, and no more than an import takes. */
function standingReactions(changes: readonly StoredEvent[], idOf: Of["idOf"]): Map<number, Reactions> {
  const standing = new Map<number, Map<string, Reactions[number]>>();
  for (const event of changes) {
    if (!isA(event, "reaction.added") && !isA(event, "reaction.removed")) continue;
    const { seq, emoji } = event.data;
    const given = standing.get(seq) ?? new Map<string, Reactions[number]>();
    standing.set(seq, given);
    const one = `${event.by}\n${emoji}`;
    if (event.type === "reaction.removed") given.delete(one);
    else given.set(one, { emoji, by: idOf(event.by), at: new Date(event.at).toISOString() });
  }
  const some = [...standing].filter(([, given]) => given.size > 0);
  return new Map(some.map(([seq, given]) => [seq, [...given.values()].sort(byTime).slice(0, MAX_REACTIONS)]));
}

/** Where several have the same time, any order that is always the same. */
const byTime = (a: Reactions[number], b: Reactions[number]): number => (keyOf(a) < keyOf(b) ? -1 : 1);
const keyOf = ({ at, by, emoji }: Reactions[number]): string => `${at}\n${by}\n${emoji}`;
