import type { Clock, Random } from "../../lib/actor/ports";
import { ParleyError } from "../../lib/errors";
import type { Login, RefreshTokenStore } from "./refresh-tokens.store";
import type { Revocation } from "./revocations";
import type { RevocationLedger } from "./revocation-ledger";
import type { AccessTokens } from "./tokens";

const DAY_MS = 86_400_000;

export interface LoginsOptions {
  readonly accessTokens: AccessTokens;
  readonly refreshTokens: RefreshTokenStore;
  readonly revocations: RevocationLedger;
  readonly clock: Pick<Clock, "now">;
  readonly random: Pick<Random, "id">;
  readonly accessTokenSeconds: number;
  readonly refreshTokenSeconds: number;
  /** Told of each revocation after it is durable; resolves when no node acts on the login any more. */
  readonly announce: (revocation: Revocation) => Promise<void>;
}

/** What a client holds of a login. */
export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Seconds until the access token expires. */
  readonly expiresIn: number;
}

/**
 * Logins and their tokens. A refresh token is good once; when it comes a second time, whoever brings it, two parties
 * hold it and the whole login ends (RFC 9700, section 4.14.2).
 */
export class Logins {
  constructor(private readonly options: LoginsOptions) {}

  /** Starts a login. */
  async open(userId: string): Promise<Tokens> {
    return this.#issue({ userId, family: this.options.random.id() });
  }

  /**
   * Spends a refresh token; answers whose it was, and the new tokens.
   * @throws ParleyError UNAUTHORIZED: unknown, expired, revoked, or spent before; the last ends the login
   */
  async refresh(token: string): Promise<{ userId: string; tokens: Tokens }> {
    const { refreshTokens, revocations, clock } = this.options;
    const known = await refreshTokens.find(token, clock.now());
    if (!known || (await revocations.of(known.family))) throw new ParleyError("UNAUTHORIZED");
    if (!(await refreshTokens.spend(known))) {
      await this.end(known);
      throw new ParleyError("UNAUTHORIZED");
    }
    return { userId: known.userId, tokens: await this.#issue(known) };
  }

  /** Ends the login of a refresh token, spent or not. A token that is not known ends nothing. */
  async logout(token: string): Promise<void> {
    const known = await this.options.refreshTokens.find(token, this.options.clock.now());
    if (known) await this.end(known);
  }

  /** Ends one login, or without a family all that the user has and will have. */
  async end({ userId, family }: { readonly userId: string; readonly family?: string }): Promise<void> {
    const ended = { userId, ...(family === undefined ? {} : { family }) };
    await this.options.announce(await this.options.revocations.add(ended, this.options.clock.now()));
  }

  /** Ends every login that a user has now and answers how many there were; later ones are not touched. */
  async endAll(userId: string): Promise<number> {
    const { refreshTokens, revocations, clock } = this.options;
    const ended = await Promise.all(
      (await refreshTokens.familiesOf(userId, clock.now())).map(async (family) => {
        if (await revocations.of(family)) return 0;
        await this.end({ userId, family });
        return 1;
      }),
    );
    return ended.reduce<number>((sum, each) => sum + each, 0);
  }

  /** Forgets expired tokens, and revocations of logins that have none left. */
  async purge(): Promise<void> {
    const now = this.options.clock.now();
    await this.options.refreshTokens.purge(now);
    await this.options.revocations.purge(now - this.options.refreshTokenSeconds * 1_000 - DAY_MS);
  }

  async #issue(login: Login): Promise<Tokens> {
    const { accessTokens, refreshTokens, clock, accessTokenSeconds, refreshTokenSeconds } = this.options;
    return {
      refreshToken: await refreshTokens.issue(login, clock.now() + refreshTokenSeconds * 1_000),
      accessToken: accessTokens.issue(login, accessTokenSeconds),
      expiresIn: accessTokenSeconds,
    };
  }
}
