import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import helmet from "helmet";
import type { Logger } from "moleculer";
import type { Config } from "../../lib/config";
import { ParleyError } from "../../lib/errors";
import type { Phase } from "../../lib/lifecycle";
import type { Page } from "../../lib/probes";
import { API_PREFIX } from "../api";
import { clientIp } from "./client-ip";
import { handleCors } from "./cors";
import type { ApiRequest } from "./exchange";
import { sendError } from "./responses";

export interface EntryPorts {
  readonly config: Config;
  readonly pages: ReadonlyMap<string, Page>;
  readonly phase: () => Phase;
  /** Takes what is no page. */
  readonly api: (request: IncomingMessage, response: ServerResponse) => void;
  readonly logger: Pick<Logger, "info">;
  readonly onError: (request: ApiRequest, response: ServerResponse, error: unknown) => void;
}

/** What every request meets first: an id of ours, the caller's address, safe headers, then its page or the API. */
export function entryOf(ports: EntryPorts): (request: IncomingMessage, response: ServerResponse) => void {
  const secure = helmet({
    // Both belong to whoever terminates TLS in front of us.
    strictTransportSecurity: false,
    contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } },
  });
  return (incoming, response) => {
    const request = identify(incoming, ports.config);
    response.setHeader("X-Request-Id", request.requestId);
    secure(request, response, (error?: unknown) => {
      if (error) ports.onError(request, response, error);
      else route(ports, request, response);
    });
  };
}

/** The client's own request id is not trusted: it would let one client's log lines pass as another's. */
function identify(incoming: IncomingMessage, config: Config): ApiRequest {
  const requestId = randomUUID();
  incoming.headers["x-request-id"] = requestId;
  delete incoming.headers["x-correlation-id"];
  return Object.assign(incoming, { requestId, ip: clientIp(incoming, config.TRUST_PROXY_HOPS) }) as ApiRequest;
}

function route(ports: EntryPorts, request: ApiRequest, response: ServerResponse): void {
  if (handleCors(request, response, ports.config.ALLOWED_ORIGINS)) return;
  // Taken now: moleculer-web rewrites the URL.
  const [path = "/"] = (request.url ?? "/").split("?", 1);
  const page = request.method === "GET" || request.method === "HEAD" ? ports.pages.get(path) : undefined;
  if (ports.config.ACCESS_LOG && !page) logAccess(ports, request, response, path);
  if (page) {
    Promise.resolve(page(request, response)).catch((error: unknown) => ports.onError(request, response, error));
  } else if (!path.startsWith(`${API_PREFIX}/`)) {
    sendError(response, new ParleyError("NOT_FOUND"), request.requestId);
  } else if (ports.phase() === "draining") {
    response.setHeader("Connection", "close");
    sendError(response, new ParleyError("UNAVAILABLE"), request.requestId);
  } else {
    ports.api(request, response);
  }
}

/** Without the query, which belongs to the caller. */
function logAccess({ logger }: EntryPorts, request: ApiRequest, response: ServerResponse, path: string): void {
  const { method, requestId, ip } = request;
  const start = performance.now();
  response.once("close", () => {
    const ms = Math.round(performance.now() - start);
    logger.info("request", { requestId, method, path: path.slice(0, 200), status: response.statusCode, ms, ip });
  });
}
