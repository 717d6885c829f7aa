import { randomBytes } from "node:crypto";
import { Authenticator, type AuthenticatorPorts } from "../../../services/auth/authenticator";
import { parseKeys } from "../../../services/auth/keys";
import type { Standing } from "../../../services/auth/standing-cache";
import { AccessTokens } from "../../../services/auth/tokens";
import { VirtualClock } from "../../support/virtual-clock";

const KEYS = parseKeys(`k:${randomBytes(32).toString("base64")}`);

describe("an authenticator", () => {
  let clock: VirtualClock;
  let standings: Map<string, Standing>;
  let ports: AuthenticatorPorts;
  let authenticator: Authenticator;
  let token: string;

  beforeEach(() => {
    clock = new VirtualClock();
    standings = new Map([["ann", { roles: ["agent"], guest: false }]]);
    ports = {
      clock,
      monotonic: () => clock.now(),
      loadKeys: async () => KEYS,
      readStanding: async (id) => standings.get(id) ?? null,
      fetchRevocations: async () => ({ revocations: [], last: 0, more: false }),
      accessTokenSeconds: 900,
    };
    authenticator = new Authenticator(ports);
    token = new AccessTokens(KEYS, clock).issue({ userId: "ann", family: "f" }, 900);
  });
  afterEach(() => authenticator.stop());

  test("answers UNAVAILABLE until it knows keys and revocations, not that the token is bad", async () => {
    await expect(authenticator.authenticate(token)).rejects.toMatchObject({ type: "UNAVAILABLE" });
    await authenticator.start();
    await expect(authenticator.authenticate(token)).resolves.toMatchObject({ id: "ann" });
  });

  test("does not start without the revocations", async () => {
    const blind = new Authenticator({ ...ports, fetchRevocations: () => Promise.reject(new Error("store down")) });
    await expect(blind.start()).rejects.toThrow("store down");
    await expect(blind.authenticate(token)).rejects.toMatchObject({ type: "UNAVAILABLE" });
  });

  test("tells until when a token is good", async () => {
    await authenticator.start();
    expect((await authenticator.identify(token)).expiresAt).toBe(clock.now() + 900_000);
  });

  test("no longer calls an identity current when its roles changed, nor when its login ended", async () => {
    await authenticator.start();
    const before = await authenticator.authenticate(token);
    expect(authenticator.isCurrent(before)).toBe(true);

    standings.set("ann", { roles: ["customer"], guest: false });
    authenticator.handleUserChanged("ann");
    expect(authenticator.isCurrent(before)).toBe(false);
    const after = await authenticator.renew(before);
    expect(after).toEqual({ ...before, roles: ["customer"] });
    expect([authenticator.isCurrent(before), authenticator.isCurrent(after)]).toEqual([false, true]);

    authenticator.handleRevoked({ number: 1, userId: "ann", family: "f" });
    expect(authenticator.isCurrent(after)).toBe(false);
    await expect(authenticator.renew(after)).rejects.toMatchObject({ type: "UNAUTHORIZED" });
  });

  test("refuses a login that ends while its user is read", async () => {
    await authenticator.start();
    const answer = authenticator.authenticate(token);
    authenticator.handleRevoked({ number: 1, userId: "ann", family: "f" });
    await expect(answer).rejects.toMatchObject({ type: "UNAUTHORIZED" });
  });

  test("tells nobody who stopped listening", async () => {
    await authenticator.start();
    const told: string[] = [];
    const stops = [
      authenticator.onRevoked(({ userId }) => told.push(userId)),
      authenticator.onUserChanged((userId) => told.push(userId)),
    ];
    authenticator.handleUserChanged("ann");
    for (const stop of stops) stop();
    authenticator.handleUserChanged("bob");
    authenticator.handleRevoked({ number: 1, userId: "bob" });
    expect(told).toEqual(["ann"]);
  });

  test("lets nobody in while it does not know what was revoked", async () => {
    let down = false;
    const last = (): Promise<number> => (down ? Promise.reject(new Error("store down")) : Promise.resolve(0));
    const node = new Authenticator({ ...ports, lastRevocation: last });
    await node.start();
    down = true;
    await clock.advance(2_000);
    expect(node.isFresh).toBe(false);
    const refused = expect(node.authenticate(token)).rejects.toMatchObject({ type: "UNAVAILABLE" });
    await clock.advance(1_000);
    await refused;
    const waiting = node.authenticate(token);
    down = false;
    await clock.advance(400);
    await expect(waiting).resolves.toMatchObject({ id: "ann" });
    node.stop();
  });

  test("tells the roles of a change at once, without reading the user", async () => {
    await authenticator.start();
    const before = await authenticator.authenticate(token);
    const told: unknown[] = [];
    authenticator.onUserChanged((userId, roles) => told.push([userId, roles]));
    authenticator.handleRevoked({ number: 1, userId: "ann", roles: ["customer"] });
    expect(told).toEqual([["ann", ["customer"]]]);
    expect(authenticator.isCurrent(before)).toBe(false);
    expect((await authenticator.authenticate(token)).roles).toEqual(["customer"]);
  });

  test("a user who cannot be read is UNAVAILABLE, not a bad token", async () => {
    const blind = new Authenticator({ ...ports, readStanding: () => Promise.reject(new Error("no such node")) });
    await blind.start();
    await expect(blind.authenticate(token)).rejects.toMatchObject({ type: "UNAVAILABLE" });
  });
});
