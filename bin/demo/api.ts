/** Something the demo found wrong, in words for the person who runs it. */
export class DemoError extends Error {
  override readonly name = "DemoError";
}

export interface Login {
  accessToken: string;
  user: { id: string; name: string };
}

export interface Api {
  readonly url: string;
  get<T>(path: string, token: string): Promise<T>;
  put<T>(path: string, body: unknown, token: string): Promise<T>;
  /** `key` is the Idempotency-Key. */
  post<T>(path: string, body: unknown, token?: string, key?: string): Promise<T>;
}

const FIND_MS = 5_000;
const REQUEST_MS = 15_000;

/** A client of the REST API at `url`. Its functions throw DemoError for every answer that is no success. */
export function api(url: string): Api {
  const request = async <T>(method: string, path: string, token?: string, body?: unknown, key?: string): Promise<T> => {
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
    const text = await response.text();
    if (!response.ok) throw new DemoError(`${method} ${path} was answered with ${response.status}: ${text}`);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  };
  return {
    url,
    get: (path, token) => request("GET", path, token),
    put: (path, body, token) => request("PUT", path, token, body),
    post: (path, body, token, key) => request("POST", path, token, body, key),
  };
}

/** Waits a few seconds for a ready server. @throws DemoError that says how to start one */
export async function findServer(url: string): Promise<void> {
  const deadline = Date.now() + FIND_MS;
  while (Date.now() < deadline) {
    const ready = await fetch(`${url}/health/ready`).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new DemoError(
    `no Parley server answers at ${url}. Start one with "npm start" in another terminal, or set PORT and HOST to where it is.`,
  );
}
