import type { IncomingMessage, ServerResponse } from "node:http";
import { isOriginAllowed } from "../io/origins";

const METHODS = "GET, POST, PUT, DELETE";
const REQUEST_HEADERS = "Authorization, Content-Type, Idempotency-Key";
const RESPONSE_HEADERS = "X-Request-Id, Retry-After";
const PREFLIGHT_SECONDS = "600";

/**
 * Lets pages of the allowed origins read the answers, and answers their preflights. Returns true when the request is
 * answered. Credentials are never allowed: the API knows bearer tokens and no cookies.
 */
export function handleCors(request: IncomingMessage, response: ServerResponse, allowed: readonly string[]): boolean {
  const { origin } = request.headers;
  const permitted = origin !== undefined && allowed.length > 0 && isOriginAllowed(request.headers, allowed);
  if (allowed.length > 0) response.setHeader("Vary", "Origin");
  if (permitted) {
    response.setHeader("Access-Control-Allow-Origin", allowed.includes("*") ? "*" : origin);
    response.setHeader("Access-Control-Expose-Headers", RESPONSE_HEADERS);
  }
  if (request.method !== "OPTIONS") return false;
  if (permitted) {
    response.setHeader("Access-Control-Allow-Methods", METHODS);
    response.setHeader("Access-Control-Allow-Headers", REQUEST_HEADERS);
    response.setHeader("Access-Control-Max-Age", PREFLIGHT_SECONDS);
  }
  response.writeHead(204).end();
  return true;
}
