import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type Config, readConfig } from "../lib/config";
import type { WireError } from "../lib/errors";
import type { Role } from "../services/schemas";

/** What a command cannot go on with, in words for the person who runs it. */
export class CommandFailure extends Error {
  override readonly name = "CommandFailure";
  constructor(
    message: string,
    /** What the server refused with. */
    readonly type?: string,
  ) {
    super(message);
  }
}

export interface Login {
  accessToken: string;
  user: { id: string; name: string; roles: Role[] };
}

export interface Api {
  readonly url: string;
  get<T>(path: string, token: string): Promise<T>;
  put<T>(path: string, body: unknown, token: string): Promise<T>;
  /** `key` is the Idempotency-Key. */
  post<T>(path: string, body: unknown, token?: string, key?: string): Promise<T>;
}

export interface Patience {
  /** What is refused only for now is asked for again, for so long. */
  readonly limitMs: number;
  /** Told before each pause. */
  waiting(ms: number, type: string): void;
}

/** More than a minute: then the limits of logins and sign-ups let the next ones in. */
const PATIENCE_MS = 150_000;
const TOLD_PAUSE_MS = 1_000;

/** Waits for what the server's limits allow, and says so. */
export const patient = (say: (line: string) => void): Patience => ({
  limitMs: PATIENCE_MS,
  waiting: (ms, type) => {
    if (ms >= TOLD_PAUSE_MS) say(`  ${type}: the server wants a pause of ${Math.ceil(ms / 1_000)} s`);
  },
});

interface Request {
  readonly method: string;
  readonly path: string;
  readonly token?: string | undefined;
  readonly body?: unknown;
  readonly key?: string | undefined;
}

const FIND_MS = 5_000;
const REQUEST_MS = 15_000;
const LEAST_PAUSE_MS = 200;

/**
 * A client of the REST API at `url`. Its functions throw CommandFailure for every answer that is no success, at once
 * unless there is `patience`.
 */
export function api(url: string, patience?: Patience): Api {
  const request = async <T>(asked: Request): Promise<T> => {
    const deadline = Date.now() + (patience?.limitMs ?? 0);
    for (;;) {
      const { ok, status, text } = await send(url, asked);
      if (ok) return (text === "" ? undefined : JSON.parse(text)) as T;
      const error = errorOf(text);
      const wait = Math.max(LEAST_PAUSE_MS, Number(error?.data?.["retryInMs"] ?? 0));
      if (!patience || !error?.retryable || Date.now() + wait > deadline)
        throw new CommandFailure(`${asked.method} ${asked.path} was answered with ${status}: ${text}`, error?.type);
      patience.waiting(wait, error.type);
      await pause(wait);
    }
  };
  return {
    url,
    get: (path, token) => request({ method: "GET", path, token }),
    put: (path, body, token) => request({ method: "PUT", path, token, body }),
    post: (path, body, token, key) => request({ method: "POST", path, token, body, key }),
  };
}

async function send(url: string, { method, path, token, body, key }: Request) {
  const response = await fetch(`${url}/v1${path}`, {
    method,
    signal: AbortSignal.timeout(REQUEST_MS),
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(key === undefined ? {} : { "idempotency-key": key }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { ok: response.ok, status: response.status, text: await response.text() };
}

/** The error in an answer; undefined when something else than the server answered. */
function errorOf(text: string): WireError | undefined {
  try {
    return (JSON.parse(text) as { error?: WireError }).error;
  } catch {
    return undefined;
  }
}

/** The settings of this machine, .env included, and where its server is. */
export function localServer(): { config: Config; url: string } {
  if (existsSync(".env")) process.loadEnvFile(".env");
  const config = readConfig(process.env);
  const host = ["0.0.0.0", "::"].includes(config.HOST) ? "127.0.0.1" : config.HOST;
  return { config, url: `http://${host}:${config.PORT}` };
}

/** Waits a few seconds for a ready server. @throws CommandFailure that says how to start one */
export async function findServer(url: string): Promise<void> {
  const deadline = Date.now() + FIND_MS;
  while (Date.now() < deadline) {
    const ready = await fetch(`${url}/health/ready`).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
    await pause(200);
  }
  throw new CommandFailure(
    `no Parley server answers at ${url}. Start one with "npm start" in another terminal, or set PORT and HOST to where it is.`,
  );
}

/**
 * Logs the administrator in, by the settings or by the file that the first start wrote.
 * @throws CommandFailure when that is not possible
 */
export async function administrator(
  server: Api,
  { ADMIN_EMAIL: email = "admin@localhost", ADMIN_PASSWORD, DATA_DIR }: Config,
): Promise<Login> {
  const password = ADMIN_PASSWORD ?? readPassword(join(DATA_DIR, "admin-password"));
  return server.post<Login>("/auth/login", { email, password }).catch((error: unknown) => {
    throw new CommandFailure(`the administrator ${email} cannot log in: ${String(error)}`);
  });
}

function readPassword(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    throw new CommandFailure(
      `no administrator: set ADMIN_EMAIL and ADMIN_PASSWORD, or DATA_DIR so that ${file} is there`,
    );
  }
}

/** Runs a command to its end: exit code 0, or 1 and the reason. */
export function runCommand(main: () => Promise<void>): void {
  main().then(
    () => process.exit(0),
    (error: unknown) => {
      process.stderr.write(`FAILED: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exit(1);
    },
  );
}
