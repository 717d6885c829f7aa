import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { closeNow, listenOn } from "./listening";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * A port that a process will serve on when it has started. It is taken before anything else is done, so that a process
 * that would get none has made nothing yet; and whoever watches the process gets answers while it starts.
 */
export class HeldPort {
  private handler: Handler = (_request, response) => void response.writeHead(503).end();

  private constructor(private readonly server: Server | undefined) {
    server?.on("request", (request: IncomingMessage, response: ServerResponse) => this.handler(request, response));
  }

  /** Rejects with the system's error, EADDRINUSE when the port is taken. Holds nothing for port 0, which is any. */
  static async take(where: { readonly host: string; readonly port: number }): Promise<HeldPort> {
    if (where.port === 0) return new HeldPort(undefined);
    const server = createServer();
    await listenOn(server, where);
    return new HeldPort(server);
  }

  /** Who answers until the port is released; 503 without a body before. */
  handle(handler: Handler): void {
    this.handler = handler;
  }

  /** Lets go of the port; resolves when it can be listened on. Releasing again does nothing. */
  async release(): Promise<void> {
    if (this.server) await closeNow(this.server);
  }
}
