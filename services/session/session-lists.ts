import type { Conversations } from "../../actors/conversation/conversation.actor";
import type { SessionState } from "../../actors/conversation/conversation.session-state";
import type { Snapshot } from "../../actors/conversation/conversation.snapshot";
import type { ConversationStore } from "../../actors/conversation/conversation.store";
import type { Filter } from "../../lib/store/collection";
import { cursorAt, following } from "../../lib/store/cursor";
import { type SessionView, sessionView } from "../conversation-views";
import type { OtherCores } from "../other-cores";

export interface SessionFilter {
  readonly status?: string;
  /** Only this customer's, as that customer may see them. */
  readonly customerId?: string;
}

export interface SessionPage {
  sessions: SessionView[];
  cursor?: string;
}

/** Where a page begins, and how long it is. */
interface Ask {
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
}

/**
 * Lists of sessions from the projections, a page at a time. The first page has whatever was answered before the call, on
 * whichever node.
 */
export class SessionLists {
  constructor(
    private readonly conversations: Conversations,
    private readonly others: Pick<OtherCores, "project">,
  ) {}

  /** By the time they were opened, oldest first. */
  async page(filter: SessionFilter, ask: Ask): Promise<SessionPage> {
    await this.bringUp(ask);
    return listSessions(this.conversations.store, filter, ask);
  }

  /** Those that wait, of a topic or of all, in the order of the queue, as staff see them. */
  async waiting(topic: string | undefined, ask: Ask & { readonly limit: number }): Promise<SessionPage> {
    await this.bringUp(ask);
    return listWaiting(this.conversations.store, topic, ask);
  }

  private async bringUp({ cursor }: Ask): Promise<void> {
    if (cursor === undefined) await this.others.project({ sessions: true });
  }
}

async function listSessions(
  store: ConversationStore,
  { status, customerId }: SessionFilter,
  { cursor, limit = 50 }: Ask,
): Promise<SessionPage> {
  const filter: Filter = {
    "session.status": status ?? { $exists: true },
    ...(customerId !== undefined && { "session.customerId": customerId }),
    ...following("session.openedAt", "ascending", cursor),
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
  return { sessions, cursor: cursorAt(last.session.openedAt, last._id) };
}

/** Sessions of these statuses wait while nobody has them. */
const WAITING: ReadonlyArray<Filter> = [
  { "session.status": "unassigned" },
  { "session.status": "closing", "session.agentId": null },
];

/** A session as its projection has it, with the seq of the last event in it. */
export interface ListedSession {
  readonly id: string;
  readonly seq: number;
  readonly session: SessionState;
}

export const listed = (snapshots: readonly Snapshot[]): ListedSession[] =>
  snapshots.flatMap(({ _id: id, appliedSeq: seq, session }) => (session ? [{ id, seq, session }] : []));

/** The order of the queue. */
export const inOrder = (a: ListedSession, b: ListedSession): number =>
  a.session.rank - b.session.rank || (a.id < b.id ? -1 : Number(a.id > b.id));

/** The first of the sessions that wait, of a topic or of all, in the order of the queue. From the projections. */
export async function findWaiting(
  store: ConversationStore,
  topic: string | undefined,
  { cursor, limit }: { cursor?: string | undefined; limit: number },
): Promise<ListedSession[]> {
  const where = {
    ...(topic !== undefined && { "session.topic": { $eq: topic } }),
    ...following("session.rank", "ascending", cursor),
  };
  const sort = { "session.rank": 1, _id: 1 } as const;
  const found = await Promise.all(
    WAITING.map((status) => store.conversations.find({ ...where, ...status }, { sort, limit })),
  );
  return listed(found.flat()).sort(inOrder).slice(0, limit);
}

/** A page of `findWaiting`, as staff see it. */
export async function listWaiting(
  store: ConversationStore,
  topic: string | undefined,
  { cursor, limit }: { cursor?: string | undefined; limit: number },
): Promise<SessionPage> {
  const found = await findWaiting(store, topic, { cursor, limit: limit + 1 });
  const page = found.slice(0, limit);
  const sessions = page.map(({ id, seq, session }) => sessionView(id, session, seq, "staff"));
  const last = page.at(-1);
  return found.length > limit && last ? { sessions, cursor: cursorAt(last.session.rank, last.id) } : { sessions };
}

/** How many sessions of its topic are before this one in the queue, counting no further than `limit`. */
export async function countAhead(
  store: ConversationStore,
  id: string,
  { topic, rank }: Pick<SessionState, "topic" | "rank">,
  limit: number,
): Promise<number> {
  const places: Filter[] = [{ "session.rank": { $lt: rank } }, { "session.rank": rank, _id: { $lt: id } }];
  const counts = WAITING.flatMap((status) =>
    places.map((place) => store.conversations.count({ "session.topic": { $eq: topic }, ...status, ...place }, limit)),
  );
  const before = (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  return Math.min(before, limit);
}
