import { ParleyError } from "../../lib/errors";
import type { Collection, CollectionDefinition, Document, Filter, Store } from "../../lib/store/collection";
import { insertNew } from "../../lib/store/insert-new";
import { searchKey } from "../users/search-key";
import type { Scope } from "./replies.contract";

export interface ReplyDocument extends Document {
  /** Whose list it is in: `shared`, or `own/<user id>`. */
  readonly list: string;
  /** As it was written; unique in its list by `shortcutKey`. */
  readonly shortcut: string;
  readonly shortcutKey: string;
  readonly title?: string;
  readonly text: string;
  /** Who wrote it last, and when in wall-clock milliseconds. */
  readonly by: string;
  readonly updatedAt: number;
}

export const REPLIES: CollectionDefinition = {
  name: "replies",
  indexes: [{ fields: { list: 1, shortcutKey: 1 }, unique: true }],
};

/** The list of a scope, as this user has it. */
export const listOf = (scope: Scope, userId: string): string => (scope === "shared" ? "shared" : `own/${userId}`);

export interface ReplyPage {
  readonly replies: readonly ReplyDocument[];
  readonly cursor?: string;
}

/** As the store gives it back. */
const keyOf = (shortcut: string): string => searchKey(shortcut).toWellFormed();

const ATTEMPTS = 20;
const LAST = "\u{10ffff}";

/**
 * The canned replies. Each has one of the numbered places of its list as its `_id`, so that a list never has more than
 * it has places, however many are written at once.
 */
export class ReplyStore {
  readonly #replies: Collection<ReplyDocument>;

  constructor(
    store: Store,
    private readonly places: number,
  ) {
    this.#replies = store.collection<ReplyDocument>(REPLIES);
  }

  /**
   * Writes the reply of this shortcut, the earlier one of which is overwritten.
   * @throws ParleyError LIMIT_REACHED when the list is full
   */
  async put(reply: Omit<ReplyDocument, "_id" | "shortcutKey">): Promise<ReplyDocument> {
    const { title, ...rest } = reply;
    const document = { ...rest, shortcutKey: keyOf(reply.shortcut) };
    const where = { list: document.list, shortcutKey: document.shortcutKey };
    const change =
      title === undefined ? { $set: document, $unset: { title: true as const } } : { $set: { ...document, title } };
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const changed = await this.#replies.findOneAndUpdate(where, change);
      if (changed) return changed;
      const inserted = { ...document, ...(title !== undefined && { title }), _id: await this.freePlace(document.list) };
      if (await insertNew(this.#replies, inserted)) return inserted;
    }
    throw new ParleyError("TOO_BUSY");
  }

  async get(list: string, shortcut: string): Promise<ReplyDocument | undefined> {
    return this.#replies.findOne({ list, shortcutKey: keyOf(shortcut) });
  }

  async delete(list: string, shortcut: string): Promise<void> {
    await this.#replies.deleteMany({ list, shortcutKey: keyOf(shortcut) });
  }

  /** Replies of these lists whose shortcut begins with `prefix`, by shortcut; those that share one by list. */
  async page(lists: readonly string[], prefix: string, limit: number, cursor?: string): Promise<ReplyPage> {
    const key = keyOf(prefix);
    const filter: Filter = { list: { $in: lists }, shortcutKey: { $gte: key, $lt: `${key}${LAST}` }, ...after(cursor) };
    const found = await this.#replies.find(filter, { sort: { shortcutKey: 1, list: 1 }, limit: limit + 1 });
    const replies = found.slice(0, limit);
    const last = replies.at(-1);
    return found.length > limit && last ? { replies, cursor: `${last.shortcutKey}\n${last.list}` } : { replies };
  }

  private async freePlace(list: string): Promise<string> {
    const taken = new Set((await this.#replies.find({ list })).map(({ _id }) => _id));
    for (let place = 1; place <= this.places; place++) {
      const id = `${list}/${place}`;
      if (!taken.has(id)) return id;
    }
    throw new ParleyError("LIMIT_REACHED", { limit: this.places });
  }
}

/** The filter of what follows a cursor in ascending (shortcutKey, list); neither has a line break. */
function after(cursor: string | undefined): Filter {
  const [shortcutKey, list] = cursor?.split("\n") ?? [];
  if (shortcutKey === undefined || list === undefined) return {};
  return { $or: [{ shortcutKey: { $gt: shortcutKey } }, { shortcutKey, list: { $gt: list } }] };
}
