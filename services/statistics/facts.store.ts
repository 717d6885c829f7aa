import type { Collection, CollectionDefinition, Document, Filter, Store } from "../../lib/store/collection";
import type { SessionFacts } from "./session-facts";

/** Times of a session counted in opening hours, in milliseconds. */
export interface Measures {
  /** From the opening to the first response. */
  readonly responseMs?: number;
  /** Of each segment, in their order; 0 for one that has not ended. */
  readonly segmentsMs: readonly number[];
}

/** The facts of a session through `seq`, and what they came to by the opening hours there were; `_id` is the conversation's. */
export interface FactsDocument extends Document {
  readonly seq: number;
  readonly openedAt: number;
  /** Which of `SPANS_MS` the session fits into. */
  readonly span: number;
  readonly facts: SessionFacts;
  readonly measures: Measures;
}

export const SESSION_FACTS: CollectionDefinition = {
  name: "session_facts",
  indexes: [{ fields: { span: 1, openedAt: 1, _id: 1 } }],
};

const DAY_MS = 86_400_000;
/**
 * Classes of sessions by how long they lasted, open ones in the last. Sessions that overlap a period are found by when
 * they were opened: of each class not earlier than its length before the period begins.
 */
export const SPANS_MS: readonly number[] = [1, 4, 16, 64, 256, Infinity].map((days) => days * DAY_MS);

const PAGE = 300;

/** The facts of all sessions: a projection of the log. */
export class FactsStore {
  readonly #facts: Collection<FactsDocument>;

  constructor(store: Store) {
    this.#facts = store.collection<FactsDocument>(SESSION_FACTS);
  }

  get(conversationId: string): Promise<FactsDocument | undefined> {
    return this.#facts.findOne({ _id: conversationId });
  }

  /** Writes what is newer than what is stored. */
  async put(document: FactsDocument): Promise<void> {
    await this.#facts.putNewer([document], "seq");
  }

  /** Writes it also over what is as new: made by other rules, or wrong. */
  async rewrite({ _id, ...rest }: FactsDocument): Promise<void> {
    const written = await this.#facts.updateOne({ _id, seq: { $lte: rest.seq } }, { $set: rest });
    if (written.matched === 0) await this.#facts.putNewer([{ _id, ...rest }], "seq");
  }

  /** Deletes a document, unless it was written again since it was read. */
  async remove({ _id, seq }: FactsDocument): Promise<void> {
    await this.#facts.deleteMany({ _id, seq });
  }

  /** Sessions that overlap the time from `from` to `to`, a page at a time, in no particular order; some others too. */
  async *touching(from: number, to: number): AsyncGenerator<FactsDocument[]> {
    for (const [span, lengthMs] of SPANS_MS.entries()) {
      let last: FactsDocument | undefined;
      do {
        const earliest = last?.openedAt ?? Math.max(0, from - lengthMs);
        const filter: Filter = { span, openedAt: { $gte: earliest, $lt: to } };
        if (last) filter.$or = [{ openedAt: { $gt: last.openedAt } }, { _id: { $gt: last._id } }];
        const page = await this.#facts.find(filter, { sort: { openedAt: 1, _id: 1 }, limit: PAGE });
        if (page.length > 0) yield page;
        last = page.length < PAGE ? undefined : page.at(-1);
      } while (last);
    }
  }
}
