import { connect, type Socket } from "node:net";
import { randomBytes } from "node:crypto";

/**
 * A Socket.IO client over raw TCP for load generation: Engine.IO v4 and Socket.IO v5 text packets in WebSocket frames
 * (RFC 6455), without the layers that make a stock client cost more than the server it measures.
 */
export interface WireHandlers {
  /** An acknowledgement: the bytes `[from, to)` of `buffer` are its JSON arguments. Valid only during the call. */
  onAck(wire: Wire, id: number, buffer: Buffer, from: number, to: number): void;
  /** An event: the bytes `[from, to)` of `buffer` are the JSON array of name and arguments. Valid only during the call. */
  onEvent(wire: Wire, buffer: Buffer, from: number, to: number): void;
  /** The connection ended without `close` having been called. */
  onLost(wire: Wire, reason: string): void;
}

const TEXT = 0x81;
const CLOSE = 0x8;
const digit = (buffer: Buffer, at: number): number => (buffer[at] ?? 0) - 48;
/** Reads of all sockets land here: a read is handled before the next one starts. */
const shared = Buffer.allocUnsafe(256 * 1024);

export class Wire {
  private readonly socket: Socket;
  private rest: Buffer | undefined;
  private upgraded = false;
  private closing = false;
  private settle: { resolve: () => void; reject: (error: Error) => void } | undefined;

  private constructor(
    readonly index: number,
    port: number,
    private readonly auth: unknown,
    private readonly handlers: WireHandlers,
  ) {
    const onread = { buffer: shared, callback: (size: number) => this.onBytes(size) };
    this.socket = connect({ port, host: "127.0.0.1", noDelay: true, onread });
    this.socket.on("connect", () => this.socket.write(handshake(port)));
    this.socket.on("error", (error) => this.lost(error.message));
    this.socket.on("close", () => this.lost("connection closed"));
  }

  /** Connects and authenticates. @throws Error when the server refuses or closes */
  static open(index: number, port: number, auth: unknown, handlers: WireHandlers): Promise<Wire> {
    return new Promise((resolve, reject) => {
      const wire: Wire = new Wire(index, port, auth, handlers);
      wire.settle = { resolve: () => resolve(wire), reject };
    });
  }

  /** Sends an event whose arguments are `json` (`["name",{...}]`); the answer comes to `onAck` with this id. */
  emit(id: number, json: string): void {
    this.write(`42${id}${json}`);
  }

  close(): void {
    this.closing = true;
    this.socket.destroy();
  }

  /** Ends the connection as a lost network does: with a TCP reset, and no word to the server. */
  reset(): void {
    this.closing = true;
    this.socket.resetAndDestroy();
  }

  /** One masked text frame. The mask is zero: it costs the server the same and the generator nothing. */
  private write(text: string): void {
    const length = Buffer.byteLength(text);
    const head = length < 126 ? 6 : 8;
    const frame = Buffer.allocUnsafe(head + length);
    frame[0] = TEXT;
    if (length < 126) frame[1] = 0x80 | length;
    else {
      if (length > 0xffff) throw new RangeError("frame too long for the load generator");
      frame[1] = 0x80 | 126;
      frame.writeUInt16BE(length, 2);
    }
    frame.writeUInt32BE(0, head - 4);
    frame.write(text, head);
    this.socket.write(frame);
  }

  private lost(reason: string): void {
    if (this.closing) return;
    this.closing = true;
    if (this.settle) this.settle.reject(new Error(reason));
    else this.handlers.onLost(this, reason);
  }

  private onBytes(size: number): boolean {
    const data = this.rest ? Buffer.concat([this.rest, shared.subarray(0, size)]) : shared;
    const end = this.rest ? data.length : size;
    const used = this.upgraded ? this.frames(data, 0, end) : this.upgrade(data, end);
    this.rest = used < end ? Buffer.from(data.subarray(used, end)) : undefined;
    return true;
  }

  private upgrade(data: Buffer, end: number): number {
    const header = data.subarray(0, end).indexOf("\r\n\r\n");
    if (header < 0) return 0;
    if (!data.subarray(0, end).toString("latin1").startsWith("HTTP/1.1 101")) {
      this.lost(data.toString("latin1", 0, Math.min(end, 200)));
      return end;
    }
    this.upgraded = true;
    return this.frames(data, header + 4, end);
  }

  /** Handles every complete frame and returns where the first incomplete one begins. */
  private frames(data: Buffer, start: number, end: number): number {
    let at = start;
    while (at + 2 <= end) {
      const opcode = (data[at] ?? 0) & 15;
      let length = (data[at + 1] ?? 0) & 127;
      let head = 2;
      if (length === 126) {
        if (at + 4 > end) break;
        length = data.readUInt16BE(at + 2);
        head = 4;
      } else if (length === 127) {
        if (at + 10 > end) break;
        length = Number(data.readBigUInt64BE(at + 2));
        head = 10;
      }
      const next = at + head + length;
      if (next > end) break;
      if (opcode === CLOSE) this.lost("closed by the server");
      else if (opcode === 1) this.packet(data, at + head, next);
      at = next;
    }
    return at;
  }

  private packet(data: Buffer, from: number, to: number): void {
    const engine = digit(data, from);
    if (engine === 0) return this.write(`40${JSON.stringify(this.auth)}`);
    if (engine === 2) return this.write("3");
    if (engine !== 4) return;
    const type = digit(data, from + 1);
    if (type === 2) return this.handlers.onEvent(this, data, from + 2, to);
    if (type === 3) return this.ack(data, from + 2, to);
    if (type === 0) {
      this.settle?.resolve();
      this.settle = undefined;
    } else this.lost(data.toString("utf8", from, to));
  }

  private ack(data: Buffer, from: number, to: number): void {
    let at = from;
    let id = 0;
    for (let value = digit(data, at); value >= 0 && value <= 9; value = digit(data, ++at)) id = id * 10 + value;
    this.handlers.onAck(this, id, data, at, to);
  }
}

const handshake = (port: number): string =>
  [
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1",
    `Host: 127.0.0.1:${port}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
    "\r\n",
  ].join("\r\n");
