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
  const sessions = page.flatMap(({ _id, session, appliedSeq, lastAll }) =>
    session ? [sessionView(_id, session, customerId === undefined ? appliedSeq : lastAll)] : [],
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
