import { ParleyError } from "../../lib/errors";
import { type Authenticating, authenticationMixin } from "../../mixins/authentication.mixin";
import type { Principal } from "../../services/auth/principal";
import { call } from "../../services/call";
import { callUsers } from "../../services/users/users.internal";
import { ADMIN, type AuthNode, startAuthNode } from "../support/auth-node";

const ANN = { email: "Ann@Example.org", password: "correct horse", name: "Ann" };

describe("accounts and logins", () => {
  let node: AuthNode;
  const authenticate = (token: string): Promise<Principal> => node.authenticator.authenticate(token);

  beforeEach(async () => {
    node = await startAuthNode();
  });
  afterEach(() => node.stop());

  test("sign-up gives the role customer and a token that stands for the new user", async () => {
    const { user, accessToken, expiresIn } = await call(node.broker, "auth.signup", ANN);
    expect(user).toMatchObject({ name: "Ann", email: "Ann@Example.org", roles: ["customer"], guest: false });
    expect(expiresIn).toBe(900);
    const principal = await authenticate(accessToken);
    expect(principal).toMatchObject({ id: user.id, roles: ["customer"], guest: false });
    await expect(call(node.broker, "users.me", {}, node.as(principal))).resolves.toEqual(user);
  });

  test("login takes the address in any spelling", async () => {
    const { user } = await call(node.broker, "auth.signup", ANN);
    const again = await call(node.broker, "auth.login", { email: " ANN@example.ORG ", password: ANN.password });
    expect(again.user).toEqual(user);
  });

  test("of fifty sign-ups with one address at once, one has it", async () => {
    const signups = Array.from({ length: 50 }, () => call(node.broker, "auth.signup", ANN));
    const results = await Promise.allSettled(signups);
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const result of results)
      if (result.status === "rejected") expect(result.reason).toMatchObject({ type: "EMAIL_TAKEN" });
  });

  test("a guest is a customer without an address", async () => {
    const { user, accessToken } = await call(node.broker, "auth.guest", {});
    expect(user).toMatchObject({ name: "Guest", roles: ["customer"], guest: true });
    expect(user).not.toHaveProperty("email");
    expect(await authenticate(accessToken)).toMatchObject({ id: user.id, guest: true });
  });

  test("refresh answers a new pair of the same login", async () => {
    const first = await call(node.broker, "auth.signup", ANN);
    const second = await call(node.broker, "auth.refresh", { refreshToken: first.refreshToken });
    expect(second.refreshToken).not.toBe(first.refreshToken);
    expect(second.user).toEqual(first.user);
    const before = await authenticate(first.accessToken);
    expect(await authenticate(second.accessToken)).toEqual(before);
  });

  test("a refresh token that comes twice ends the login", async () => {
    const first = await call(node.broker, "auth.signup", ANN);
    const second = await call(node.broker, "auth.refresh", { refreshToken: first.refreshToken });
    const reuse = call(node.broker, "auth.refresh", { refreshToken: first.refreshToken });
    await expect(reuse).rejects.toMatchObject({ type: "UNAUTHORIZED" });
    const afterwards = call(node.broker, "auth.refresh", { refreshToken: second.refreshToken });
    await expect(afterwards).rejects.toMatchObject({ type: "UNAUTHORIZED" });
    await expect(authenticate(second.accessToken)).rejects.toMatchObject({ type: "UNAUTHORIZED" });
  });

  test("of twenty refreshes with one token at once, one wins and the login ends", async () => {
    const { refreshToken, accessToken } = await call(node.broker, "auth.signup", ANN);
    const refreshes = Array.from({ length: 20 }, () => call(node.broker, "auth.refresh", { refreshToken }));
    const won = (await Promise.allSettled(refreshes)).filter(({ status }) => status === "fulfilled");
    expect(won).toHaveLength(1);
    await expect(authenticate(accessToken)).rejects.toMatchObject({ type: "UNAUTHORIZED" });
  });

  test("logout ends that login at once, and no other of the user", async () => {
    const phone = await call(node.broker, "auth.signup", ANN);
    const laptop = await call(node.broker, "auth.login", ANN);
    const told: unknown[] = [];
    node.authenticator.onRevoked((revoked) => told.push(revoked));
    const { family, id } = await authenticate(phone.accessToken);

    await expect(call(node.broker, "auth.logout", { refreshToken: phone.refreshToken })).resolves.toBeNull();
    expect(told).toEqual([expect.objectContaining({ number: 1, userId: id, family })]);
    await expect(authenticate(phone.accessToken)).rejects.toMatchObject({ type: "UNAUTHORIZED" });
    await expect(authenticate(laptop.accessToken)).resolves.toMatchObject({ id });
  });

  test("logout with an unknown or already ended token changes nothing and says so to nobody", async () => {
    const { refreshToken } = await call(node.broker, "auth.signup", ANN);
    await expect(call(node.broker, "auth.logout", { refreshToken: "unknown" })).resolves.toBeNull();
    await call(node.broker, "auth.logout", { refreshToken });
    const told: unknown[] = [];
    node.authenticator.onRevoked((revoked) => told.push(revoked));
    await expect(call(node.broker, "auth.logout", { refreshToken })).resolves.toBeNull();
    expect(told).toEqual([]);
  });

  test("a node that starts later knows of the logins that ended before", async () => {
    const { refreshToken, accessToken } = await call(node.broker, "auth.signup", ANN);
    await call(node.broker, "auth.logout", { refreshToken });
    const late = node.broker.createService({ name: "gateway", mixins: [authenticationMixin] });
    await node.broker.waitForServices("gateway", 5_000, 10);
    const { authenticator } = late as unknown as Authenticating;
    await expect(authenticator.authenticate(accessToken)).rejects.toMatchObject({ type: "UNAUTHORIZED" });
  });
});

