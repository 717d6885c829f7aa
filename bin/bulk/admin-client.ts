import { setTimeout as pause } from "node:timers/promises";
import type { WireError } from "../../lib/errors";

/** The server refused a request, or cannot be reached. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  constructor(
    message: string,
    readonly error?: WireError,
  ) {
    super(message);
  }
}

export interface AdminClientOptions {
  readonly url: string;
  /** An access token, or what gets one: tokens live shorter than long imports. */
  readonly login: { readonly token: string } | { readonly email: string; readonly password: string };
  /** Milliseconds between attempts grow from here. */
  readonly pauseMs?: number;
}

const REQUEST_MS = 60_000;
const ATTEMPTS = 60;
const MAX_PAUSE_MS = 2_000;
/** Limits are by the minute. */
const MAX_LIMITED_MS = 60_000;

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** May the same request succeed later? A server that starts, or what stands before it, answers without words of ours. */
const passes = ({ status, body }: Answer): boolean => (body as { error?: WireError }).error?.retryable ?? status >= 500;

/** A client of the REST API that goes on through restarts, limits and the end of its token. */
export class AdminClient {
  private token: Promise<string> | undefined;

  constructor(private readonly options: AdminClientOptions) {}

  /**
   * Asks until there is an answer. Only for what may be repeated.
   * @throws RequestError when it is a refusal, or none comes
   */
  async ask<T>(method: "GET" | "POST", path: string, body?: unknown): Promise<T> {
    let wait = this.options.pauseMs ?? 250;
    let [problem, limitedMs] = ["", 0];
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const answer = await this.try(method, path, body);
      if (typeof answer === "string") problem = answer;
      else if (answer.status < 400) return answer.body as T;
      else {
        const { error } = answer.body as { error?: WireError };
        problem = error ? `${error.type}: ${error.message}` : `status ${answer.status}`;
        if (answer.status === 401 && "email" in this.options.login) this.token = undefined;
        else if (!passes(answer)) throw new RequestError(`${method} ${path}: ${problem}`, error);
        limitedMs = Math.min(Number(error?.data?.["retryInMs"] ?? 0), MAX_LIMITED_MS);
      }
      await pause(Math.max(wait, limitedMs));
      [wait, limitedMs] = [Math.min(2 * wait, MAX_PAUSE_MS), 0];
    }
    throw new RequestError(`${method} ${path}: no answer after ${ATTEMPTS} attempts (${problem})`);
  }

  /** The answer, or in words why there is none. */
  private async try(method: string, path: string, body: unknown): Promise<Answer | string> {
    try {
      return await this.request(method, path, body, await this.accessToken());
    } catch (error) {
      this.token = undefined;
      if (error instanceof RequestError) throw error;
      return error instanceof Error ? error.message : String(error);
    }
  }

  private accessToken(): Promise<string> {
    this.token ??= this.logIn();
    return this.token;
  }

  private async logIn(): Promise<string> {
    const { login } = this.options;
    if ("token" in login) return login.token;
    const { status, body } = await this.request("POST", "/auth/login", login);
    if (status === 200) return (body as { accessToken: string }).accessToken;
    const { error } = body as { error?: WireError };
    if (passes({ status, body })) throw new Error(error?.message ?? `status ${status}`);
    throw new RequestError(`${login.email} cannot log in: ${error?.message ?? `status ${status}`}`, error);
  }

  private async request(method: string, path: string, body: unknown, token?: string): Promise<Answer> {
    const response = await fetch(`${this.options.url}/v1${path}`, {
      method,
      signal: AbortSignal.timeout(REQUEST_MS),
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json().catch(() => ({})) };
  }
}
