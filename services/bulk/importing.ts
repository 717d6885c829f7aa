import type { CommandParams } from "../../actors/conversation/conversation.commands";
import type { ConversationRecord, ImportItem, ImportResult, Refusal } from "./bulk.contract";
import { attempt, type ImportPorts } from "./giving";
import { type Identity, identityOf, problemOf } from "./identity";
import { importMessage } from "./import-message";

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
    refused.push(...(await rate(ports, conversation, identity)));
    refused.push(...(await open(ports, conversation, conversationId)));
  }
  return { conversationId, stored: messages.length - refused.filter((one) => "message" in one).length, refused };
}

function usersOf({ customer, agents = [] }: ConversationRecord, { customerId, agentIds }: Identity) {
  const named = agents.map(({ id, name = id }) => ({ id: agentIds.get(id) ?? "", name }));
  return [{ id: customerId, name: customer.name ?? customer.id }, ...named];
}

async function begin(
  ports: ImportPorts,
  { conversation, messages }: ImportItem,
  identity: Identity,
): ReturnType<ImportPorts["give"]> {
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
  return ports.give(conversationId, given);
}

async function rate(
  ports: ImportPorts,
  { rating }: ConversationRecord,
  { conversationId, customerId }: Identity,
): Promise<Refusal[]> {
  if (!rating) return [];
  const { score, comment, at } = rating;
  const params = { at: Date.parse(at), score, ...(comment !== undefined && { comment }) };
  const given = { by: customerId, commandId: "import/rating", action: "importRating", params } as const;
  const rated = await attempt(() => ports.give(conversationId, given));
  return "refused" in rated ? [{ field: "rating", problem: rated.refused }] : [];
}

async function open(ports: ImportPorts, record: ConversationRecord, conversationId: string): Promise<Refusal[]> {
  if (record.status !== "open") return [];
  const given = { commandId: "import/open", action: "importOpen", params: {} } as const;
  const opened = await attempt(() => ports.give(conversationId, given));
  if (!("refused" in opened)) return [];
  return [{ field: "status", problem: "stays closed: the customer has another open session of this topic" }];
}
