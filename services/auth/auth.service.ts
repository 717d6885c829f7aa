import type { Context } from "moleculer";
import type { Params, Result } from "../../lib/contract";
import { Action, DomainService, InternalAction, Service } from "../../lib/decorators";
import { ParleyError } from "../../lib/errors";
import { callUsers } from "../users/users.internal";
import { announce } from "./announcement";
import * as contracts from "./auth.contract";
import type { AuthInternal } from "./auth.internal";
import { loadKeys } from "./keys";
import { addressKey, AttemptLimit, emailKey, sharedCount } from "./limits";
import { Logins, type Tokens } from "./logins";
import { Passwords } from "./passwords";
import type { Meta } from "./principal";
import { RefreshTokenStore } from "./refresh-tokens.store";
import { RevocationLedger } from "./revocation-ledger";
import { AccessTokens } from "./tokens";

const GUEST_NAME = "Guest";

type Handled<C extends (typeof contracts)[keyof typeof contracts]> = Context<Params<C>, Meta>;
type Pair = Result<typeof contracts.login>;

/** Sign-up, login, guests, and the life of tokens. */
@Service({ name: "auth", dependencies: ["users"] })
export default class AuthService extends DomainService {
  declare passwords: Passwords;
  declare logins: Logins;
  declare revocations: RevocationLedger;
  declare limits: { readonly login: AttemptLimit; readonly signup: AttemptLimit; readonly guest: AttemptLimit };

  created(): void {
    const { config, store } = this.resources;
    this.passwords = new Passwords({ queue: config.LIMIT_PASSWORD_QUEUE });
    this.revocations = new RevocationLedger(store);
    const limit = (name: string, perMinute: number) =>
      new AttemptLimit(perMinute, { shared: sharedCount(this.resources, name) });
    this.limits = {
      login: limit("login", config.LIMIT_LOGINS_PER_MINUTE),
      signup: limit("signup", config.LIMIT_SIGNUPS_PER_MINUTE),
      guest: limit("guest", config.LIMIT_GUESTS_PER_MINUTE),
    };
  }

  async started(): Promise<void> {
    const { config, store, clock, random } = this.resources;
    const keys = await loadKeys({ keys: config.AUTH_KEYS, folder: config.DATA_DIR });
    this.logins = new Logins({
      accessTokens: new AccessTokens(keys, clock),
      refreshTokens: new RefreshTokenStore(store),
      revocations: this.revocations,
      clock,
      random,
      accessTokenSeconds: config.ACCESS_TOKEN_SECONDS,
      refreshTokenSeconds: config.REFRESH_TOKEN_SECONDS,
      announce: (revocation) => announce(this.broker, clock, revocation),
    });
  }

  @Action(contracts.guest)
  async guest(ctx: Handled<typeof contracts.guest>): Promise<Pair> {
    await this.limits.guest.attempt(addressKey(ctx.meta.ip));
    const user = await callUsers(ctx, "users.create", { name: ctx.params.name ?? GUEST_NAME });
    return answer(await this.logins.open(user.id), user);
  }

  @Action(contracts.signup)
  async signup(ctx: Handled<typeof contracts.signup>): Promise<Pair> {
    await this.limits.signup.attempt(addressKey(ctx.meta.ip));
    const { email, password, name } = ctx.params;
    const passwordHash = await this.passwords.hash(password);
    const user = await callUsers(ctx, "users.create", { name, email, passwordHash });
    return answer(await this.logins.open(user.id), user);
  }

  @Action(contracts.login)
  async login(ctx: Handled<typeof contracts.login>): Promise<Pair> {
    const { email, password } = ctx.params;
    await this.limits.login.attempt(addressKey(ctx.meta.ip));
    await this.limits.login.attempt(emailKey(email));
    const credentials = await callUsers(ctx, "users.credentials", { email });
    const right = await this.passwords.verify(credentials?.passwordHash, password);
    const user = right && credentials ? await callUsers(ctx, "users.get", { id: credentials.id }) : null;
    if (!user) throw new ParleyError("BAD_CREDENTIALS");
    return answer(await this.logins.open(user.id), user);
  }

  @Action(contracts.refresh)
  async refresh(ctx: Handled<typeof contracts.refresh>): Promise<Pair> {
    const { userId, tokens } = await this.logins.refresh(ctx.params.refreshToken);
    const user = await callUsers(ctx, "users.get", { id: userId });
    if (!user) throw new ParleyError("UNAUTHORIZED");
    return answer(tokens, user);
  }

  @Action(contracts.logout)
  async logout(ctx: Handled<typeof contracts.logout>): Promise<null> {
    await this.logins.logout(ctx.params.refreshToken);
    return null;
  }

  // It may take longer than an attempt: a repeat would only add to what is slow. The next turn comes.
  @InternalAction("purge", { repeats: "never" })
  async purge(): Promise<null> {
    await this.logins.purge();
    return null;
  }

  @InternalAction("kick", { repeats: "read" })
  async kick(ctx: Context<AuthInternal["auth.kick"]["params"], Meta>): Promise<AuthInternal["auth.kick"]["result"]> {
    return { logins: await this.logins.endAll(ctx.params.userId) };
  }

  @InternalAction("endUser", { repeats: "read" })
  async endUser(ctx: Context<AuthInternal["auth.endUser"]["params"], Meta>): Promise<null> {
    await this.logins.end(ctx.params);
    return null;
  }
}

const answer = (tokens: Tokens, user: Pair["user"]): Pair => ({ ...tokens, user });
