import { createHash, randomBytes } from "node:crypto";
import type { Collection, CollectionDefinition, Document, Store } from "../../lib/store/collection";
import { insertNew } from "../../lib/store/insert-new";

/** A login: the user, and the family of refresh tokens that descend from each other. */
export interface Login {
  readonly userId: string;
  readonly family: string;
}

/** A stored refresh token; `_id` is the hash of what the client holds. */
export interface KnownToken extends Login, Document {
  /** Wall-clock milliseconds. */
  readonly expiresAt: number;
}

type SpentToken = Pick<KnownToken, "_id" | "expiresAt">;

export const REFRESH_TOKENS: CollectionDefinition = {
  name: "refreshTokens",
  indexes: [{ fields: { expiresAt: 1 } }, { fields: { userId: 1 } }],
};
export const SPENT_TOKENS: CollectionDefinition = {
  name: "spentTokens",
  indexes: [{ fields: { expiresAt: 1 } }],
};

const TOKEN_BYTES = 32;

/**
 * Refresh tokens: 256 random bits, of which only the SHA-256 is stored (a fast hash is enough for what cannot be
 * guessed). One is spent by inserting its hash among the spent ones: whoever inserts first has it.
 */
export class RefreshTokenStore {
  readonly #tokens: Collection<KnownToken>;
  readonly #spent: Collection<SpentToken>;

  constructor(store: Store) {
    this.#tokens = store.collection<KnownToken>(REFRESH_TOKENS);
    this.#spent = store.collection<SpentToken>(SPENT_TOKENS);
  }

  /** Makes and stores a token of this login; `expiresAt` in wall-clock milliseconds. */
  async issue(login: Login, expiresAt: number): Promise<string> {
    const token = randomBytes(TOKEN_BYTES).toString("base64url");
    await this.#tokens.insertMany([{ _id: hashOf(token), userId: login.userId, family: login.family, expiresAt }]);
    return token;
  }

  /** The token, spent or not; undefined when it is unknown or expired. */
  async find(token: string, now: number): Promise<KnownToken | undefined> {
    const found = await this.#tokens.findOne({ _id: hashOf(token) });
    return found && found.expiresAt > now ? found : undefined;
  }

  /** The families of a user's logins that may still be refreshed. */
  async familiesOf(userId: string, now: number): Promise<string[]> {
    const tokens = await this.#tokens.find({ userId, expiresAt: { $gt: now } });
    return [...new Set(tokens.map(({ family }) => family))];
  }

  /** Spends a token: true for exactly one caller ever. */
  spend({ _id, expiresAt }: KnownToken): Promise<boolean> {
    return insertNew(this.#spent, { _id, expiresAt });
  }

  /** Forgets what has expired. A spent hash must outlive its token, so tokens go first. */
  async purge(now: number): Promise<void> {
    await this.#tokens.deleteMany({ expiresAt: { $lte: now } });
    await this.#spent.deleteMany({ expiresAt: { $lte: now } });
  }
}

const hashOf = (token: string): string => createHash("sha256").update(token).digest("hex");
