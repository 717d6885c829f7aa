import type { Collection, CollectionDefinition, Document, Store } from "../../lib/store/collection";
import { insertNew } from "../../lib/store/insert-new";
import type { Login } from "./refresh-tokens.store";
import { isRoleChange, type Revocation, type RevocationPage, type RoleChange } from "./revocations";

interface RevocationDocument extends Revocation, Document {
  readonly kind?: typeof ROLES;
}

const ROLES = "roles";

export const REVOCATIONS: CollectionDefinition = {
  name: "revocations",
  indexes: [
    { fields: { number: 1 }, unique: true },
    { fields: { family: 1 }, unique: true, sparse: true },
    { fields: { kind: 1 }, sparse: true },
    { fields: { at: 1 } },
  ],
};

const PAGE = 1_000;
const DIGITS = 16;

/**
 * Revocations, numbered by unique inserts. Whether a login ended is decided by one document alone: a family is revoked
 * when, and as soon as, it is here.
 */
export class RevocationLedger {
  readonly #revocations: Collection<RevocationDocument>;

  constructor(store: Store) {
    this.#revocations = store.collection<RevocationDocument>(REVOCATIONS);
  }

  /** Ends a login, or with no family everything of the user. A family that ended before is answered as it is. */
  async add(ended: { userId: string; family?: string }, at: number): Promise<Revocation> {
    for (;;) {
      const added = await this.#insert({ number: (await this.last()) + 1, ...ended, at });
      if (added) return added;
      // Somebody took the number, or ended the same family.
      const existing = ended.family === undefined ? undefined : await this.of(ended.family);
      if (existing) return existing;
    }
  }

  /**
   * Replaces a user's roles, provided that nothing was added after number `last`: what the caller found when the list
   * ended there still holds. Undefined when something was.
   */
  async addRoles(last: number, change: Pick<RoleChange, "userId" | "roles">, at: number) {
    return this.#insert({ number: last + 1, ...change, at });
  }

  /** All changes of roles numbered above `after`, in order. */
  async roleChanges(after: number): Promise<RoleChange[]> {
    const found = await this.#revocations.find({ kind: ROLES, number: { $gt: after } }, { sort: { number: 1 } });
    return found.map(plain).filter(isRoleChange);
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
    return {
      revocations: found.map(plain),
      last: Math.max(last, found.at(-1)?.number ?? 0),
      more: found.length === PAGE,
    };
  }

  /** Forgets entries made before a time, but not the one that the next number is counted from. */
  async purge(before: number): Promise<void> {
    const last = await this.last();
    await this.#revocations.deleteMany({ at: { $lt: before }, number: { $lt: last } });
  }

  /** Undefined when the number is taken, or the family has ended before. */
  async #insert<R extends Revocation>(revocation: R): Promise<R | undefined> {
    const _id = String(revocation.number).padStart(DIGITS, "0");
    const kind = isRoleChange(revocation) && ({ kind: ROLES } as const);
    return (await insertNew(this.#revocations, { _id, ...revocation, ...kind })) ? revocation : undefined;
  }
}

const plain = ({ number, userId, family, roles, at }: RevocationDocument): Revocation => ({
  number,
  userId,
  ...(family === undefined ? {} : { family }),
  ...(roles === undefined ? {} : { roles }),
  at,
});
