import { WebSocket } from "ws";
import { until } from "./wait";

/** A websocket that speaks no protocol by itself: it sends whatever it is told to. */
export class RawSocket {
  readonly received: string[] = [];
  private readonly ws: WebSocket;

  constructor(url: string, options: { headers?: Record<string, string>; query?: string } = {}) {
    const address = `${url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket${options.query ?? ""}`;
    this.ws = new WebSocket(address, { headers: options.headers ?? {} });
    this.ws.on("message", (data: Buffer) => {
      const text = data.toString();
      if (text === "2") this.ws.send("3");
      else this.received.push(text);
    });
    this.ws.on("error", () => undefined);
  }

  /** Opens one and waits for the server's first word. */
  static async open(url: string): Promise<RawSocket> {
    const raw = new RawSocket(url);
    await until("the transport is open", () => raw.received.length > 0 || raw.closed);
    return raw;
  }

  /** The same, and through the Socket.IO handshake with this token. */
  static async connect(url: string, token: string): Promise<RawSocket> {
    const raw = await RawSocket.open(url);
    raw.send(`40${JSON.stringify({ token })}`);
    await until("the socket is connected", () => raw.received.some((text) => text.startsWith("40")));
    return raw;
  }

  get closed(): boolean {
    return this.ws.readyState === WebSocket.CLOSED;
  }

  /** Sends when the connection is still open. */
  send(data: string | Buffer): void {
    if (this.ws.readyState === WebSocket.OPEN) this.ws.send(data);
  }

  /** Stops reading from the network. */
  pause(): void {
    this.ws.pause();
  }

  resume(): void {
    this.ws.resume();
  }

  terminate(): void {
    this.ws.terminate();
  }
}
