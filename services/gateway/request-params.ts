import type { TSchema } from "@sinclair/typebox";
import type { Contract } from "../../lib/contract";
import { invalid } from "../../lib/errors";

/** What a REST request brings. */
export interface RequestParts {
  readonly path: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: unknown;
  readonly idempotencyKey: string | undefined;
}

/**
 * The params of an action: query, then body, then path, the later one winning. Texts of query and path become numbers
 * and booleans where the contract wants them and they are written as such; whether they are right is decided by the
 * contract's validation. An Idempotency-Key is the commandId.
 * @throws ParleyError VALIDATION
 */
export function paramsOf(contract: Contract, parts: RequestParts): Record<string, unknown> {
  const { properties } = contract.params;
  const params = {
    ...fromQuery(parts.query, properties),
    ...fromBody(parts.body),
    ...fromPath(parts.path, properties),
  };
  if (properties["commandId"]) addCommandId(params, parts.idempotencyKey);
  return params;
}

type Properties = Readonly<Record<string, TSchema>>;

function fromQuery(query: URLSearchParams, properties: Properties): Record<string, unknown> {
  const params: Record<string, unknown> = {};
  for (const [name, text] of query) {
    if (!Object.hasOwn(properties, name)) {
      if (/[[\]]/.test(name)) throw invalid("", "query keys may not be nested");
      continue;
    }
    if (Object.hasOwn(params, name)) throw invalid(name, "is given more than once");
    params[name] = coerce(text, properties[name]);
  }
  return params;
}

function fromPath(path: Readonly<Record<string, string>>, properties: Properties): Record<string, unknown> {
  return Object.fromEntries(Object.entries(path).map(([name, text]) => [name, coerce(text, properties[name])]));
}

function fromBody(body: unknown): object {
  if (body === undefined || body === null) return {};
  if (typeof body !== "object" || Array.isArray(body)) throw invalid("", "the body must be a JSON object");
  return body;
}

function coerce(text: string, schema: TSchema | undefined): unknown {
  switch (schema?.type) {
    case "integer":
    case "number":
      return /^-?\d{1,16}$/.test(text) ? Number(text) : text;
    case "boolean":
      return text === "true" || (text === "false" ? false : text);
    default:
      return text;
  }
}

function addCommandId(params: Record<string, unknown>, key: string | undefined): void {
  if (key === undefined) return;
  params["commandId"] ??= key;
  if (params["commandId"] !== key) throw invalid("commandId", "differs from the Idempotency-Key header");
}
