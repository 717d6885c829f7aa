import type { IncomingMessage } from "node:http";
import type { ServerOptions } from "socket.io";
import type { Config } from "../../lib/config";
import type { SocketServer } from "./client-socket";
import { isOriginAllowed } from "./origins";
import { textParser } from "./parser";

/** A client that sends nothing for the sum of both is gone. */
const PING_INTERVAL_MS = 25_000;
const PING_TIMEOUT_MS = 20_000;
/** Time to say who one is. */
const CONNECT_TIMEOUT_MS = 10_000;
const UPGRADE_TIMEOUT_MS = 10_000;

/** Options of the Socket.IO server: what a stranger can cost is bounded, and compression (4x the CPU) is off. */
export function socketServerOptions(config: Config, io: () => SocketServer | undefined): Partial<ServerOptions> {
  const { ALLOWED_ORIGINS: allowed, LIMIT_SOCKETS } = config;
  return {
    serveClient: false,
    parser: textParser,
    maxHttpBufferSize: config.PACKET_BYTES,
    perMessageDeflate: false,
    httpCompression: false,
    connectTimeout: CONNECT_TIMEOUT_MS,
    upgradeTimeout: UPGRADE_TIMEOUT_MS,
    pingInterval: PING_INTERVAL_MS,
    pingTimeout: PING_TIMEOUT_MS,
    // Answered to browsers only; who is let in is decided by `allowRequest`.
    ...(allowed.length > 0 && { cors: { origin: allowed.includes("*") ? "*" : [...allowed] } }),
    allowRequest: (request: IncomingMessage, decide) => {
      if (!isOriginAllowed(request.headers, allowed)) decide("origin not allowed", false);
      else if ((io()?.engine.clientsCount ?? 0) >= LIMIT_SOCKETS) decide("too many sockets", false);
      else decide(null, true);
    },
  };
}
