import type { SessionState } from "../../actors/conversation/conversation.session-state";
import type { ConversationStore } from "../../actors/conversation/conversation.store";
import type { Filter } from "../../lib/store/collection";
import { type SessionView, sessionView } from "../conversation-views";

export interface SessionFilter {
  readonly status?: string;
  /** Only this customer's, as that customer may see them. */
  readonly customerId?: string;
}

export interface SessionPage {
  sessions: SessionView[];
  cursor?: string;
}

/** Sessions by the time they were opened, oldest first. From the projections. */
export async function listSessions(
  store: ConversationStore,
  { status, customerId }: SessionFilter,
  { cursor, limit = 50 }: { cursor?: string | undefined; limit?: number | undefined },
): Promise<SessionPage> {
  const filter: Filter = {
    "session.status": status ?? { $exists: true },
    ...(customerId !== undefined && { "session.customerId": customerId }),
    ...after(cursor),
  };
  const sort = { "session.openedAt": 1, _id: 1 } as const;
  const found = await store.conversations.find(filter, { sort, limit: limit + 1 });
  const page = found.slice(0, limit);
  const viewer = customerId === undefined ? "staff" : "all";
  const sessions = page.flatMap(({ _id, session, appliedSeq, lastAll }) =>
    session ? [sessionView(_id, session, viewer === "staff" ? appliedSeq : lastAll, viewer)] : [],
  );
  const last = page.at(-1);
  if (found.length <= limit || !last?.session) return { sessions };
  return { sessions, cursor: `${last.session.openedAt}/${last._id}` };
}

/** The filter of what follows a cursor in ascending (openedAt, _id). */
function after(cursor: string | undefined): Filter {
  const slash = cursor?.indexOf("/") ?? -1;
  const at = Number(cursor?.slice(0, slash));
  if (cursor === undefined || slash < 0 || !Number.isFinite(at)) return {};
  return {
    $or: [{ "session.openedAt": { $gt: at } }, { "session.openedAt": at, _id: { $gt: cursor.slice(slash + 1) } }],
  };
}

/** The waiting sessions of a topic, or of all, in the order of the queue, as staff see them. From the projections. */
export async function listWaiting(
  store: ConversationStore,
  topic: string | undefined,
  { cursor, limit }: { cursor?: string | undefined; limit: number },
): Promise<SessionPage> {
  const filter: Filter = {
    ...(topic !== undefined && { "session.topic": { $eq: topic } }),
    "session.status": "unassigned",
    ...behind(cursor),
  };
  const sort = { "session.rank": 1, _id: 1 } as const;
  const found = await store.conversations.find(filter, { sort, limit: limit + 1 });
  const page = found.slice(0, limit);
  const sessions = page.flatMap(({ _id, session, appliedSeq }) =>
    session ? [sessionView(_id, session, appliedSeq, "staff")] : [],
  );
  const last = page.at(-1);
  if (found.length <= limit || !last?.session) return { sessions };
  return { sessions, cursor: `${last.session.rank}/${last._id}` };
}

/** The same as `after`, of (rank, _id). The first condition is what an index can be entered with. */
function behind(cursor: string | undefined): Filter {
  const slash = cursor?.indexOf("/") ?? -1;
  const rank = Number(cursor?.slice(0, slash));
  if (cursor === undefined || slash < 0 || !Number.isFinite(rank)) return {};
  return {
    "session.rank": { $gte: rank },
    $or: [{ "session.rank": { $gt: rank } }, { _id: { $gt: cursor.slice(slash + 1) } }],
  };
}

/** How many sessions of its topic are before this one in the queue, counting no further than `limit`. */
export async function countAhead(
  store: ConversationStore,
  id: string,
  { topic, rank }: Pick<SessionState, "topic" | "rank">,
  limit: number,
): Promise<number> {
  const waiting = { "session.topic": { $eq: topic }, "session.status": "unassigned" };
  const [before, equal] = await Promise.all([
    store.conversations.count({ ...waiting, "session.rank": { $lt: rank } }, limit),
    store.conversations.count({ ...waiting, "session.rank": rank, _id: { $lt: id } }, limit),
  ]);
  return Math.min(before + equal, limit);
}
