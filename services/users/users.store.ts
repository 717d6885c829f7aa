import { ParleyError } from "../../lib/errors";
import {
  type Collection,
  type CollectionDefinition,
  type Document,
  DuplicateKeyError,
  type Store,
} from "../../lib/store/collection";
import type { Role, Tier } from "../schemas";
import { searchKey } from "./search-key";

export interface UserDocument extends Document {
  readonly name: string;
  /** What operators search by: see `searchKey`. */
  readonly nameKey: string;
  /** As the user wrote it, without surrounding space. */
  readonly email?: string;
  /** What makes an address unique: see `searchKey`. */
  readonly emailKey?: string;
  readonly passwordHash?: string;
  readonly roles: readonly Role[];
  /** Present exactly when `roles` has `admin`: the store's filters do not look into lists. */
  readonly admin?: true;
  /** Number of the change that these roles are of; absent when they were never replaced. */
  readonly rolesNumber?: number;
  readonly guest: boolean;
  /** Absent as long as nobody has said it. */
  readonly tier?: Tier;
  /** Wall-clock milliseconds, as `deletedAt`. */
  readonly createdAt: number;
  readonly deletedAt?: number;
}

export type NewUser = Pick<UserDocument, "_id" | "name" | "email" | "passwordHash" | "roles" | "guest" | "createdAt">;

export const USERS: CollectionDefinition = {
  name: "users",
  indexes: [
    { fields: { emailKey: 1 }, unique: true, sparse: true },
    { fields: { admin: 1 }, sparse: true },
    { fields: { nameKey: 1 } },
    { fields: { createdAt: 1 } },
  ],
};

const DELETED_NAME = "Deleted user";
const IDS_PER_READ = 1_000;

/** The users. A deleted one keeps its document, so that its id still means somebody, and loses all that names it. */
export class UserStore {
  readonly #users: Collection<UserDocument>;

  constructor(store: Store) {
    this.#users = store.collection<UserDocument>(USERS);
  }

  /**
   * Stores a new user. An e-mail is taken by its unique index, never by looking first.
   * @throws ParleyError EMAIL_TAKEN
   */
  async create(user: NewUser): Promise<UserDocument> {
    const document: UserDocument = {
      ...user,
      nameKey: searchKey(user.name),
      ...(user.email === undefined ? {} : { email: user.email.trim(), emailKey: searchKey(user.email) }),
      ...(user.roles.includes("admin") ? { admin: true } : {}),
    };
    try {
      await this.#users.insertMany([document]);
    } catch (error) {
      if (error instanceof DuplicateKeyError && user.email !== undefined) throw new ParleyError("EMAIL_TAKEN");
      throw error;
    }
    return document;
  }

  /** Stores those of these users whose ids are new, deleted ones included. */
  async ensure(users: ReadonlyArray<Omit<NewUser, "email" | "passwordHash">>): Promise<void> {
    const known = await this.#users.find({ _id: { $in: users.map(({ _id }) => _id) } });
    const ids = new Set(known.map(({ _id }) => _id));
    for (const user of users.filter(({ _id }) => !ids.has(_id))) {
      try {
        await this.create(user);
      } catch (error) {
        if (!(error instanceof DuplicateKeyError)) throw error;
      }
    }
  }

  /** The user, unless unknown or deleted. */
  async get(id: string): Promise<UserDocument | undefined> {
    return this.#users.findOne({ _id: id, deletedAt: null });
  }

  async byEmail(email: string): Promise<UserDocument | undefined> {
    return this.#users.findOne({ emailKey: searchKey(email) });
  }

  /** Those of the ids that are no user, or a deleted one; in the order given. */
  async missing(ids: readonly string[]): Promise<string[]> {
    const known = new Set<string>();
    for (let from = 0; from < ids.length; from += IDS_PER_READ) {
      const found = await this.#users.find({ _id: { $in: ids.slice(from, from + IDS_PER_READ) }, deletedAt: null });
      for (const user of found) known.add(user._id);
    }
    return ids.filter((id) => !known.has(id));
  }

  /** Replaces the roles, unless those there are of this change or a later one: undefined then, and for no user. */
  async setRoles(id: string, roles: readonly Role[], number: number): Promise<UserDocument | undefined> {
    const older = [{ rolesNumber: null }, { rolesNumber: { $lt: number } }];
    const $set = { roles: [...roles], rolesNumber: number };
    const update = roles.includes("admin")
      ? { $set: { ...$set, admin: true } }
      : { $set, $unset: { admin: true as const } };
    return this.#users.findOneAndUpdate({ _id: id, deletedAt: null, $or: older }, update);
  }

  /** Undefined for no user. */
  async setTier(id: string, tier: Tier): Promise<UserDocument | undefined> {
    return this.#users.findOneAndUpdate({ _id: id, deletedAt: null }, { $set: { tier } });
  }

  /** Is there an administrator other than this user? Without an id: is there one at all? */
  async hasAdministrator(except?: string): Promise<boolean> {
    const admins = await this.#users.find({ admin: true }, { limit: 2 });
    return admins.some((user) => user._id !== except);
  }

  /** Forgets who this was; the address is free again. False when there was no such user. */
  async delete(id: string, now: number): Promise<boolean> {
    const deleted = await this.#users.findOneAndUpdate(
      { _id: id, deletedAt: null },
      {
        $set: { deletedAt: now, name: DELETED_NAME, nameKey: searchKey(DELETED_NAME), roles: [] },
        $unset: { email: true, emailKey: true, passwordHash: true, admin: true },
      },
    );
    return deleted !== undefined;
  }

  /** Users whose id, e-mail or name begins with the query, or all; newest first. For operators. */
  async search(query: string, limit: number): Promise<UserDocument[]> {
    const beginning = (text: string) => ({ $gte: text, $lt: `${text}\uffff` });
    const key = searchKey(query);
    const match = { $or: [{ _id: beginning(query) }, { emailKey: beginning(key) }, { nameKey: beginning(key) }] };
    return this.#users.find({ deletedAt: null, ...(key === "" ? {} : match) }, { sort: { createdAt: -1 }, limit });
  }
}
