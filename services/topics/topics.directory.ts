import type { Clock } from "../../lib/actor/ports";
import { perBroker } from "../../lib/per-broker";
import { resourcesOf } from "../../lib/resources";
import type { KeywordRule } from "./classifier";
import { KeywordStore } from "./keywords.store";
import { type Topic, undescribed } from "./topic";
import { TopicStore } from "./topics.store";

/** Where the directory reads; all of it each time, it is small. */
export interface DirectoryPorts {
  readonly clock: Pick<Clock, "now">;
  topics(): Promise<readonly Topic[]>;
  keywords(): Promise<readonly KeywordRule[]>;
}

interface Content {
  readonly topics: ReadonlyMap<string, Topic>;
  readonly keywords: readonly KeywordRule[];
}

interface Entry {
  readonly startedAt: number;
  readonly content: Promise<Content>;
  known?: Content;
}

/** How long a change can go unnoticed when its event was lost. */
const TTL_MS = 30_000;

/**
 * The topics and keyword rules as this node knows them: as they were at most 30 s ago, and as they are when their
 * changes were heard of (`drop`). Whoever asks meanwhile shares one read.
 */
export class TopicDirectory {
  #entry: Entry | undefined;

  constructor(private readonly ports: DirectoryPorts) {}

  /** The topic, or what an undescribed one of this id is. */
  async get(id: string): Promise<Topic> {
    return (await this.#content()).topics.get(id) ?? undescribed(id);
  }

  /** Every topic that was described, the archived too, in no particular order. */
  async all(): Promise<readonly Topic[]> {
    return [...(await this.#content()).topics.values()];
  }

  /** The rules for `classify`. */
  async keywords(): Promise<readonly KeywordRule[]> {
    return (await this.#content()).keywords;
  }

  /** Whether there are any rules, as far as it is known at this moment; else they are read, for the next who asks. */
  get hasKeywords(): boolean | undefined {
    const { known } = this.#fresh() ?? {};
    if (!known) this.keywords().catch(() => undefined);
    return known && known.keywords.length > 0;
  }

  /** Something changed: what is known or being read no longer counts. */
  drop(): void {
    this.#entry = undefined;
  }

  async #content(): Promise<Content> {
    for (;;) {
      const entry = this.#fresh() ?? this.#start();
      const content = await entry.content;
      if (this.#entry === entry) return content;
    }
  }

  #fresh(): Entry | undefined {
    const age = this.ports.clock.now() - (this.#entry?.startedAt ?? -Infinity);
    return age >= 0 && age < TTL_MS ? this.#entry : undefined;
  }

  #start(): Entry {
    const entry: Entry = { startedAt: this.ports.clock.now(), content: this.#read() };
    this.#entry = entry;
    entry.content.then(
      (content) => (entry.known = content),
      () => {
        if (this.#entry === entry) this.#entry = undefined;
      },
    );
    return entry;
  }

  async #read(): Promise<Content> {
    const [topics, keywords] = await Promise.all([this.ports.topics(), this.ports.keywords()]);
    return { topics: new Map(topics.map((topic) => [topic.id, topic])), keywords };
  }
}

/** The directory of a broker's node. */
export const topicsOf = perBroker((broker) => {
  const { store, clock } = resourcesOf(broker);
  const [topics, keywords] = [new TopicStore(store), new KeywordStore(store)];
  return new TopicDirectory({ clock, topics: () => topics.all(), keywords: () => keywords.all() });
});
