import type { Clock } from "../../lib/actor/ports";
import { ParleyError, type WireError } from "../../lib/errors";
import type { Authenticator } from "../auth/authenticator";
import type { ClientSocket } from "./client-socket";
import type { Connections } from "./connections";
import type { PacketLimits } from "./limits";

export interface HandshakePorts {
  readonly authenticator: Pick<Authenticator, "identify" | "isCurrent">;
  readonly connections: Connections;
  readonly limits: PacketLimits;
  readonly clock: Clock;
  readonly maxSocketsPerUser: number;
  isDraining(): boolean;
  toWireError(error: unknown): WireError;
}

const NOT_YET = Promise.resolve();
/** A connection may try so often to get in; then it is closed, so that guessing costs a new connection. */
const MAX_ATTEMPTS = 3;
/** What a client over its number of sockets is told to wait: a lost connection is noticed within this. */
const RETRY_MS = 30_000;

/** Lets clients in: tells who they are and gives them their state, or refuses with an error that they may see. */
export class Handshake {
  private readonly attempts = new WeakMap<object, number>();

  constructor(private readonly ports: HandshakePorts) {}

  /**
   * Admits a socket: afterwards `socket.data` is set and the socket is among the connections.
   * Rejects with an error whose message and data are made for the client. Where that is UNAVAILABLE the connection is
   * closed before it is told: after a refusal a stock client stays away, after a lost connection it comes back by itself.
   */
  async admit(socket: ClientSocket): Promise<void> {
    try {
      this.countAttempt(socket);
      await this.identify(socket);
    } catch (error) {
      const wireError = this.ports.toWireError(error);
      if (wireError.type === "UNAVAILABLE") socket.conn.close();
      throw refusal(wireError);
    }
  }

  private countAttempt(socket: ClientSocket): void {
    const attempts = (this.attempts.get(socket.conn) ?? 0) + 1;
    this.attempts.set(socket.conn, attempts);
    if (attempts <= MAX_ATTEMPTS) return;
    socket.conn.close();
    throw new ParleyError("UNAUTHORIZED");
  }

  private async identify(socket: ClientSocket): Promise<void> {
    const { authenticator, connections, limits, clock } = this.ports;
    if (this.ports.isDraining()) throw new ParleyError("UNAVAILABLE");
    const token = tokenOf(socket);
    if (token === undefined) throw new ParleyError("UNAUTHORIZED");
    let identity = await authenticator.identify(token);
    while (!authenticator.isCurrent(identity.user)) identity = await authenticator.identify(token);
    const { user, expiresAt } = identity;
    if (connections.countOf(user.id) >= this.ports.maxSocketsPerUser)
      throw new ParleyError("RATE_LIMITED", { retryInMs: RETRY_MS });
    const buckets = limits.fill(clock.now(), connections.userPackets(user.id));
    socket.data = { user, expiresAt, ...buckets, joined: NOT_YET, inFlight: 0, phase: "live" };
    // In the same turn in which the identity was current: what changes or revokes it from now on finds the socket.
    connections.add(socket);
  }
}

const BEARER = /^Bearer +(\S+)$/i;

/** The access token of a handshake: `auth.token`, else the Authorization header. Never the query string. */
function tokenOf({ handshake }: ClientSocket): string | undefined {
  const token: unknown = handshake.auth["token"];
  if (token !== undefined) return typeof token === "string" ? token : undefined;
  return BEARER.exec(handshake.headers.authorization ?? "")?.[1];
}

/** Socket.IO sends `message` and `data` of what a middleware rejects with as `connect_error`. */
const refusal = (data: WireError): Error => Object.assign(new Error(data.message), { data });
