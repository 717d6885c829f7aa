import { STATUS_CODES, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { ERRORS, type ErrorType } from "../errors";

/** Why a request did not get through: nobody was there to take it, or somebody took it and never answered. */
export type Reason = "unavailable" | "unanswered";

const TYPES = {
  unavailable: "UNAVAILABLE",
  unanswered: "UNKNOWN_OUTCOME",
} as const satisfies Record<Reason, ErrorType>;

const STATUS = 502;

function bodyOf(reason: Reason): string {
  const type = TYPES[reason];
  const { message, retryable } = ERRORS[type];
  return JSON.stringify({ error: { type, message, retryable } });
}

const headersOf = (body: string): Record<string, string | number> => ({
  "Content-Type": "application/json; charset=utf-8",
  "Content-Length": Buffer.byteLength(body),
  "Cache-Control": "no-store",
  "Retry-After": 1,
  Connection: "close",
});

/** Answers 502 with a typed error, unless an answer has begun: then the connection is cut. */
export function refuse(response: ServerResponse, reason: Reason): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const body = bodyOf(reason);
  response.writeHead(STATUS, headersOf(body)).end(body);
}

/** The same on a connection whose upgrade was asked for. */
export function refuseUpgrade(socket: Duplex, reason: Reason): void {
  const body = bodyOf(reason);
  const headers = Object.entries(headersOf(body)).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 ${STATUS} ${STATUS_CODES[STATUS] ?? ""}`, ...headers, "", body].join("\r\n"));
}
