import type { CommandParams, NoOp } from "../../actors/conversation/conversation.commands";
import type { Desk } from "../../actors/conversation/conversation.session-state";
import type { StoredEvent } from "../../actors/conversation/conversation.events";
import type { Outcome } from "../../lib/actor/behaviour";
import { type ErrorType, isParleyError } from "../../lib/errors";
import type { ConversationRecord, ImportItem, ImportResult, MessageRecord, Refusal } from "./bulk.contract";
import { type Identity, identityOf, isPast, problemOf } from "./identity";

type ImportAction = "importSession" | "importMessage" | "importOpen";

export interface ImportPorts {
  readonly now: number;
  /** Makes those of these users that are unknown. */
  ensureUsers(users: ReadonlyArray<{ readonly id: string; readonly name: string }>): Promise<void>;
  /** Topic, urgency and times of a conversation that does not say all of it itself. */
  place(record: ConversationRecord, texts: readonly string[]): Promise<{ topic: string; urgency: string; desk: Desk }>;
  /** Gives a command in the name of a user, or of the system; `identity` is what makes it the same command again. */
  give<A extends ImportAction>(
    conversationId: string,
    given: { by?: string; commandId: string; action: A; params: CommandParams[A]; identity?: unknown },
  ): Promise<Outcome<StoredEvent, NoOp>>;
  /** These users have read the conversation through this seq. */
  read(conversationId: string, userIds: readonly string[], seq: number): Promise<void>;
}

/** The prefix of the commandId of an imported message; after it comes the id that it had. */
export const MESSAGE_PREFIX = "i:";

/**
 * Imports the next messages of a conversation, and the conversation when there are none before. Every step has an id that
 * follows from the record, so that it may be repeated from any point. What cannot be stored is refused and named.
 * @throws what says that nothing is known, or that it may succeed later
 */
export async function importItem(ports: ImportPorts, item: ImportItem): Promise<ImportResult> {
  const { conversation, messages, last } = item;
  const problem = problemOf(conversation, ports.now);
  if (problem) return { stored: 0, refused: [problem] };
  const identity = identityOf(conversation);
  const { conversationId } = identity;
  await ports.ensureUsers(usersOf(conversation, identity));
  const begun = await attempt(() => begin(ports, item, identity));
  if ("refused" in begun) return { conversationId, stored: 0, refused: [{ field: "id", problem: begun.refused }] };
  const refused: Refusal[] = [];
  let seq = begun.seq;
  for (const [index, message] of messages.entries()) {
    const put = await importMessage(ports, message, conversation, identity);
    if ("refused" in put) refused.push({ message: index, ...put.refused });
    else seq = Math.max(seq, put.seq);
  }
  if (last) {
    await ports.read(conversationId, [identity.customerId, ...identity.agentIds.values()], seq);
    refused.push(...(await open(ports, conversation, conversationId)));
  }
  return { conversationId, stored: messages.length - refused.filter((one) => "message" in one).length, refused };
}

function usersOf({ customer, agents = [] }: ConversationRecord, { customerId, agentIds }: Identity) {
  const named = agents.map(({ id, name = id }) => ({ id: agentIds.get(id) ?? "", name }));
  return [{ id: customerId, name: customer.name ?? customer.id }, ...named];
}

async function begin(ports: ImportPorts, { conversation, messages }: ImportItem, identity: Identity): Promise<number> {
  const { customer, agents = [], agent, source, id, subject, reason, openedAt, closedAt } = conversation;
  const { conversationId, customerId, agentIds } = identity;
  const texts = messages.flatMap(({ by, text, note }) => (by === customer.id && !note && text ? [text] : []));
  const said = subject === undefined ? texts : [subject, ...texts];
  const agentId = agent === undefined ? undefined : agentIds.get(agent);
  const params: CommandParams["importSession"] = {
    at: Date.parse(openedAt),
    closedAt: closedAt === undefined ? ports.now : Date.parse(closedAt),
    customerId,
    agentIds: [...agentIds.values()],
    source,
    sourceId: id,
    parties: [
      { userId: customerId, id: customer.id },
      ...agents.map((one) => ({ userId: agentIds.get(one.id) ?? "", id: one.id })),
    ],
    ...(await ports.place(conversation, said)),
    ...(agentId !== undefined && { agentId }),
    ...(subject !== undefined && { subject }),
    ...(reason !== undefined && { reason }),
  };
  const given = { commandId: "import", action: "importSession", params, identity: { source, id } } as const;
  return seqOf(await ports.give(conversationId, given));
}

type Put = { readonly seq: number } | { readonly refused: { field: string; problem: string } };

async function importMessage(
  ports: ImportPorts,
  { id, at, by, text, attachments, note = false }: MessageRecord,
  { customer }: ConversationRecord,
  { conversationId, customerId, agentIds }: Identity,
): Promise<Put> {
  const userId = by === customer.id ? customerId : agentIds.get(by);
  if (userId === undefined) return refuse("by", "is neither the customer nor one of the agents");
  if (!isPast(at, ports.now)) return refuse("at", "is not between 1970 and now");
  if (text === undefined && !attachments) return refuse("text", "is missing, as are attachments");
  if (note && userId === customerId) return refuse("note", "only agents write notes");
  const params: CommandParams["importMessage"] = {
    at: Date.parse(at),
    ...(text !== undefined && { text }),
    ...(attachments && { attachments }),
    ...(note && { audience: "staff" as const }),
  };
  const given = { by: userId, commandId: MESSAGE_PREFIX + id, action: "importMessage", params } as const;
  const put = await attempt(async () => seqOf(await ports.give(conversationId, given)));
  return "refused" in put ? refuse("id", put.refused) : put;
}

async function open(ports: ImportPorts, record: ConversationRecord, conversationId: string): Promise<Refusal[]> {
  if (record.status !== "open") return [];
  const given = { commandId: "import/open", action: "importOpen", params: {} } as const;
  const opened = await attempt(async () => seqOf(await ports.give(conversationId, given)));
  if (!("refused" in opened)) return [];
  return [{ field: "status", problem: "stays closed: the customer has another open session of this topic" }];
}

const refuse = (field: string, problem: string): Put => ({ refused: { field, problem } });
const seqOf = (outcome: Outcome<StoredEvent, NoOp>): number =>
  "event" in outcome ? outcome.event.seq : outcome.noop.seq;

const REFUSALS: Partial<Record<ErrorType, string>> = {
  COMMAND_REUSED: "was imported before, with another content",
  SESSION_EXISTS: "is there already, or in use again",
  NOT_FOUND: "is there already, and was not imported",
  FORBIDDEN: "only agents write notes",
};

/** What a command came to, with refusals in words. */
async function attempt(run: () => Promise<number>): Promise<{ seq: number } | { refused: string }> {
  try {
    return { seq: await run() };
  } catch (error) {
    const problem = isParleyError(error) ? REFUSALS[error.type] : undefined;
    if (problem === undefined) throw error;
    return { refused: problem };
  }
}
