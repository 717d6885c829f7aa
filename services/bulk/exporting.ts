import { isA, type EventType, standingChanges } from "../../actors/conversation/conversation.events";
import type { Snapshot } from "../../actors/conversation/conversation.snapshot";
import type { ConversationStore } from "../../actors/conversation/conversation.store";
import { URGENCIES } from "../schemas";
import type { ConversationRecord, ExportRecord } from "./bulk.contract";
import { exportedMessages } from "./exported-messages";
import { HOME_SOURCE } from "./identity";

export interface ExportPorts {
  readonly store: Pick<ConversationStore, "conversations" | "events" | "messages" | "changesOf">;
  /** Names of users; those that are unknown or deleted are left out. */
  readonly names: (userIds: readonly string[]) => Promise<ReadonlyMap<string, string>>;
}

export interface ExportPage {
  readonly records: ExportRecord[];
  readonly cursor?: string;
}

const CONVERSATIONS = 100;
/** Characters after which a page is full. */
const PAGE_LENGTH = 200_000;
const ENTERING: readonly EventType[] = [
  "session.opened",
  "session.imported",
  "session.assigned",
  "session.transferred",
  "session.bounced",
  "member.joined",
];
const MAX_ENTERING = 1_000;

/** Whose ids an exported conversation is told by: those it came with, else those of this server. */
interface Names {
  readonly record: ConversationRecord;
  readonly idOf: (userId: string) => string;
}

/**
 * The next records of all support conversations by their ids, each followed by its messages as they are now. A page ends
 * anywhere; the cursor says where.
 */
export async function exportPage({ store, names }: ExportPorts, cursor: string | undefined): Promise<ExportPage> {
  const records: ExportRecord[] = [];
  let length = 0;
  let place = placeOf(cursor);
  for (let count = 1; ; count++) {
    const snapshot = await nextOf(store, place);
    if (!snapshot?.session) return { records };
    const { record, idOf } = await conversationOf({ store, names }, snapshot);
    let after = place.after ?? 0;
    if (after === 0) records.push({ type: "conversation", ...record });
    for (let more = true; more;) {
      const of = { conversation: record.id, conversationId: snapshot._id, idOf };
      const page = await exportedMessages(store, of, after);
      records.push(...page.records);
      length += JSON.stringify(page.records).length;
      after = page.after;
      more = page.more;
      if (more && length > PAGE_LENGTH) return { records, cursor: `${after}\n${snapshot._id}` };
    }
    place = { id: snapshot._id };
    length += JSON.stringify(record).length;
    if (length > PAGE_LENGTH || count === CONVERSATIONS) return { records, cursor: `\n${snapshot._id}` };
  }
}

/** Within a conversation behind a seq, or without one behind the whole of it. */
interface Place {
  readonly id: string;
  readonly after?: number;
}

function placeOf(cursor: string | undefined): Place {
  const [after = "", id = ""] = cursor?.split("\n", 2) ?? [];
  return { id, ...(/^\d{1,15}$/.test(after) && { after: Number(after) }) };
}

const nextOf = ({ conversations }: ExportPorts["store"], { id, after }: Place): Promise<Snapshot | undefined> =>
  conversations.findOne(
    { _id: after === undefined ? { $gt: id } : { $gte: id }, kind: "support" },
    { sort: { _id: 1 } },
  );

async function conversationOf({ store, names }: ExportPorts, snapshot: Snapshot): Promise<Names> {
  const { _id: conversationId, session } = snapshot;
  if (!session) throw new TypeError("a support conversation has a session");
  const entered = await store.events.find(
    { conversationId, type: { $in: [...ENTERING] } },
    { sort: { seq: 1 }, limit: MAX_ENTERING },
  );
  const { customerId } = session;
  const staff = entered.flatMap((event) => standingChanges(event)).filter(({ standing }) => standing === "staff");
  const agentIds = [...new Set(staff.map(({ userId }) => userId))];
  const [first] = entered;
  const origin = first && isA(first, "session.imported") ? first.data : undefined;
  const idOf = (userId: string): string => origin?.parties.find((party) => party.userId === userId)?.id ?? userId;
  const known = await names([customerId, ...agentIds]);
  const party = (userId: string) => ({ id: idOf(userId), name: (known.get(userId) ?? idOf(userId)).slice(0, 100) });
  const { subject, closedAt, closeReason, rating, topic } = session;
  const agentId = session.agentId ?? session.lastAgentId;
  const record: ConversationRecord = {
    source: origin?.source ?? HOME_SOURCE,
    id: origin?.sourceId ?? conversationId,
    openedAt: iso(session.openedAt),
    ...(closedAt !== undefined && { closedAt: iso(closedAt) }),
    status: session.status === "closed" ? "closed" : "open",
    topic,
    urgency: URGENCIES.find((urgency) => urgency === session.urgency) ?? "normal",
    ...(subject !== undefined && { subject }),
    ...(closeReason !== undefined && { reason: closeReason }),
    customer: party(customerId),
    ...(agentIds.length > 0 && { agents: agentIds.map(party) }),
    ...(agentId !== undefined && { agent: idOf(agentId) }),
    ...(rating && { rating: { ...rating, at: iso(rating.at) } }),
  };
  return { record, idOf };
}

const iso = (at: number): string => new Date(at).toISOString();
