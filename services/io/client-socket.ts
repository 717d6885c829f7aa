import type { Server, Socket } from "socket.io";
import type { Bucket } from "../../lib/limits/token-bucket";
import type { Principal } from "../auth/principal";

/** What an io node knows of a connected client. Nothing else holds an identity, and only this node writes it. */
export interface ClientState {
  user: Principal;
  /** Wall-clock millisecond when the access token expires, and the socket with it. */
  readonly expiresAt: number;
  /** Packets of this socket; and of all sockets of its user, one record shared by them. */
  readonly packets: Bucket;
  readonly userPackets: Bucket;
  /** Refused packets that are still forgiven. */
  readonly strikes: Bucket;
  /** Resolves when the socket is live in all its rooms; never rejects. */
  joined: Promise<void>;
  /** Calls that are not answered yet. */
  inFlight: number;
  /** `leaving`: takes no more packets, is closed when nothing is in flight. `ended`: answers nothing any more. */
  phase: "live" | "leaving" | "ended";
}

type Events = Record<string, (...args: unknown[]) => void>;
export type ClientSocket = Socket<Events, Events, Events, ClientState>;
export type SocketServer = Server<Events, Events, Events, ClientState>;

/** The parts of an Engine.IO connection that tell what waits to be sent. */
interface Connection {
  readonly writeBuffer: ReadonlyArray<{ readonly data?: unknown }>;
  readonly transport: { readonly socket?: { readonly bufferedAmount?: number; terminate?(): void } };
  close(discard: boolean): void;
}

const connectionOf = (socket: ClientSocket): Connection => socket.conn as unknown as Connection;

/** Socket.IO packet type of an acknowledgement. */
const ACK = "3";

export interface Backlog {
  /** Characters of events, and of answers, that wait for the client to read. */
  readonly events: number;
  readonly answers: number;
}

const NONE: Backlog = { events: 0, answers: 0 };

/** What waits to be sent to a client beyond the batch that its transport is busy with. */
export function backlogOf(socket: ClientSocket): Backlog {
  const { writeBuffer } = connectionOf(socket);
  if (writeBuffer.length === 0) return NONE;
  let events = 0;
  let answers = 0;
  for (const { data } of writeBuffer) {
    if (typeof data !== "string") continue;
    if (data.startsWith(ACK)) answers += data.length;
    else events += data.length;
  }
  return { events, answers };
}

/** Cuts the connection at once, dropping whatever waits to be sent. */
export function cut(socket: ClientSocket): void {
  const connection = connectionOf(socket);
  const { terminate } = connection.transport.socket ?? {};
  if (terminate) terminate.call(connection.transport.socket);
  else connection.close(true);
}

/** Lets go of the request that opened the connection and of the token in it: kilobytes for each idle client. */
export function forgetHandshake(socket: ClientSocket): void {
  (socket.conn as { request: unknown }).request = undefined;
  (socket as { handshake: unknown }).handshake = undefined;
}
