import { asyncApi } from "../lib/asyncapi";
import { openApi } from "../lib/openapi";
import { version } from "../package.json";
import { CONTRACTS } from "./contracts";
import { SERVER_EVENTS } from "./io/server-events";

/** Where the REST API starts. */
export const API_PREFIX = "/v1";

/** Every contract by name: the order of the documents must not hang on how a compiler orders exports. */
export const DOCUMENTED = [...CONTRACTS].sort((a, b) => (a.name < b.name ? -1 : 1));

const info = { title: "Parley", version };

/** The OpenAPI document of the REST API. */
export const restApi = () =>
  openApi(
    {
      ...info,
      description:
        "REST API of the Parley live-chat server. Writes take a commandId in the body or as Idempotency-Key; " +
        "repeating one with the same body is safe.",
    },
    DOCUMENTED,
    API_PREFIX,
  );

/** The AsyncAPI document of the socket protocol. */
export const socketApi = () =>
  asyncApi(
    {
      ...info,
      description:
        "Socket protocol of the Parley live-chat server: Socket.IO 4, default path and namespace. Every client event " +
        "takes an acknowledgement.",
    },
    DOCUMENTED,
    SERVER_EVENTS,
  );
