import { parseOptions } from "@node-rs/argon2";
import { ARGON2, NOBODY, Passwords } from "../../services/auth/passwords";
import { REFRESH_TOKENS } from "../../services/auth/refresh-tokens.store";
import { call } from "../../services/call";
import { type UserDocument, USERS } from "../../services/users/users.store";
import { ADMIN, type AuthNode, startAuthNode } from "../support/auth-node";

const ANN = { email: "ann@example.org", password: "correct horse", name: "Ann" };

/** argon2 whose work is done when the test says so. */
class SlowArgon2 {
  readonly verified: string[] = [];
  #waiting: Array<() => void> = [];
  running = 0;

  async hash(password: string): Promise<string> {
    await this.#work();
    return `hash of ${password}`;
  }

  async verify(encoded: string, password: string): Promise<boolean> {
    this.verified.push(encoded);
    await this.#work();
    return encoded === `hash of ${password}`;
  }

  finish(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const done of waiting) done();
  }

  async #work(): Promise<void> {
    this.running += 1;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.running -= 1;
  }
}

describe("guessing who has an account", () => {
  let node: AuthNode;
  beforeAll(async () => {
    node = await startAuthNode();
    await call(node.broker, "auth.signup", ANN);
  });
  afterAll(() => node.stop());

  const refusal = async (email: string): Promise<unknown> => {
    const error: unknown = await call(node.broker, "auth.login", { email, password: "wrong" }).catch((e: unknown) => e);
    const { type, message, code, data, retryable } = error as Record<string, unknown>;
    return { type, message, code, data, retryable };
  };

  test("an unknown e-mail and a wrong password are answered alike", async () => {
    const wrong = await refusal(ANN.email);
    expect(wrong).toMatchObject({ type: "BAD_CREDENTIALS", code: 401 });
    expect(await refusal("nobody@example.org")).toEqual(wrong);
  });

  test("both cost exactly one verification", async () => {
    const { passwords } = node.broker.getLocalService("auth") as unknown as { passwords: Passwords };
    const verify = jest.spyOn(passwords, "verify");
    await refusal(ANN.email);
    await refusal("nobody@example.org");
    expect(verify).toHaveBeenCalledTimes(2);
    verify.mockRestore();
  });

  test("where there is no account, a hash of the same cost is verified", async () => {
    const argon2 = new SlowArgon2();
    const passwords = new Passwords({ queue: 1, argon2 });
    const answer = passwords.verify(undefined, "anything");
    argon2.finish();
    expect(await answer).toBe(false);
    expect(argon2.verified).toEqual([NOBODY]);
    expect(parseOptions(NOBODY)).toMatchObject(ARGON2);
    expect(parseOptions(await new Passwords({ queue: 1 }).hash("x"))).toEqual(parseOptions(NOBODY));
  });
});

describe("passwords", () => {
  const passwords = new Passwords({ queue: 10 });

  test("are stored as argon2id with the parameters of OWASP, each with its own salt", async () => {
    const node = await startAuthNode();
    await call(node.broker, "auth.signup", ANN);
    await call(node.broker, "auth.signup", { ...ANN, email: "bob@example.org" });
    const stored = await node.store.collection<UserDocument>(USERS).find({ emailKey: { $exists: true } });
    await node.stop();
    const hashes = stored.map(({ passwordHash }) => passwordHash);
    expect(new Set(hashes).size).toBe(3);
    for (const hash of hashes) expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(JSON.stringify(stored)).not.toContain(ANN.password);
  });

  test("of 200 characters count in full, beyond the 72 bytes of bcrypt", async () => {
    const long = "p".repeat(199);
    const hash = await passwords.hash(`${long}a`);
    expect(await passwords.verify(hash, `${long}a`)).toBe(true);
    expect(await passwords.verify(hash, `${long}b`)).toBe(false);
    expect(await passwords.verify(hash, long)).toBe(false);
  });

  test("count in full after a zero byte", async () => {
    const hash = await passwords.hash("secret\0one");
    expect(await passwords.verify(hash, "secret\0two")).toBe(false);
  });

  test("are the same however their accents were typed", async () => {
    const hash = await passwords.hash("cafe\u0301 au lait");
    expect(await passwords.verify(hash, "caf\u00e9 au lait")).toBe(true);
  });
});

