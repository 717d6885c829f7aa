import type { Static } from "@sinclair/typebox";
import type { WireError } from "../../lib/errors";
import type { TokenPair as TokenPairSchema } from "../../services/schemas";

export type TokenPair = Static<typeof TokenPairSchema>;

/** An HTTP answer, read to its end. */
export class Answer {
  constructor(
    readonly status: number,
    readonly body: unknown,
    readonly headers: Headers,
    private readonly request: string,
  ) {}

  /** The body of a success. @throws Error with the whole answer when the status is another */
  expect<T>(status: number): T {
    if (this.status !== status)
      throw new Error(`${this.request}: ${this.status} instead of ${status}: ${JSON.stringify(this.body)}`);
    return this.body as T;
  }

  /** The error of a refusal. @throws Error when it is none */
  get error(): WireError {
    const { error } = (this.body ?? {}) as { error?: WireError };
    if (this.status < 400 || !error)
      throw new Error(`${this.request}: ${this.status}, no error: ${JSON.stringify(this.body)}`);
    return error;
  }
}

/** One request under `/v1`. A string body is sent as it is, anything else as JSON. */
export async function rest(
  url: string,
  method: string,
  path: string,
  token?: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const response = await fetch(`${url}/v1${path}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return new Answer(response.status, parse(text), response.headers, `${method} ${path}`);
}

function parse(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
