import type { TSchema } from "@sinclair/typebox";
import { COMMON_ERRORS, type Contract, type DocumentBinding, type RestBinding } from "./contract";
import { ERRORS, type ErrorType } from "./errors";

export interface ApiInfo {
  readonly title: string;
  readonly version: string;
  readonly description: string;
}

type Json = Record<string, unknown>;
type RestContract = Contract & { readonly rest: RestBinding };

const isRest = (contract: Contract): contract is RestContract => contract.rest !== undefined;

/** The OpenAPI 3.1 document of every contract that has a REST binding, below `prefix`. */
export function openApi(info: ApiInfo, contracts: readonly Contract[], prefix: string): Json {
  const paths: Record<string, Json> = {};
  for (const contract of contracts.filter(isRest)) {
    const path = prefix + contract.rest.path.replace(/:(\w+)/g, "{$1}");
    (paths[path] ??= {})[contract.rest.method.toLowerCase()] = operationOf(contract);
  }
  return {
    openapi: "3.1.0",
    info: { ...info, license: { name: "MIT", identifier: "MIT" } },
    servers: [{ url: "/" }],
    paths,
    components: {
      schemas: { Error: errorSchema() },
      securitySchemes: { bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" } },
    },
  };
}

function operationOf(contract: RestContract): Json {
  const { rest, access } = contract;
  const body = bodyOf(contract);
  return {
    operationId: contract.name,
    tags: [contract.name.slice(0, contract.name.indexOf("."))],
    summary: contract.summary,
    ...(typeof access === "object" ? { description: `Roles: ${access.roles.join(", ")}.` } : {}),
    security: access === "public" ? [] : [{ bearer: [] }],
    parameters: parametersOf(contract),
    ...(body ? { requestBody: { required: true, content: { "application/json": { schema: body } } } } : {}),
    responses: { [String(rest.status ?? 200)]: successOf(contract), ...errorResponses(contract) },
  };
}

const pathNames = ({ rest }: RestContract): string[] =>
  [...rest.path.matchAll(/:(\w+)/g)].map(([, name]) => name ?? "");

function parametersOf(contract: RestContract): Json[] {
  const { properties, required = [] } = contract.params;
  const inPath = pathNames(contract);
  const parameters: Json[] = inPath.map((name) => ({
    name,
    in: "path",
    required: true,
    schema: plain(properties[name]),
  }));
  if (contract.rest.method === "GET") {
    const left = contract.rest.document ? [...inPath, "cursor"] : inPath;
    for (const name of Object.keys(properties).filter((property) => !left.includes(property))) {
      const schema = plain(properties[name]);
      parameters.push({ name, in: "query", required: required.includes(name), schema });
    }
  }
  if (properties["commandId"]) {
    const description = "The commandId, when the body has none. A request may be repeated with it.";
    parameters.push({
      name: "Idempotency-Key",
      in: "header",
      required: false,
      description,
      schema: plain(properties["commandId"]),
    });
  }
  return parameters;
}

/** What is left for the body: without what the path says, and with a commandId that a header may stand in for. */
function bodyOf(contract: RestContract): Json | undefined {
  if (contract.rest.method === "GET") return undefined;
  const inPath = pathNames(contract);
  const entries = Object.entries(contract.params.properties).filter(([name]) => !inPath.includes(name));
  if (entries.length === 0) return undefined;
  const required = (contract.params.required ?? []).filter((name) => !inPath.includes(name) && name !== "commandId");
  return {
    type: "object",
    properties: Object.fromEntries(entries.map(([name, schema]) => [name, plain(schema)])),
    ...(required.length > 0 ? { required } : {}),
  };
}

function successOf(contract: RestContract): Json {
  if (contract.rest.status === 204) return { description: "Done." };
  const { document } = contract.rest;
  if (document) return { description: "The file.", content: contentOf(document) };
  return { description: "Success.", content: { "application/json": { schema: plain(contract.result) } } };
}

const contentOf = ({ formats }: DocumentBinding): Json =>
  Object.fromEntries(
    Object.values(formats).map(({ type }) => {
      const [media = type] = type.split(";");
      return [media, { schema: media === "application/json" ? {} : { type: "string" } }];
    }),
  );

/** One response for each status, naming the error types that have it. */
function errorResponses(contract: Contract): Record<string, Json> {
  const byStatus = new Map<number, ErrorType[]>();
  for (const type of errorTypesOf(contract)) {
    const types = byStatus.get(ERRORS[type].status) ?? [];
    byStatus.set(ERRORS[type].status, [...types, type]);
  }
  const content = { "application/json": { schema: { $ref: "#/components/schemas/Error" } } };
  return Object.fromEntries(
    [...byStatus]
      .sort(([a], [b]) => a - b)
      .map(([status, types]) => [String(status), { description: describe(types), content }]),
  );
}

/** Any action may answer with these over REST. */
export const REST_ERRORS: readonly ErrorType[] = [...COMMON_ERRORS, "PAYLOAD_TOO_LARGE"];

/** The types an action may answer with over REST, each once. */
function errorTypesOf(contract: Contract): ErrorType[] {
  const rights: readonly ErrorType[] = ["UNAUTHORIZED", "FORBIDDEN"];
  const common = REST_ERRORS.filter((type) => contract.access !== "public" || !rights.includes(type));
  return [...new Set<ErrorType>([...common, ...contract.errors])];
}

const describe = (types: readonly ErrorType[]): string =>
  types.map((type) => `${type}: ${ERRORS[type].message}`).join(" ");

function errorSchema(): Json {
  const error = {
    type: "object",
    required: ["type", "message", "retryable", "requestId"],
    properties: {
      type: { type: "string", enum: Object.keys(ERRORS) },
      message: { type: "string" },
      data: { type: "object" },
      retryable: { type: "boolean", description: "The same request, with the same commandId, may succeed later" },
      requestId: { type: "string", description: "Finds the request in the server's log" },
    },
  };
  return { type: "object", required: ["error"], properties: { error } };
}

/** JSON Schema without what only this server reads. */
export function plain(schema: TSchema | undefined): unknown {
  return JSON.parse(JSON.stringify(schema ?? {}, (key, value: unknown) => (key.startsWith("x-") ? undefined : value)));
}
