import { ParleyError } from "../../lib/errors";
import type { Collection, CollectionDefinition, Document, Store } from "../../lib/store/collection";
import { canonicalJson } from "../conversation-command";
import type { KeywordRule } from "./classifier";

type KeywordDocument = Omit<KeywordRule, "id"> & Document;

export const KEYWORDS: CollectionDefinition = { name: "keywords", indexes: [] };

/** Every session is looked at with all of them. */
export const MAX_KEYWORDS = 500;
const OPTIONAL = ["urgency", "headStartMs", "topicId"] as const;

/** The keyword rules of the classifier. Of two who write the same rule, the last one wins. */
export class KeywordStore {
  readonly #keywords: Collection<KeywordDocument>;
  #last: readonly KeywordRule[] = [];

  constructor(store: Store) {
    this.#keywords = store.collection<KeywordDocument>(KEYWORDS);
  }

  /** All rules, by id. The very same list as before when nothing changed: what is made of it need not be made again. */
  async all(): Promise<readonly KeywordRule[]> {
    const found = await this.#keywords.find({}, { sort: { _id: 1 } });
    const rules = found.map(({ _id, ...rule }) => ({ id: _id, ...rule }));
    if (canonicalJson(rules) !== canonicalJson(this.#last)) this.#last = rules;
    return this.#last;
  }

  /**
   * Writes a rule, the earlier one of this id is overwritten.
   * @throws ParleyError LIMIT_REACHED; those who come at once may exceed it by as many as they are
   */
  async put({ id, words, ...rest }: KeywordRule): Promise<void> {
    await this.#keepLimit(id);
    const fields = OPTIONAL.map((name) => [name, rest[name]] as const);
    const given = fields.filter(([, value]) => value !== undefined);
    const absent = fields.filter(([, value]) => value === undefined).map(([name]) => [name, true] as const);
    await this.#keywords.updateOne(
      { _id: id },
      { $set: { words: [...words], ...Object.fromEntries(given) }, $unset: Object.fromEntries(absent) },
      { upsert: true },
    );
  }

  async #keepLimit(id: string): Promise<void> {
    if ((await this.#keywords.count({}, MAX_KEYWORDS)) < MAX_KEYWORDS) return;
    if (!(await this.#keywords.findOne({ _id: id }))) throw new ParleyError("LIMIT_REACHED", { limit: MAX_KEYWORDS });
  }

  /** Deletes a rule, if there is one. */
  async delete(id: string): Promise<void> {
    await this.#keywords.deleteMany({ _id: id });
  }
}
