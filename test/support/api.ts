import { SETTINGS } from "../../lib/config";
import type { Role } from "../../services/schemas";
import { type Answer, rest, type TokenPair } from "./rest";
import { until } from "./wait";

/** The first administrator of every server under test. */
export const ADMIN = { email: "admin@example.org", password: "a password for tests" };
const SIGNUPS_AT_ONCE = 32;
const SETTLED_MS = 30_000;

/** Every count and rate out of a test's way. */
export const UNLIMITED: Readonly<Record<string, string>> = Object.fromEntries(
  Object.keys(SETTINGS)
    .filter((name) => name.startsWith("LIMIT_"))
    .map((name) => [name, "100000"]),
);

/** What a test's server needs of the environment, whatever it runs: nothing else of ours reaches it. */
export const serverEnv = (): Record<string, string | undefined> => ({
  PATH: process.env["PATH"],
  HOME: process.env["HOME"],
  ADMIN_EMAIL: ADMIN.email,
  ADMIN_PASSWORD: ADMIN.password,
  LOG_LEVEL: "warn",
  ...UNLIMITED,
});

export interface TestUser {
  readonly id: string;
  readonly token: string;
  readonly tokens: TokenPair;
}

/** What a test does with a running server over REST, be it one process or a cluster. */
export abstract class ServerApi {
  private admin: Promise<TokenPair> | undefined;

  /** Where clients connect. */
  abstract get url(): string;

  /** One REST request under `/v1`; `token` is an access token. */
  rest(
    method: string,
    path: string,
    token?: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer> {
    return rest(this.url, method, path, token, body, headers);
  }

  /** A request that is repeated with the same body until its outcome is known. */
  settle(method: string, path: string, token: string, body: object): Promise<Answer> {
    return until(
      `${method} ${path} is answered`,
      async () => {
        const answer = await this.rest(method, path, token, body).catch(() => undefined);
        return answer && (answer.status < 400 || !answer.error.retryable) && answer;
      },
      SETTLED_MS,
    );
  }

  /** Makes an agent available, who is connecting; resolves when that is known. */
  async goOnline({ token }: TestUser): Promise<void> {
    const say = () => this.rest("PUT", "/agents/me/availability", token, { availability: "online" });
    await until("the agent is available", async () => (await say()).expect<{ connected: boolean }>(200).connected);
  }

  /** The administrator's tokens. */
  async adminToken(): Promise<string> {
    this.admin ??= this.rest("POST", "/auth/login", undefined, ADMIN).then((answer) => answer.expect<TokenPair>(200));
    return (await this.admin).accessToken;
  }

  async guest(name = "Guest"): Promise<TestUser> {
    const answer = await this.rest("POST", "/auth/guest", undefined, { name });
    return asUser(answer.expect<TokenPair>(201));
  }

  /** Signs users up, many at once; with `roles` other than customer they are given by the administrator. */
  async users(count: number, roles: readonly Role[] = ["customer"]): Promise<TestUser[]> {
    const users: TestUser[] = [];
    while (users.length < count) {
      const batch = Math.min(SIGNUPS_AT_ONCE, count - users.length);
      users.push(...(await Promise.all(Array.from({ length: batch }, () => this.signUp()))));
    }
    if (roles.join() === "customer") return users;
    const admin = await this.adminToken();
    const given = users.map((user) => this.rest("PUT", `/users/${user.id}/roles`, admin, { roles }));
    for (const answer of await Promise.all(given)) answer.expect(200);
    return users;
  }

  async user(...roles: Role[]): Promise<TestUser> {
    const [user] = await this.users(1, roles.length > 0 ? roles : ["customer"]);
    if (!user) throw new Error("no user was made");
    return user;
  }

  private async signUp(): Promise<TestUser> {
    const name = `user-${crypto.randomUUID()}`;
    const body = { email: `${name}@example.org`, password: "correct horse", name };
    return asUser((await this.rest("POST", "/auth/signup", undefined, body)).expect<TokenPair>(201));
  }
}

const asUser = (tokens: TokenPair): TestUser => ({ id: tokens.user.id, token: tokens.accessToken, tokens });
