import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { systemClock } from "./actor/ports";
import { inTime } from "./actor/time";
import { closeNow, listenOn } from "./listening";
import { perBroker } from "./per-broker";
import { resourcesOf } from "./resources";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Slow senders of headers and bodies are cut off (slow loris). */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_MS = 65_000;
const MAX_HEADER_BYTES = 16_384;

export interface HttpServerOptions {
  readonly host: string;
  readonly port: number;
  readonly maxConnections: number;
}

/**
 * The process's one HTTP server. Services attach to it in any order and before it listens: one handles the requests,
 * another may take its own path through `server` (Socket.IO does). Nobody but the node's start and stop opens or
 * closes it.
 */
export class HttpServer {
  readonly server: Server;
  private handler: Handler | undefined;
  private fallback: Handler = (_request, response) => void response.writeHead(404).end();
  private inFlight = 0;
  private readonly idleWaiters: Array<() => void> = [];

  constructor(private readonly options: HttpServerOptions) {
    this.server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
        // Cut-off senders are found this often.
        connectionsCheckingInterval: 5_000,
      },
      (request, response) => this.dispatch(request, response),
    );
    this.server.maxConnections = options.maxConnections;
  }

  /** Who answers the requests. */
  handle(handler: Handler): void {
    this.handler = handler;
  }

  /** Who answers them while nobody else does; 404 without a body when absent. */
  handleOtherwise(handler: Handler): void {
    this.fallback = handler;
  }

  /** Resolves when every request is answered, at the latest after `limitMs`. */
  whenIdle(limitMs: number): Promise<void> {
    if (this.inFlight === 0) return Promise.resolve();
    const idle = (): Promise<void> => new Promise((resolve) => void this.idleWaiters.push(resolve));
    return inTime(systemClock, limitMs, idle);
  }

  /** Where it listens, such as `http://127.0.0.1:3000`. Throws while it does not. */
  get url(): string {
    const address = this.server.address() as AddressInfo | null;
    if (!address) throw new Error("the HTTP server does not listen");
    const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
    return `http://${host}:${address.port}`;
  }

  /** Rejects with the system's error, EADDRINUSE when the port is taken. */
  listen(): Promise<void> {
    return listenOn(this.server, this.options);
  }

  /** Takes no more connections and cuts the ones that are left. */
  close(): Promise<void> {
    return closeNow(this.server);
  }

  private dispatch(request: IncomingMessage, response: ServerResponse): void {
    this.inFlight++;
    response.once("close", () => this.finished());
    (this.handler ?? this.fallback)(request, response);
  }

  private finished(): void {
    if (--this.inFlight === 0) for (const resolve of this.idleWaiters.splice(0)) resolve();
  }
}

/** The HTTP server of a broker's process; made when the first service asks for it. */
export const httpServerOf = perBroker((broker) => {
  const { HOST, PORT, LIMIT_CONNECTIONS } = resourcesOf(broker).config;
  return new HttpServer({ host: HOST, port: PORT, maxConnections: LIMIT_CONNECTIONS });
});
