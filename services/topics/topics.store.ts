import { ParleyError } from "../../lib/errors";
import type { Collection, CollectionDefinition, Document, Store } from "../../lib/store/collection";
import { insertNew } from "../../lib/store/insert-new";
import { canonicalJson } from "../conversation-command";
import { SEEDS, type Topic, type TopicDescription } from "./topic";

/** One version of a topic, which never changes. Its `_id` is `<topic>/<version>`: each version is written once. */
interface TopicVersion extends Document {
  readonly topicId: string;
  readonly version: number;
  readonly topic: TopicDescription;
  /** The number of the topic, in the version that first had it. */
  readonly takesNumber?: number;
  /** Absent once a later version is known. */
  readonly current?: true;
  readonly by: string;
  /** Wall-clock milliseconds. */
  readonly at: number;
}

export const TOPICS: CollectionDefinition = {
  name: "topics",
  indexes: [
    { fields: { takesNumber: 1 }, unique: true, sparse: true },
    { fields: { current: 1 }, sparse: true },
    { fields: { topicId: 1, version: 1 } },
  ],
};

/** Many more than anybody reads through. */
export const MAX_TOPICS = 500;
const SYSTEM = "system";

/** What is written: who gives a topic its next description, and which version it replaces. */
export interface TopicChange {
  readonly topic: TopicDescription;
  /** 0 for a new topic. */
  readonly replaces: number;
  readonly by: string;
  /** Wall-clock milliseconds. */
  readonly at: number;
}

/**
 * The topics, each a row of versions. Whoever inserts the next version was first, and a number is taken by the index on
 * the version that first has it, for good.
 */
export class TopicStore {
  readonly #versions: Collection<TopicVersion>;

  constructor(store: Store) {
    this.#versions = store.collection<TopicVersion>(TOPICS);
  }

  /** Makes the topics of a new server, unless they were made before. */
  async seed(at: number): Promise<void> {
    for (const topic of SEEDS) {
      if (await this.#versions.findOne({ _id: idOf(topic.id, 1) })) continue;
      await insertNew(this.#versions, versionOf({ topic, replaces: 0, by: SYSTEM, at }, topic.number));
    }
  }

  /** All topics, the archived too, in no particular order. */
  async all(): Promise<Topic[]> {
    const newest = new Map<string, TopicVersion>();
    for (const found of await this.#versions.find({ current: true })) {
      if (found.version > (newest.get(found.topicId)?.version ?? 0)) newest.set(found.topicId, found);
    }
    return [...newest.values()].map(topicOf);
  }

  async get(id: string): Promise<Topic | undefined> {
    const found = await this.#newest(id);
    return found && topicOf(found);
  }

  /**
   * Writes the next version of a topic. The same change by the same user again is no other change.
   * @throws ParleyError NOT_FOUND when there is nothing to replace, VERSION_CONFLICT with the version there is,
   * NUMBER_TAKEN, LIMIT_REACHED
   */
  async write(change: TopicChange): Promise<Topic> {
    const { topic, replaces } = change;
    const next = versionOf(change, await this.#takes(topic));
    if (replaces === 0) await this.#keepLimit(topic.id);
    else await this.#version(topic.id, replaces);
    if (!(await insertNew(this.#versions, next))) return this.#alreadyWritten(next);
    await this.#retire(next);
    return topicOf(next);
  }

  /** Takes a topic from the list: its next version. @throws ParleyError NOT_FOUND, VERSION_CONFLICT */
  async archive(id: string, { replaces, by, at }: Omit<TopicChange, "topic">): Promise<Topic> {
    const { topic } = await this.#version(id, replaces);
    return this.write({ topic: { ...topic, archived: true }, replaces, by, at });
  }

  /** @throws ParleyError NOT_FOUND when there is no such topic, VERSION_CONFLICT when there is no such version */
  async #version(id: string, version: number): Promise<TopicVersion> {
    return (await this.#versions.findOne({ _id: idOf(id, version) }, { fresh: true })) ?? this.#refuse(id);
  }

  async #alreadyWritten(wanted: TopicVersion): Promise<Topic> {
    const found = await this.#versions.findOne({ _id: wanted._id }, { fresh: true });
    if (!found) throw new ParleyError("NUMBER_TAKEN");
    const isOurs = found.by === wanted.by && canonicalJson(found.topic) === canonicalJson(wanted.topic);
    if (!isOurs || (await this.#newest(wanted.topicId))?.version !== found.version) return this.#refuse(wanted.topicId);
    await this.#retire(found);
    return topicOf(found);
  }

  /** The number that this version takes: none when the topic has had it before. */
  async #takes({ id, number }: TopicDescription): Promise<number | undefined> {
    if (number === undefined) return undefined;
    const holder = await this.#versions.findOne({ takesNumber: number }, { fresh: true });
    return holder?.topicId === id ? undefined : number;
  }

  /** @throws ParleyError LIMIT_REACHED. Those who come at once may exceed it by as many as they are. */
  async #keepLimit(id: string): Promise<void> {
    const known = await this.all();
    if (known.length >= MAX_TOPICS && !known.some((topic) => topic.id === id))
      throw new ParleyError("LIMIT_REACHED", { limit: MAX_TOPICS });
  }

  async #refuse(id: string): Promise<never> {
    const newest = await this.#newest(id);
    if (!newest) throw new ParleyError("NOT_FOUND");
    throw new ParleyError("VERSION_CONFLICT", { version: newest.version });
  }

  async #newest(topicId: string): Promise<TopicVersion | undefined> {
    return this.#versions.findOne({ topicId }, { sort: { version: -1 } });
  }

  async #retire({ topicId, version }: TopicVersion): Promise<void> {
    const earlier = await this.#versions.find({ topicId, version: { $lt: version }, current: true });
    if (earlier.length === 0) return;
    await this.#versions.bulkWrite(
      earlier.map(({ _id }) => ({ filter: { _id }, update: { $unset: { current: true } } })),
    );
  }
}

const idOf = (topicId: string, version: number): string => `${topicId}/${version}`;

function versionOf({ topic, replaces, by, at }: TopicChange, takesNumber: number | undefined): TopicVersion {
  const version = replaces + 1;
  return {
    _id: idOf(topic.id, version),
    topicId: topic.id,
    version,
    topic,
    ...(takesNumber !== undefined && { takesNumber }),
    current: true,
    by,
    at,
  };
}

const topicOf = ({ topic, version, at }: TopicVersion): Topic => ({ ...topic, version, updatedAt: at });
