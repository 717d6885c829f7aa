import type { Socket as TcpSocket } from "node:net";
import type { ClientSocket } from "./client-socket";

/** A packet of the Socket.IO protocol, encoded once for everybody who gets it. */
export interface EncodedPacket {
  readonly text: string;
  /** Engine.IO sends the frame as it is where the transport is a websocket. */
  readonly options: { compress: false; wsPreEncodedFrame: readonly [Buffer] };
}

/** An event with one argument. */
export function encodeEvent(name: string, data: unknown): EncodedPacket {
  const text = `2${JSON.stringify([name, data])}`;
  return { text, options: { compress: false, wsPreEncodedFrame: [messageFrame(text)] } };
}

/** Engine.IO's type of a message. */
const MESSAGE = "4";
const FINAL_TEXT = 0x81;

/** A message of Engine.IO as an unmasked websocket text frame (RFC 6455, section 5.2), in one buffer. */
export function messageFrame(text: string): Buffer {
  const length = 1 + Buffer.byteLength(text);
  const header = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(header + length);
  frame[0] = FINAL_TEXT;
  if (header === 2) frame[1] = length;
  else if (header === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(MESSAGE, header, "latin1");
  frame.write(text, header + 1, "utf8");
  return frame;
}

/** The parts of an Engine.IO connection over a websocket. */
interface Connection {
  readyState: string;
  readonly writeBuffer: readonly unknown[];
  readonly transport: {
    readonly name: string;
    readonly writable: boolean;
    readonly socket?: { readonly readyState: number; readonly _socket: TcpSocket | null };
  };
  write(data: unknown, options?: Partial<EncodedPacket["options"]>): unknown;
}

const WEBSOCKET_OPEN = 1;
/** Beyond so many waiting bytes a client is slow: Engine.IO queues for it, and the queue is bounded. */
const FAST_BYTES = 65_536;

/**
 * The short way to clients that read: whatever a turn of the event loop has for one of them - the answer, the events -
 * goes into one system call, which is most of what a delivery costs. Everybody else, and every other transport, takes
 * Engine.IO's way; both ways end in the same TCP stream, and nothing overtakes.
 */
export class Wire {
  private corked: TcpSocket[] = [];

  /** From now on all that is written to this client may take the short way. */
  attach(socket: ClientSocket): void {
    const connection = socket.conn as unknown as Connection;
    const write = connection.write.bind(connection);
    connection.write = (data, options) => {
      const tcp = typeof data === "string" ? readyStream(connection) : undefined;
      if (!tcp) return write(data, options);
      this.cork(tcp);
      tcp.write(options?.wsPreEncodedFrame?.[0] ?? messageFrame(data as string));
      return connection;
    };
  }

  private cork(tcp: TcpSocket): void {
    if (tcp.writableCorked > 0) return;
    tcp.cork();
    if (this.corked.push(tcp) === 1) setImmediate(() => this.uncork());
  }

  private uncork(): void {
    const streams = this.corked;
    this.corked = [];
    for (const tcp of streams) tcp.uncork();
  }
}

/** The TCP stream of a client that has read nearly everything, and for whom nothing waits in Engine.IO. */
function readyStream({ readyState, transport, writeBuffer }: Connection): TcpSocket | undefined {
  if (readyState !== "open" || transport.name !== "websocket" || !transport.writable) return undefined;
  const { socket } = transport;
  if (!socket?._socket || socket.readyState !== WEBSOCKET_OPEN || writeBuffer.length > 0) return undefined;
  return socket._socket.writableLength < FAST_BYTES ? socket._socket : undefined;
}

/** Sends an encoded packet to one client. */
export function sendPacket(socket: ClientSocket, { text, options }: EncodedPacket): void {
  socket.conn.write(text, options);
}