describe("roles", () => {
  let node: AuthNode;
  beforeEach(async () => {
    node = await startAuthNode();
  });
  afterEach(() => node.stop());

  test("a change of roles reaches tokens that are in use", async () => {
    const admin = await node.administrator();
    const { user, accessToken } = await call(node.broker, "auth.signup", ANN);
    const before = await node.authenticator.authenticate(accessToken);
    const changed: string[] = [];
    node.authenticator.onUserChanged((userId) => changed.push(userId));

    const params = { id: user.id, roles: ["agent" as const, "supervisor" as const] };
    const answer = await call(node.broker, "users.setRoles", params, node.as(admin));
    expect(answer.roles).toEqual(["agent", "supervisor"]);
    expect(changed).toEqual([user.id]);
    expect((await node.authenticator.authenticate(accessToken)).roles).toEqual(["agent", "supervisor"]);
    expect((await node.authenticator.renew(before)).roles).toEqual(["agent", "supervisor"]);
  });

  test("roles of nobody are NOT_FOUND", async () => {
    const admin = await node.administrator();
    const change = call(node.broker, "users.setRoles", { id: "nobody", roles: ["agent"] }, node.as(admin));
    await expect(change).rejects.toMatchObject({ type: "NOT_FOUND" });
  });

  test("the last administrator keeps the role", async () => {
    const admin = await node.administrator();
    const demote = call(node.broker, "users.setRoles", { id: admin.id, roles: ["agent"] }, node.as(admin));
    await expect(demote).rejects.toMatchObject({ type: "FORBIDDEN" });
  });

  test("two administrators who take the role from each other do not both succeed", async () => {
    const admin = await node.administrator();
    const { user } = await call(node.broker, "auth.signup", ANN);
    await call(node.broker, "users.setRoles", { id: user.id, roles: ["admin"] }, node.as(admin));
    const results = await Promise.allSettled([
      call(node.broker, "users.setRoles", { id: user.id, roles: ["agent"] }, node.as(admin)),
      call(node.broker, "users.setRoles", { id: admin.id, roles: ["agent"] }, node.as(admin)),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  });

  test("a deleted user is nobody: no login, no token, no profile, and the address is free", async () => {
    const { user, accessToken, refreshToken } = await call(node.broker, "auth.signup", ANN);
    await expect(callUsers(node.broker, "users.delete", { id: user.id })).resolves.toEqual({ deleted: true });
    const refused = [node.authenticator.authenticate(accessToken), call(node.broker, "auth.refresh", { refreshToken })];
    for (const attempt of refused) await expect(attempt).rejects.toMatchObject({ type: "UNAUTHORIZED" });
    await expect(call(node.broker, "auth.login", ANN)).rejects.toMatchObject({ type: "BAD_CREDENTIALS" });
    await expect(callUsers(node.broker, "users.get", { id: user.id })).resolves.toBeNull();
    await expect(callUsers(node.broker, "users.exist", { ids: [user.id] })).resolves.toEqual({ missing: [user.id] });
    await expect(call(node.broker, "auth.signup", ANN)).resolves.toMatchObject({ user: { name: "Ann" } });
  });

  test("operators find users by the beginning of id, e-mail or name", async () => {
    const { user } = await call(node.broker, "auth.signup", ANN);
    for (const query of ["an", "ANN@ex", user.id.slice(0, 20)]) {
      const { users } = await callUsers(node.broker, "users.search", { query, limit: 10 });
      expect(users.map(({ id }) => id)).toContain(user.id);
    }
    const { users } = await callUsers(node.broker, "users.search", { limit: 10 });
    expect(users.map(({ email }) => email).sort()).toEqual([ANN.email, ADMIN.email].sort());
    await expect(callUsers(node.broker, "users.search", { query: "zz", limit: 10 })).resolves.toEqual({ users: [] });
  });
});

describe("limits", () => {
  let node: AuthNode;
  afterEach(() => node.stop());

  const limited = async (attempt: () => Promise<unknown>, allowed: number): Promise<void> => {
    for (let i = 0; i < allowed; i += 1)
      await attempt().catch((error: unknown) => expect(error).not.toMatchObject({ type: "RATE_LIMITED" }));
    const refusal = await attempt().catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ParleyError);
    expect(refusal).toMatchObject({ type: "RATE_LIMITED" });
    expect((refusal as ParleyError).data?.["retryInMs"]).toBeGreaterThan(0);
  };
  const from = (ip: string) => ({ meta: { ip } });

  test("guests are limited by address", async () => {
    node = await startAuthNode({ env: { LIMIT_GUESTS_PER_MINUTE: "2" } });
    await limited(() => call(node.broker, "auth.guest", {}, from("192.0.2.1")), 2);
    await expect(call(node.broker, "auth.guest", {}, from("192.0.2.2"))).resolves.toBeDefined();
  });

  test("an IPv6 network is one address", async () => {
    node = await startAuthNode({ env: { LIMIT_GUESTS_PER_MINUTE: "2" } });
    let host = 0;
    await limited(() => call(node.broker, "auth.guest", {}, from(`2001:db8::${(host += 1)}`)), 2);
  });

  test("logins for one account are limited whatever addresses they come from", async () => {
    node = await startAuthNode({ env: { LIMIT_LOGINS_PER_MINUTE: "2" } });
    let host = 0;
    const attempt = (): Promise<unknown> =>
      call(node.broker, "auth.login", { email: ADMIN.email, password: "wrong" }, from(`192.0.2.${(host += 1)}`));
    await limited(attempt, 2);
  });

  test("sign-ups are limited before any password is hashed", async () => {
    node = await startAuthNode({ env: { LIMIT_SIGNUPS_PER_MINUTE: "1" } });
    await limited(() => call(node.broker, "auth.signup", ANN), 1);
  });
});
