import type { ServerResponse } from "node:http";
import type { Contract } from "../../lib/contract";
import { ERRORS, invalid, isParleyError, ParleyError } from "../../lib/errors";
import { errorTypeOf, toWireError } from "../../lib/middlewares/errors";

const JSON_TYPE = "application/json; charset=utf-8";

/** Answers with JSON. Answers of the API are of one caller, so nobody on the way may keep them. */
export function sendJson(response: ServerResponse, status: number, data: unknown): void {
  if (response.headersSent || response.destroyed) return;
  response.setHeader("Cache-Control", "no-store");
  if (status === 204) {
    response.writeHead(204).end();
    return;
  }
  const body = Buffer.from(JSON.stringify(data ?? null));
  response.writeHead(status, { "Content-Type": JSON_TYPE, "Content-Length": body.length }).end(body);
}

/** Answers with an error as the client may see it: `{ error: { type, message, data?, retryable, requestId } }`. */
export function sendError(response: ServerResponse, error: unknown, requestId: string, contract?: Contract): void {
  const wire = toWireError(error, requestId, contract);
  const { status } = ERRORS[wire.type];
  if (status === 429 || status === 503) response.setHeader("Retry-After", retryAfter(wire.data?.["retryInMs"]));
  if (status === 401) response.setHeader("WWW-Authenticate", "Bearer");
  // What is left of a body that was too large is not read.
  if (status === 413) response.setHeader("Connection", "close");
  sendJson(response, status, { error: wire });
}

const retryAfter = (ms: unknown): number => (typeof ms === "number" ? Math.max(1, Math.ceil(ms / 1_000)) : 1);

/**
 * What went wrong between the socket and the action, as one of our errors: routing and body parsing say with an HTTP
 * status whose fault it was. Anything else stays as it is and becomes INTERNAL.
 */
export function transportError(error: unknown): unknown {
  if (isParleyError(error) || errorTypeOf(error) !== "INTERNAL") return error;
  const { status, statusCode, code } = error as { status?: unknown; statusCode?: unknown; code?: unknown };
  const http = [status, statusCode, code].find((value) => typeof value === "number") ?? 500;
  if (http === 413) return new ParleyError("PAYLOAD_TOO_LARGE");
  if (http < 400 || http >= 500) return error;
  return invalid("", "the request could not be read");
}
