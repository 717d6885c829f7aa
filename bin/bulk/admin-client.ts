import { setTimeout as pause } from "node:timers/promises";
import { CommandFailure } from "../command-line";
import { type Answer, type Request, send } from "../rest-client";
import { messageOf } from "../../lib/message-of";

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

/** May the same request succeed later? A server that starts, or what stands before it, answers without words of ours. */
const passes = ({ status, error }: Answer): boolean => error?.retryable ?? status >= 500;

/** A client of the REST API that goes on through restarts, limits and the end of its token. */
export class AdminClient {
  private token: Promise<string> | undefined;

  constructor(private readonly options: AdminClientOptions) {}

  /**
   * Asks until there is an answer. Only for what may be repeated.
   * @throws CommandFailure when it is a refusal, or none comes
   */
  async ask<T>(method: "GET" | "POST", path: string, body?: unknown): Promise<T> {
    let wait = this.options.pauseMs ?? 250;
    let problem = "";
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const answer = await this.try({ method, path, body });
      let limitedMs = 0;
      if (typeof answer === "string") problem = answer;
      else if (answer.ok) return JSON.parse(answer.text) as T;
      else {
        const { error, status } = answer;
        problem = error ? `${error.type}: ${error.message}` : `status ${status}`;
        if (status === 401 && "email" in this.options.login) this.token = undefined;
        else if (!passes(answer)) throw new CommandFailure(`${method} ${path}: ${problem}`, error);
        limitedMs = Math.min(Number(error?.data?.["retryInMs"] ?? 0), MAX_LIMITED_MS);
      }
      await pause(Math.max(wait, limitedMs));
      wait = Math.min(2 * wait, MAX_PAUSE_MS);
    }
    throw new CommandFailure(`${method} ${path}: no answer after ${ATTEMPTS} attempts (${problem})`);
  }

  /** The answer, or in words why there is none. */
  private async try(asked: Request): Promise<Answer | string> {
    try {
      return await this.send({ ...asked, token: await this.accessToken() });
    } catch (error) {
      this.token = undefined;
      if (error instanceof CommandFailure) throw error;
      return messageOf(error);
    }
  }

  private accessToken(): Promise<string> {
    this.token ??= this.logIn();
    return this.token;
  }

  private async logIn(): Promise<string> {
    const { login } = this.options;
    if ("token" in login) return login.token;
    const answer = await this.send({ method: "POST", path: "/auth/login", body: login });
    const { status, text, error } = answer;
    if (status === 200) return (JSON.parse(text) as { accessToken: string }).accessToken;
    const problem = error?.message ?? `status ${status}`;
    if (passes(answer)) throw new Error(problem);
    throw new CommandFailure(`${login.email} cannot log in: ${problem}`, error);
  }

  private send(asked: Request): Promise<Answer> {
    return send(this.options.url, asked, REQUEST_MS);
  }
}
