import type { CommandParams } from "../../actors/conversation/conversation.commands";
import { derivedId } from "../conversation-command";
import type { ConversationRecord, MessageRecord } from "./bulk.contract";
import { attempt, type Flaw, type ImportPorts } from "./giving";
import { type Identity, isBefore, isPast } from "./identity";
import { MESSAGE_PREFIX, type Referred } from "./references";

/** Who takes part in a conversation, by their ids in the file. */
interface People {
  readonly customer: string;
  readonly ids: ReadonlyMap<string, string>;
}

type Put = { readonly seq: number } | { readonly refused: Flaw };

/**
 * Imports a message and what became of it, or refuses it whole: nothing is stored of one that has a flaw. Every step has
 * an id that follows from the record.
 */
export async function importMessage(
  ports: ImportPorts,
  message: MessageRecord,
  { customer }: ConversationRecord,
  { conversationId, customerId, agentIds }: Identity,
): Promise<Put> {
  const people = { customer: customer.id, ids: new Map([...agentIds, [customer.id, customerId]]) };
  const { id, by, replyTo } = message;
  const target =
    replyTo === undefined ? undefined : await ports.messageOf(conversationId, [...people.ids.values()], replyTo);
  const staffs = message.note === true || message.whisper === true || target?.audience === "staff";
  const flaw = flawOf(message, people, { target, staffs, now: ports.now });
  if (flaw) return { refused: flaw };
  const params = messageParams(message, staffs, target);
  const given = {
    by: people.ids.get(by) ?? "",
    commandId: MESSAGE_PREFIX + id,
    action: "importMessage",
    params,
  } as const;
  const put = await attempt(() => ports.give(conversationId, given));
  if ("refused" in put) return refuse("id", put.refused);
  let last = put.seq;
  for (const { field, give } of changesOf(ports, conversationId, message, people, put.seq)) {
    const done = await attempt(give);
    if ("refused" in done) return refuse(field, done.refused);
    last = Math.max(last, done.seq);
  }
  return { seq: last };
}

function messageParams(
  { at, text, attachments, whisper }: MessageRecord,
  staffs: boolean,
  target: Referred | undefined,
): CommandParams["importMessage"] {
  return {
    at: Date.parse(at),
    ...(text !== undefined && { text }),
    ...(attachments && { attachments }),
    ...(staffs && { audience: "staff" as const }),
    ...(target && { replyTo: target.seq }),
    ...(whisper && { whisper }),
  };
}

interface Change {
  /** What of the record it is. */
  readonly field: string;
  readonly give: () => ReturnType<ImportPorts["give"]>;
}

/** What was made of a message: the text that it has is that of the last edit. */
function changesOf(
  ports: ImportPorts,
  conversationId: string,
  { id, by, text, editedAt, deletedAt, reactions = [] }: MessageRecord,
  { ids }: People,
  seq: number,
): Change[] {
  const author = ids.get(by) ?? "";
  const changes: Change[] = [];
  if (editedAt !== undefined && text !== undefined) {
    const params = { at: Date.parse(editedAt), seq, text };
    const given = { by: author, commandId: `e:${id}`, action: "importEdit", params } as const;
    changes.push({ field: "editedAt", give: () => ports.give(conversationId, given) });
  }
  for (const [index, { emoji, by: reactor, at }] of reactions.entries()) {
    const params = { at: Date.parse(at), seq, emoji };
    const commandId = `r:${derivedId(by, id, emoji)}`;
    const given = { by: ids.get(reactor) ?? "", commandId, action: "importReaction", params } as const;
    changes.push({ field: `reactions.${index}`, give: () => ports.give(conversationId, given) });
  }
  if (deletedAt !== undefined) {
    const params = { at: Date.parse(deletedAt), seq };
    const given = { by: author, commandId: `d:${id}`, action: "importDelete", params } as const;
    changes.push({ field: "deletedAt", give: () => ports.give(conversationId, given) });
  }
  return changes;
}

interface Circumstances {
  readonly target: Referred | undefined;
  /** Only the staff see it. */
  readonly staffs: boolean;
  readonly now: number;
}

/** What is wrong with a message that its schema cannot say; undefined when nothing is. Pure. */
function flawOf(message: MessageRecord, people: People, found: Circumstances): Flaw | undefined {
  const { at, by, editedAt, deletedAt } = message;
  if (!people.ids.has(by)) return flaw("by", NOBODY);
  if (!isPast(at, found.now)) return flaw("at", NOT_PAST);
  return (
    contentFlaw(message) ??
    audienceFlaw(message, people, found) ??
    timeFlaw("editedAt", editedAt, at, found.now) ??
    timeFlaw("deletedAt", deletedAt, at, found.now) ??
    reactionFlaw(message, people, found)
  );
}

function contentFlaw({ text, attachments, editedAt, deletedAt, reactions }: MessageRecord): Flaw | undefined {
  const content = text ?? attachments;
  if (deletedAt !== undefined)
    return (content ?? editedAt ?? reactions) === undefined
      ? undefined
      : flaw("deletedAt", "leaves no text, attachments, edit or reactions");
  if (content === undefined) return flaw("text", "is missing, as are attachments");
  return editedAt !== undefined && text === undefined ? flaw("editedAt", "is of a text, and there is none") : undefined;
}

function audienceFlaw(
  { by, note, whisper, replyTo }: MessageRecord,
  { customer }: People,
  { target, staffs }: Circumstances,
): Flaw | undefined {
  if (replyTo !== undefined && !target) return flaw("replyTo", "is no message before it");
  if (by !== customer || !staffs) return undefined;
  if (note || whisper) return flaw(whisper ? "whisper" : "note", "only agents write notes");
  return flaw("replyTo", UNSEEN);
}

function reactionFlaw(
  { at, reactions = [] }: MessageRecord,
  { customer, ids }: People,
  { staffs, now }: Circumstances,
): Flaw | undefined {
  const seen = new Set<string>();
  for (const [index, { emoji, by, at: when }] of reactions.entries()) {
    const field = `reactions.${index}`;
    if (!ids.has(by)) return flaw(`${field}.by`, NOBODY);
    if (staffs && by === customer) return flaw(`${field}.by`, UNSEEN);
    const wrong = timeFlaw(`${field}.at`, when, at, now);
    if (wrong) return wrong;
    const one = `${by}\n${emoji}`;
    if (seen.has(one)) return flaw(`${field}.emoji`, "is there twice by the same person");
    seen.add(one);
  }
  return undefined;
}

function timeFlaw(field: string, time: string | undefined, since: string, now: number): Flaw | undefined {
  if (time === undefined) return undefined;
  if (!isPast(time, now)) return flaw(field, NOT_PAST);
  return isBefore(time, since) ? flaw(field, "is before the message") : undefined;
}

const NOBODY = "is neither the customer nor one of the agents";
const UNSEEN = "the customer sees no notes";
const NOT_PAST = "is not between 1970 and now";

const flaw = (field: string, problem: string): Flaw => ({ field, problem });
const refuse = (field: string, problem: string): Put => ({ refused: flaw(field, problem) });
