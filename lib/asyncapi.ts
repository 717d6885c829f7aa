import type { TSchema } from "@sinclair/typebox";
import type { Contract } from "./contract";
import { ERRORS } from "./errors";
import { type ApiInfo, plain } from "./openapi";

type Json = Record<string, unknown>;
type SocketContract = Contract & { readonly socket: string };

/** An event that the server sends by itself. */
export interface ServerEvent {
  readonly name: string;
  readonly summary: string;
  readonly payload: TSchema;
}

const isSocket = (contract: Contract): contract is SocketContract => contract.socket !== undefined;
const ref = (path: string): Json => ({ $ref: `#/${path}` });
const CHANNEL = "socket";

/** An event's name as a key of the document: letters, digits and underscores only. */
const keyOf = (event: string): string => event.replace(/\W/g, "_");

/**
 * The AsyncAPI 3.0 document of the socket protocol, seen from the server: it receives every client event and replies
 * through the acknowledgement, and it sends its own events.
 */
export function asyncApi(info: ApiInfo, contracts: readonly Contract[], serverEvents: readonly ServerEvent[]): Json {
  const client = contracts.filter(isSocket);
  return {
    asyncapi: "3.0.0",
    info: { ...info, license: { name: "MIT" } },
    defaultContentType: "application/json",
    servers: { node: serverOf() },
    channels: {
      [CHANNEL]: {
        title: "The default namespace of Socket.IO",
        messages: messageRefs(client, serverEvents),
      },
    },
    operations: {
      ...Object.fromEntries(client.map((contract) => [`receive_${keyOf(contract.socket)}`, receives(contract)])),
      ...Object.fromEntries(serverEvents.map((event) => [`send_${keyOf(event.name)}`, sends(event)])),
    },
    components: {
      messages: Object.fromEntries([...client.flatMap(clientMessages), ...serverEvents.map(serverMessage)]),
      schemas: { Failure: failureSchema() },
      securitySchemes: {
        token: { type: "httpApiKey", in: "header", name: "Authorization", description: "`auth: { token }` works too" },
      },
    },
  };
}

function serverOf(): Json {
  return {
    host: "localhost:3000",
    pathname: "/socket.io/",
    protocol: "socket.io",
    protocolVersion: "5",
    security: [ref("components/securitySchemes/token")],
  };
}

function messageRefs(client: readonly SocketContract[], serverEvents: readonly ServerEvent[]): Json {
  const keys = [
    ...client.flatMap(({ socket }) => [keyOf(socket), `${keyOf(socket)}_answer`]),
    ...serverEvents.map(({ name }) => `server_${keyOf(name)}`),
  ];
  return Object.fromEntries(keys.map((key) => [key, ref(`components/messages/${key}`)]));
}

function receives({ socket, summary }: SocketContract): Json {
  const key = keyOf(socket);
  return {
    action: "receive",
    channel: ref(`channels/${CHANNEL}`),
    summary,
    messages: [ref(`channels/${CHANNEL}/messages/${key}`)],
    reply: {
      channel: ref(`channels/${CHANNEL}`),
      messages: [ref(`channels/${CHANNEL}/messages/${key}_answer`)],
    },
  };
}

function sends({ name, summary }: ServerEvent): Json {
  return {
    action: "send",
    channel: ref(`channels/${CHANNEL}`),
    summary,
    messages: [ref(`channels/${CHANNEL}/messages/server_${keyOf(name)}`)],
  };
}

function clientMessages({ socket, summary, params, result, errors }: SocketContract): Array<[string, Json]> {
  const key = keyOf(socket);
  const success = {
    type: "object",
    required: ["ok", "data"],
    properties: { ok: { const: true }, data: plain(result) },
  };
  const description = errors.length > 0 ? `Errors of its own: ${errors.join(", ")}.` : "No errors of its own.";
  return [
    [key, { name: socket, summary, payload: plain(params) }],
    [
      `${key}_answer`,
      {
        name: `${socket}, acknowledged`,
        description,
        payload: { oneOf: [success, ref("components/schemas/Failure")] },
      },
    ],
  ];
}

const serverMessage = ({ name, summary, payload }: ServerEvent): [string, Json] => [
  `server_${keyOf(name)}`,
  { name, summary, payload: plain(payload) },
];

function failureSchema(): Json {
  const error = {
    type: "object",
    required: ["type", "message", "retryable"],
    properties: {
      type: { type: "string", enum: Object.keys(ERRORS) },
      message: { type: "string" },
      data: { type: "object" },
      retryable: { type: "boolean" },
      requestId: { type: "string" },
    },
  };
  return { type: "object", required: ["ok", "error"], properties: { ok: { const: false }, error } };
}
