import { type ClientRequest, type IncomingMessage, request as open, type ServerResponse } from "node:http";
import { pipeline } from "node:stream";
import { endToEnd, forwardedFor } from "./headers";
import { refuse } from "./refusal";
import type { Upstream } from "./upstreams";

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Longest silence of an upstream. */
  readonly silenceMs: number;
  /** The next upstream that was not tried. */
  pick(tried: ReadonlySet<Upstream>): Upstream | undefined;
}

const CONNECT_MS = 2_000;
/** Repeating these changes nothing: RFC 9110, section 9.2.1. */
const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Passes a request on and its answer back, without keeping either in memory. One that reached nobody, and one that
 * changes nothing, is given to the next upstream when the first is lost; else the client is told what is known.
 */
export function forward(exchange: Exchange, tried = new Set<Upstream>()): void {
  const { request, response } = exchange;
  if (response.destroyed) return;
  const upstream = exchange.pick(tried);
  if (!upstream) {
    refuse(response, "unavailable");
    return;
  }
  tried.add(upstream);
  upstream.active++;
  const outgoing = open({ ...upstream.target, ...linesOf(request), agent: upstream.agent });
  let sent = false;
  whenConnected(outgoing, exchange.silenceMs, () => {
    sent = true;
    request.pipe(outgoing);
  });
  const abandon = () => outgoing.destroy();
  response.once("close", abandon);
  outgoing.once("close", () => {
    upstream.active--;
    response.off("close", abandon);
  });
  outgoing.once("response", (answer) => passBack(answer, response));
  outgoing.once("error", (error: NodeJS.ErrnoException) => {
    request.unpipe(outgoing);
    if (error.code === "ECONNREFUSED") upstream.refused();
    if (!sent || (isRepeatable(request) && !response.headersSent)) forward(exchange, tried);
    else refuse(response, "unanswered");
  });
}

/** Changes nothing, and has no body of which a part was sent. */
const isRepeatable = ({ method = "", headers }: IncomingMessage): boolean =>
  SAFE.has(method) && headers["content-length"] === undefined && headers["transfer-encoding"] === undefined;

function linesOf(request: IncomingMessage): object {
  const headers = endToEnd(request.headers);
  delete headers.expect;
  headers["x-forwarded-for"] = forwardedFor(request);
  return { method: request.method, path: request.url, headers };
}

function whenConnected(outgoing: ClientRequest, silenceMs: number, then: () => void): void {
  outgoing.once("socket", (socket) => {
    outgoing.once("timeout", () => outgoing.destroy(new Error("the upstream is silent")));
    const connected = () => {
      socket.setTimeout(silenceMs);
      then();
    };
    if (!socket.connecting) {
      connected();
      return;
    }
    socket.setTimeout(CONNECT_MS);
    socket.once("connect", connected);
  });
}

function passBack(answer: IncomingMessage, response: ServerResponse): void {
  const headers = endToEnd(answer.headers);
  delete headers["transfer-encoding"];
  response.writeHead(answer.statusCode ?? 502, headers);
  pipeline(answer, response, () => undefined);
}
