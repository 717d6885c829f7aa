import type { Collection, CollectionDefinition, Document, Filter, Store } from "../../lib/store/collection";
import { cursorAt, following } from "../../lib/store/cursor";
import { insertNew } from "../../lib/store/insert-new";

/** Something that a user did and that nobody else sees; never changed, never deleted. */
export interface AuditDocument extends Document {
  /** Wall-clock milliseconds. */
  readonly at: number;
  readonly by: string;
  readonly action: string;
  readonly target: string;
}

export const AUDIT: CollectionDefinition = {
  name: "audit",
  indexes: [
    { fields: { at: -1, _id: -1 } },
    { fields: { by: 1, at: -1, _id: -1 } },
    { fields: { target: 1, at: -1, _id: -1 } },
  ],
};

export interface AuditFilter {
  readonly by?: string | undefined;
  readonly target?: string | undefined;
}

export class AuditStore {
  readonly #entries: Collection<AuditDocument>;

  constructor(store: Store) {
    this.#entries = store.collection<AuditDocument>(AUDIT);
  }

  /** Resolves when the entry is durable; writing it again changes nothing. */
  async add(entry: AuditDocument): Promise<void> {
    await insertNew(this.#entries, entry);
  }

  /** Newest first, after the cursor of the page before. */
  async page(
    { by, target }: AuditFilter,
    limit: number,
    cursor?: string,
  ): Promise<{ entries: readonly AuditDocument[]; cursor?: string }> {
    const filter: Filter = {
      ...(by !== undefined && { by: { $eq: by } }),
      ...(target !== undefined && { target: { $eq: target } }),
      ...following("at", "descending", cursor),
    };
    const found = await this.#entries.find(filter, { sort: { at: -1, _id: -1 }, limit: limit + 1 });
    const entries = found.slice(0, limit);
    const last = entries.at(-1);
    return found.length > limit && last ? { entries, cursor: cursorAt(last.at, last._id) } : { entries };
  }
}
