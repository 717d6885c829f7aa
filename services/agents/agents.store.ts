import type { Collection, CollectionDefinition, Document, Store, Update } from "../../lib/store/collection";
import { insertNew } from "../../lib/store/insert-new";
import type { AgentStanding, Availability } from "./availability";

/** What is kept of an agent beyond the user; `_id` is the user's. Times are wall-clock milliseconds. */
export interface AgentDocument extends Document, AgentStanding {
  readonly skills: readonly string[];
  readonly capacity: number;
  /** When a session was last pushed to the agent. */
  readonly lastAssignedAt?: number;
}

export const AGENTS: CollectionDefinition = { name: "agents", indexes: [{ fields: { availability: 1 } }] };

const DEFAULT_CAPACITY = 5;
/** Agents that are available at once; beyond it nobody is given sessions. */
const MAX_ONLINE = 5_000;
const PAGE = 500;

/** Who has never said anything is offline: nothing is pushed to them. */
export const newAgent = (userId: string, now: number): AgentDocument => ({
  _id: userId,
  availability: "offline",
  since: now,
  skills: [],
  capacity: DEFAULT_CAPACITY,
});

/** The agents: whoever serves sessions and has been heard of or described. */
export class AgentStore {
  readonly #agents: Collection<AgentDocument>;

  constructor(store: Store) {
    this.#agents = store.collection<AgentDocument>(AGENTS);
  }

  get(userId: string): Promise<AgentDocument | undefined> {
    return this.#agents.findOne({ _id: userId });
  }

  /** Up to `limit` of them with an id above `after`, by id. */
  page(after: string, limit: number): Promise<AgentDocument[]> {
    return this.#agents.find({ _id: { $gt: after } }, { sort: { _id: 1 }, limit });
  }

  /** All of them, a page at a time. */
  async *pages(): AsyncGenerator<AgentDocument[]> {
    for (let after = ""; ;) {
      const page = await this.page(after, PAGE);
      if (page.length > 0) yield page;
      const last = page.at(-1);
      if (!last || page.length < PAGE) return;
      after = last._id;
    }
  }

  /** Those who chose to be online. */
  online(): Promise<AgentDocument[]> {
    return this.#agents.find({ availability: "online" }, { limit: MAX_ONLINE });
  }

  /** The agent chose an availability. */
  choose(userId: string, availability: Availability, now: number): Promise<AgentDocument> {
    return this.#upsert(userId, { availability, since: now, lastActiveAt: now }, now);
  }

  /** What is left out stays. */
  describe(
    userId: string,
    what: { skills?: readonly string[]; capacity?: number },
    now: number,
  ): Promise<AgentDocument> {
    return this.#upsert(userId, Object.fromEntries(Object.entries(what).filter(([, v]) => v !== undefined)), now);
  }

  /** The agents did something. */
  async heard(userIds: readonly string[], now: number): Promise<void> {
    const known = await this.#agents.find({ _id: { $in: userIds } });
    const isKnown = new Set(known.map(({ _id }) => _id));
    for (const userId of userIds) if (!isKnown.has(userId)) await this.#upsert(userId, {}, now);
    await this.#updateAll(userIds, { $max: { lastActiveAt: now } });
  }

  /** The last connection was lost. Those of whom that is known are left as they are. */
  async left(userIds: readonly string[], now: number): Promise<void> {
    const operations = userIds.map((_id) => ({
      filter: { _id, absentSince: { $exists: false } },
      update: { $set: { absentSince: now } },
    }));
    if (operations.length > 0) await this.#agents.bulkWrite(operations);
  }

  /** They are connected. */
  cameBack(userIds: readonly string[]): Promise<void> {
    return this.#updateAll(userIds, { $unset: { absentSince: true } });
  }

  /** A session was pushed to the agent. */
  async assigned(userId: string, at: number): Promise<void> {
    await this.#agents.updateOne({ _id: userId }, { $max: { lastAssignedAt: at } });
  }

  async #updateAll(userIds: readonly string[], update: Update): Promise<void> {
    if (userIds.length > 0) await this.#agents.bulkWrite(userIds.map((_id) => ({ filter: { _id }, update })));
  }

  /** Makes a new agent of whoever is none yet: by a unique insert, as two nodes may do it at once. */
  async #upsert(userId: string, $set: NonNullable<Update["$set"]>, now: number): Promise<AgentDocument> {
    const change = () =>
      Object.keys($set).length > 0 ? this.#agents.findOneAndUpdate({ _id: userId }, { $set }) : this.get(userId);
    const found = await change();
    if (found) return found;
    await insertNew(this.#agents, newAgent(userId, now));
    return (await change()) ?? newAgent(userId, now);
  }
}
