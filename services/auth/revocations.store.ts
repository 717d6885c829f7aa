import {
  type Collection,
  type CollectionDefinition,
  type Document,
  DuplicateKeyError,
  type Store,
} from "../../lib/store/collection";
import type { Login } from "./refresh-tokens.store";
import type { Revocation, RevocationPage } from "./revocations";

type RevocationDocument = Revocation & Document;

export const REVOCATIONS: CollectionDefinition = {
  name: "revocations",
  indexes: [
    { fields: { number: 1 }, unique: true },
    { fields: { family: 1 }, unique: true, sparse: true },
    { fields: { at: 1 } },
  ],
};

const PAGE = 1_000;
const DIGITS = 16;

/**
 * Revocations, numbered by unique inserts. Whether a login ended is decided by one document alone: a family is revoked
 * when, and as soon as, it is here.
 */
export class RevocationStore {
  readonly #revocations: Collection<RevocationDocument>;

  constructor(store: Store) {
    this.#revocations = store.collection<RevocationDocument>(REVOCATIONS);
  }

  /** Ends a login, or with no family everything of the user. A family that ended before is answered as it is. */
  async add(ended: { userId: string; family?: string }, at: number): Promise<Revocation> {
    for (;;) {
      const number = (await this.last()) + 1;
      const document = { _id: String(number).padStart(DIGITS, "0"), number, ...ended, at };
      try {
        await this.#revocations.insertMany([document]);
        return document;
      } catch (error) {
        if (!(error instanceof DuplicateKeyError)) throw error;
      }
      // Somebody took the number, or ended the same family.
      const existing = ended.family === undefined ? undefined : await this.of(ended.family);
      if (existing) return existing;
    }
  }

  /** The revocation of a family. */
  async of(family: Login["family"]): Promise<Revocation | undefined> {
    return this.#revocations.findOne({ family });
  }

  /** The greatest number, 0 when there is none. */
  async last(): Promise<number> {
    return (await this.#revocations.findOne({}, { sort: { number: -1 } }))?.number ?? 0;
  }

  /** Entries numbered above `after` and not older than `since` (wall-clock milliseconds). */
  async page(after: number, since: number): Promise<RevocationPage> {
    // Read before the entries: a number is taken only when all below it are durable, so none up to `last` is missed.
    const last = await this.last();
    const found = await this.#revocations.find(
      { number: { $gt: after }, at: { $gte: since } },
      { sort: { number: 1 }, limit: PAGE },
    );
    const revocations = found.map(({ number, userId, family, at }) => ({
      number,
      userId,
      ...(family === undefined ? {} : { family }),
      at,
    }));
    return { revocations, last: Math.max(last, found.at(-1)?.number ?? 0), more: found.length === PAGE };
  }

  /** Forgets entries made before a time, but not the one that the next number is counted from. */
  async purge(before: number): Promise<void> {
    const last = await this.last();
    await this.#revocations.deleteMany({ at: { $lt: before }, number: { $lt: last } });
  }
}
