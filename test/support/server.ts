import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SETTINGS } from "../../lib/config";
import type { Role } from "../../services/schemas";
import { type Answer, rest, type TokenPair } from "./rest";
import { until } from "./wait";

const ROOT = join(__dirname, "../..");
const ADMIN = { email: "admin@example.org", password: "a password for tests" };
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 20_000;
const SIGNUPS_AT_ONCE = 32;

/** Every count and rate out of a test's way. */
const UNLIMITED = Object.fromEntries(
  Object.keys(SETTINGS)
    .filter((name) => name.startsWith("LIMIT_"))
    .map((name) => [name, "100000"]),
);

export interface ServerOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Kept afterwards; a temporary folder, removed by `stop`, when absent. */
  readonly dataDir?: string;
  /** Words before `node`, such as `taskset -c 0`. */
  readonly prefix?: readonly string[];
  readonly nodeArguments?: readonly string[];
}

export interface TestUser {
  readonly id: string;
  readonly token: string;
  readonly tokens: TokenPair;
}

/** The real server as a child process on a free port. */
export class TestServer {
  private child: ChildProcess | undefined;
  private lines: string[] = [];
  private admin: Promise<TokenPair> | undefined;

  constructor(
    readonly port: number,
    readonly dataDir: string,
    private readonly options: ServerOptions,
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  /** What it has written to stdout and stderr, over all its lives. */
  get logs(): string {
    return this.lines.join("");
  }

  get running(): boolean {
    return this.child?.exitCode === null && this.child.signalCode === null;
  }

  /** Starts the process, again after `kill` on the same folder and port, and waits until it is ready. */
  async start(): Promise<void> {
    const { prefix = [], nodeArguments = [], env = {} } = this.options;
    const words = [...prefix, process.execPath, ...nodeArguments, "--require", "tsx/cjs", "bin/parley.ts"];
    const child = spawn(words[0] ?? "", words.slice(1), {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: process.env["PATH"],
        HOME: process.env["HOME"],
        ADMIN_EMAIL: ADMIN.email,
        ADMIN_PASSWORD: ADMIN.password,
        LOG_LEVEL: "warn",
        ...UNLIMITED,
        ...env,
        PORT: String(this.port),
        DATA_DIR: this.dataDir,
      },
    });
    child.stdout.on("data", (data: Buffer) => this.lines.push(data.toString()));
    child.stderr.on("data", (data: Buffer) => this.lines.push(data.toString()));
    this.child = child;
    await until("the server is ready", () => this.ready(), START_TIMEOUT_MS).catch((error: unknown) => {
      child.kill("SIGKILL");
      throw new Error(`${String(error)}\n${this.logs.slice(-4_000)}`);
    });
  }

  private async ready(): Promise<boolean> {
    if (!this.running) throw new Error("the server has ended");
    return fetch(`${this.url}/health/ready`).then(
      (response) => response.ok,
      () => false,
    );
  }

  /** Sends a signal and waits until the process has ended. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const { child } = this;
    if (!child || !this.running) return;
    child.kill(signal);
    await until(`the server ends on ${signal}`, () => !this.running, STOP_TIMEOUT_MS);
  }

  /** Ends the process and removes its temporary folder. */
  async stop(): Promise<void> {
    await this.kill("SIGTERM").catch(() => this.kill("SIGKILL"));
    if (this.options.dataDir === undefined) rmSync(this.dataDir, { recursive: true, force: true });
  }

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

/** Starts the real server with every limit out of the way. Stop it with `stop`. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "parley-test-"));
  const server = new TestServer(await freePort(), dataDir, options);
  await server.start();
  return server;
}

/** A TCP port that nobody listens on at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

const asUser = (tokens: TokenPair): TestUser => ({ id: tokens.user.id, token: tokens.accessToken, tokens });
