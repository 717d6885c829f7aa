import { isA } from "../../actors/conversation/conversation.events";
import type { ConversationStore } from "../../actors/conversation/conversation.store";
import type { Filter } from "../../lib/store/collection";
import { findWaiting, listed, type ListedSession } from "../session/session-lists";

/** What an agent has open, and which slots that takes. */
export interface Load {
  readonly sessions: number;
  readonly slots: ReadonlySet<number>;
}

const NO_LOAD: Load = { sessions: 0, slots: new Set() };
/** Agents of one query. */
const AGENTS_AT_ONCE = 200;
/** The customer's latest sessions among which the last agent is looked for. */
const LATEST = 5;
/** Events by which a session was given up lately. */
const GIVEN_UP = 5;

/** Sessions as the projections have them: a moment behind the log, which has the last word. */
export class OpenSessions {
  constructor(private readonly store: ConversationStore) {}

  /** Open sessions of these agents. */
  async of(agentIds: readonly string[]): Promise<ListedSession[]> {
    const found: ListedSession[] = [];
    for (let from = 0; from < agentIds.length; from += AGENTS_AT_ONCE) {
      const some = agentIds.slice(from, from + AGENTS_AT_ONCE);
      const open: Filter = { "session.agentId": { $in: some }, "session.status": { $in: ["assigned", "closing"] } };
      found.push(...listed(await this.store.conversations.find(open)));
    }
    return found;
  }

  /** The load of each of these agents. */
  async loads(agentIds: readonly string[]): Promise<(agentId: string) => Load> {
    const loads = new Map<string, { sessions: number; slots: Set<number> }>();
    for (const { session } of await this.of(agentIds)) {
      if (session.agentId === undefined) continue;
      const load = loads.get(session.agentId) ?? { sessions: 0, slots: new Set<number>() };
      load.sessions++;
      const slot = slotOf(session.slotKey);
      if (slot !== undefined) load.slots.add(slot);
      loads.set(session.agentId, load);
    }
    return (agentId) => loads.get(agentId) ?? NO_LOAD;
  }

  /** The first of a topic's queue, in order; those that are closing wait as well while nobody has them. */
  waiting(topic: string, limit: number): Promise<ListedSession[]> {
    return findWaiting(this.store, topic, { limit });
  }

  /** Who served the customer last, in another session. */
  async lastAgent(customerId: string, except: string): Promise<string | undefined> {
    const filter: Filter = { "session.customerId": { $eq: customerId } };
    const latest = await this.store.conversations.find(filter, { sort: { "session.openedAt": -1 }, limit: LATEST });
    return listed(latest).find(({ id, session }) => id !== except && session.agentId !== undefined)?.session.agentId;
  }

  /** Who gave this very session up since then, or did not attend to it. */
  async givenUpBy(conversationId: string, since: number): Promise<string[]> {
    const filter: Filter = {
      conversationId,
      type: { $in: ["session.returned", "session.bounced"] },
      at: { $gte: since },
    };
    const events = await this.store.events.find(filter, { sort: { seq: -1 }, limit: GIVEN_UP });
    return events.flatMap((event) => {
      if (isA(event, "session.bounced")) return [event.data.from];
      return isA(event, "session.returned") && event.data.reason !== OFFLINE ? [event.data.from] : [];
    });
  }
}

/** Why the system gives a session back whose agent is gone. */
export const OFFLINE = "offline";

/** The number of a slot from its key, `slot/<agent>/<n>/<generation>`. */
function slotOf(key: string | undefined): number | undefined {
  const slot = Number(key?.split("/")[2]);
  return Number.isInteger(slot) ? slot : undefined;
}
