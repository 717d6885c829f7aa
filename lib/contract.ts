import type { Static, TObject, TSchema } from "@sinclair/typebox";
import type { ErrorType } from "./errors";

/**
 * Who may call an action from outside: anyone, any user with a valid token, or users with one of these roles.
 * `internal` actions are called by other services only.
 */
export type Access = "public" | "user" | "internal" | { readonly roles: readonly string[] };

export interface RestBinding {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Path under `/v1`, with `:name` for a parameter that is a field of `params`. */
  readonly path: string;
  /** Status of success; 200 when absent. 204 sends no body. */
  readonly status?: number;
  readonly document?: DocumentBinding;
}

/**
 * The answer is a file instead of JSON: the `text` of the results one after the other, each asked for with the `cursor` of
 * the one before, until there is none. Callers of the route give no cursor.
 */
export interface DocumentBinding {
  /** Name of the file, without its extension. */
  readonly name: string;
  /** By the `format` of the result: the media type and the extension. */
  readonly formats: Readonly<Record<string, { readonly type: string; readonly extension: string }>>;
}

/** What the actions of such routes answer. */
export interface DocumentPart {
  readonly format: string;
  readonly text: string;
  readonly cursor?: string;
}

/**
 * A contract: all that callers of an action rely on. Validation, typed calls, REST routes, socket events, OpenAPI,
 * AsyncAPI and the fuzz tests are made from it.
 */
export interface Contract<P extends TObject = TObject, R extends TSchema = TSchema, N extends string = string> {
  /** Action name, `service.action`. */
  readonly name: N;
  /** One sentence, imperative. */
  readonly summary: string;
  readonly params: P;
  readonly result: R;
  readonly access: Access;
  /** Types it may answer with, beyond those any action may give (`COMMON_ERRORS`). */
  readonly errors: readonly ErrorType[];
  readonly rest?: RestBinding;
  /** Socket event; absent when it cannot be called over a socket. */
  readonly socket?: string;
  /** It always answers by the caller's deadline, so that nobody needs a timer for each call. */
  readonly keepsDeadline?: true;
  /**
   * Doing it twice is doing it once, so that it may be called again when an answer was lost. Reads over REST and whatever
   * takes a `commandId` need not say it.
   */
  readonly repeatable?: true;
  /** Routed to the home of the actor named by `params[id]`. */
  readonly actor?: { readonly kind: string; readonly id: string };
}

export type Params<C extends Contract> = Static<C["params"]>;
export type Result<C extends Contract> = Static<C["result"]>;

/** Any action may answer with these. */
export const COMMON_ERRORS = [
  "VALIDATION",
  "UNAUTHORIZED",
  "FORBIDDEN",
  "RATE_LIMITED",
  "INTERNAL",
  "TOO_BUSY",
  "UNAVAILABLE",
] as const satisfies readonly ErrorType[];

/**
 * What a caller may call again when it does not know whether it ran. A command's lost answer is UNKNOWN_OUTCOME (its
 * contract lists that type), a read's UNAVAILABLE.
 */
export function repeatsOf({ repeatable, actor, rest, params, errors }: Contract): "read" | "command" | "never" {
  const safe = repeatable || actor || rest?.method === "GET" || "commandId" in params.properties;
  if (!safe) return "never";
  return errors.includes("UNKNOWN_OUTCOME") ? "command" : "read";
}

/** Declares a contract; only fixes the types. */
export function contract<P extends TObject, R extends TSchema, const N extends string>(
  definition: Contract<P, R, N>,
): Contract<P, R, N> {
  return definition;
}
