import { setTimeout as pause } from "node:timers/promises";
import type { Config } from "../lib/config";
import type { WireError } from "../lib/errors";
import type { Role } from "../services/schemas";
import { CommandFailure } from "./command-line";
import { credentials } from "./local-server";

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

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly token?: string | undefined;
  readonly body?: unknown;
  readonly key?: string | undefined;
}

/** An answer, read to its end. */
export interface Answer {
  readonly ok: boolean;
  readonly status: number;
  readonly text: string;
  /** Of a refusal; undefined also when something else than the server answered. */
  readonly error: WireError | undefined;
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
      const { ok, status, text, error } = await send(url, asked, REQUEST_MS);
      if (ok) return (text === "" ? undefined : JSON.parse(text)) as T;
      const wait = Math.max(LEAST_PAUSE_MS, Number(error?.data?.["retryInMs"] ?? 0));
      if (!patience || !error?.retryable || Date.now() + wait > deadline)
        throw new CommandFailure(`${asked.method} ${asked.path} was answered with ${status}: ${text}`, error);
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

/** One request under `/v1`. @throws Error when it is not answered to the end within `limitMs` */
export async function send(url: string, { method, path, token, body, key }: Request, limitMs: number): Promise<Answer> {
  const response = await fetch(`${url}/v1${path}`, {
    method,
    signal: AbortSignal.timeout(limitMs),
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(key === undefined ? {} : { "idempotency-key": key }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const { ok, status } = response;
  const text = await response.text();
  return { ok, status, text, error: ok ? undefined : errorOf(text) };
}

function errorOf(text: string): WireError | undefined {
  try {
    return (JSON.parse(text) as { error?: WireError }).error;
  } catch {
    return undefined;
  }
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
export async function administrator(server: Api, config: Config): Promise<Login> {
  const login = credentials(config, nobody);
  return server.post<Login>("/auth/login", login).catch((error: unknown) => {
    throw new CommandFailure(`the administrator ${login.email} cannot log in: ${String(error)}`);
  });
}

const nobody = (file: string): string =>
  `no administrator: set ADMIN_EMAIL and ADMIN_PASSWORD, or DATA_DIR so that ${file} is there`;
