import { join } from "node:path";
import type { Context } from "moleculer";
import { Action, DomainService, InternalAction, Service } from "../../lib/decorators";
import type { Params, Result } from "../../lib/contract";
import { ParleyError } from "../../lib/errors";
import { lifecycleOf } from "../../lib/lifecycle";
import { announce } from "../auth/announcement";
import { callAuth } from "../auth/auth.internal";
import { Passwords } from "../auth/passwords";
import type { Meta } from "../auth/principal";
import { RevocationLedger } from "../auth/revocation-ledger";
import { broadcast } from "../call";
import { ensureAdministrator } from "./administrator";
import { RoleChanges } from "./roles";
import * as contracts from "./users.contract";
import type { UsersInternal } from "./users.internal";
import { type UserDocument, UserStore } from "./users.store";

const READ = { repeats: "read" } as const;
type Internal<N extends keyof UsersInternal> = UsersInternal[N];
type InternalContext<N extends keyof UsersInternal> = Context<Internal<N>["params"], Meta>;

/** Profiles and roles. */
@Service({ name: "users" })
export default class UsersService extends DomainService {
  declare users: UserStore;
  declare roleChanges: RoleChanges;

  created(): void {
    this.users = new UserStore(this.resources.store);
    this.roleChanges = new RoleChanges({
      users: this.users,
      list: new RevocationLedger(this.resources.store),
      now: () => this.resources.clock.now(),
    });
  }

  async started(): Promise<void> {
    const { config, clock, random } = this.resources;
    await this.roleChanges.applyAll();
    const passwords = new Passwords({ queue: 1 });
    const passwordFile = join(config.DATA_DIR, "admin-password");
    const { email, password, created } = await ensureAdministrator({
      users: this.users,
      hash: (text) => passwords.hash(text),
      email: config.ADMIN_EMAIL,
      password: config.ADMIN_PASSWORD,
      passwordFile,
      id: random.id(),
      now: clock.now(),
    });
    // To the terminal and never to the log, which others may read; not before all else has been said.
    if (created && password !== undefined)
      lifecycleOf(this.broker).onReady(() =>
        process.stdout.write(`\nFirst administrator: ${email}\nPassword: ${password}\n(kept in ${passwordFile})\n\n`),
      );
  }

  @Action(contracts.me)
  async me(ctx: Context<Params<typeof contracts.me>, Meta>): Promise<Result<typeof contracts.me>> {
    const user = ctx.meta.user && (await this.users.get(ctx.meta.user.id));
    if (!user) throw new ParleyError("UNAUTHORIZED");
    return toUser(user);
  }

  @Action(contracts.setRoles)
  async setRoles(ctx: Context<Params<typeof contracts.setRoles>, Meta>): Promise<Result<typeof contracts.setRoles>> {
    const { user, change } = await this.roleChanges.replace(ctx.params.id, ctx.params.roles);
    await announce(this.broker, this.resources.clock, change);
    return toUser(user);
  }

  @Action(contracts.setTier)
  async setTier(ctx: Context<Params<typeof contracts.setTier>, Meta>): Promise<Result<typeof contracts.setTier>> {
    const user = await this.users.setTier(ctx.params.id, ctx.params.tier);
    if (!user) throw new ParleyError("NOT_FOUND");
    return toUser(user);
  }

  @InternalAction("exist", READ)
  async exist(ctx: InternalContext<"users.exist">): Promise<Internal<"users.exist">["result"]> {
    return { missing: await this.users.missing(ctx.params.ids) };
  }

  @InternalAction("get", READ)
  async get(ctx: InternalContext<"users.get">): Promise<Internal<"users.get">["result"]> {
    const user = await this.users.get(ctx.params.id);
    return user ? toUser(user) : null;
  }

  @InternalAction("principal", READ)
  async principal(ctx: InternalContext<"users.principal">): Promise<Internal<"users.principal">["result"]> {
    const user = await this.users.get(ctx.params.id);
    if (!user) return null;
    const { roles, guest, rolesNumber } = user;
    return { roles, guest, ...(rolesNumber === undefined ? {} : { rolesNumber }) };
  }

  @InternalAction("credentials", READ)
  async credentials(ctx: InternalContext<"users.credentials">): Promise<Internal<"users.credentials">["result"]> {
    const user = await this.users.byEmail(ctx.params.email);
    if (!user) return null;
    return { id: user._id, ...(user.passwordHash === undefined ? {} : { passwordHash: user.passwordHash }) };
  }

  @InternalAction("create")
  async create(ctx: InternalContext<"users.create">): Promise<Internal<"users.create">["result"]> {
    const { name, email, passwordHash } = ctx.params;
    const user = await this.users.create({
      _id: this.resources.random.id(),
      name,
      ...(email === undefined ? {} : { email }),
      ...(passwordHash === undefined ? {} : { passwordHash }),
      roles: ["customer"],
      guest: email === undefined,
      createdAt: this.resources.clock.now(),
    });
    return toUser(user);
  }

  @InternalAction("ensure", { repeats: "command" })
  async ensure(ctx: InternalContext<"users.ensure">): Promise<null> {
    const createdAt = this.resources.clock.now();
    const guest = { roles: ["customer"], guest: true, createdAt } as const;
    await this.users.ensure(ctx.params.users.map(({ id, name }) => ({ _id: id, name, ...guest })));
    return null;
  }

  @InternalAction("search", READ)
  async search(ctx: InternalContext<"users.search">): Promise<Internal<"users.search">["result"]> {
    const found = await this.users.search(ctx.params.query ?? "", ctx.params.limit);
    return { users: found.map(toUser) };
  }

  @InternalAction("delete")
  async delete(ctx: InternalContext<"users.delete">): Promise<Internal<"users.delete">["result"]> {
    const { id } = ctx.params;
    const deleted = await this.users.delete(id, this.resources.clock.now());
    if (deleted) {
      await broadcast(ctx, "users.changed", { userId: id }, ["io", "gateway"]);
      await callAuth(ctx, "auth.endUser", { userId: id });
    }
    return { deleted };
  }
}

const toUser = (user: UserDocument): Result<typeof contracts.me> => ({
  id: user._id,
  name: user.name,
  ...(user.email === undefined ? {} : { email: user.email }),
  roles: [...user.roles],
  guest: user.guest,
  ...(user.tier === undefined ? {} : { tier: user.tier }),
  createdAt: new Date(user.createdAt).toISOString(),
});