describe("a flood of logins", () => {
  test("hashes few at once, keeps few waiting and answers TOO_BUSY to the rest", async () => {
    const argon2 = new SlowArgon2();
    const passwords = new Passwords({ queue: 5, concurrency: 2, argon2 });
    const flood = Array.from({ length: 100 }, () => passwords.verify("hash of right", "right"));
    const settled = Promise.allSettled(flood);
    expect(argon2.running).toBe(2);
    expect(passwords.waiting).toBe(5);

    let done = false;
    void settled.then(() => (done = true));
    while (!done) {
      expect(argon2.running).toBeLessThanOrEqual(2);
      argon2.finish();
      await new Promise(setImmediate);
    }
    const results = await settled;
    const refused = results.filter((result) => result.status === "rejected");
    expect(results.filter((result) => result.status === "fulfilled" && result.value)).toHaveLength(7);
    expect(refused).toHaveLength(93);
    for (const { reason } of refused) expect(reason).toMatchObject({ type: "TOO_BUSY", retryable: true });
    expect(passwords.waiting).toBe(0);
  });

  test("a failing hash frees its place", async () => {
    const fails = { hash: () => Promise.reject(new Error("out of memory")), verify: () => Promise.resolve(true) };
    const passwords = new Passwords({ queue: 0, concurrency: 1, argon2: fails });
    await expect(passwords.hash("x")).rejects.toThrow("out of memory");
    await expect(passwords.verify("h", "x")).resolves.toBe(true);
  });

  test("reaches callers of the action as TOO_BUSY", async () => {
    const node = await startAuthNode({ env: { LIMIT_PASSWORD_QUEUE: "1" } });
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => call(node.broker, "auth.login", ADMIN)));
    await node.stop();
    const busy = results.filter((result) => result.status === "rejected");
    expect(busy.length).toBeGreaterThanOrEqual(10);
    for (const { reason } of busy) expect(reason).toMatchObject({ type: "TOO_BUSY" });
  });
});

describe("what is written down", () => {
  test("no password, token or e-mail is in any log line", async () => {
    const lines: string[] = [];
    const node = await startAuthNode({ log: (line) => lines.push(line) });
    const pair = await call(node.broker, "auth.signup", ANN);
    await call(node.broker, "auth.login", { email: ANN.email, password: "wrong wrong" }).catch(() => undefined);
    await call(node.broker, "auth.signup", ANN).catch(() => undefined);
    const next = await call(node.broker, "auth.refresh", { refreshToken: pair.refreshToken });
    await call(node.broker, "auth.refresh", { refreshToken: pair.refreshToken }).catch(() => undefined);
    await node.authenticator.authenticate(next.accessToken).catch(() => undefined);
    await node.stop();
    expect(lines.length).toBeGreaterThan(0);
    const log = lines.join("\n").toLowerCase();
    const secrets = [ANN.email, ANN.password, "wrong wrong", ADMIN.email, ADMIN.password];
    const tokens = [pair, next].flatMap(({ accessToken, refreshToken }) => [accessToken, refreshToken]);
    for (const secret of [...secrets, ...tokens]) expect(log).not.toContain(secret.toLowerCase());
  });

  test("refresh tokens are stored as hashes only", async () => {
    const node = await startAuthNode();
    const { refreshToken } = await call(node.broker, "auth.guest", {});
    const stored = await node.store.collection(REFRESH_TOKENS).find({});
    await node.stop();
    expect(stored).toHaveLength(1);
    expect(JSON.stringify(stored)).not.toContain(refreshToken);
  });
});
