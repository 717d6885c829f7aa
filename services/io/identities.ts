import type { Clock } from "../../lib/actor/ports";
import { pause } from "../../lib/actor/time";
import { toWireError } from "../../lib/middlewares/errors";
import type { Authenticator } from "../auth/authenticator";
import type { Principal } from "../auth/principal";
import { type ClientSocket, cut } from "./client-socket";
import type { Connections } from "./connections";

export interface IdentitiesPorts {
  readonly clock: Clock;
  readonly connections: Connections;
  readonly authenticator: Pick<Authenticator, "renew" | "onRevoked" | "onUserChanged">;
  /** The roles of a socket's user were read again. */
  changed(socket: ClientSocket): void;
}

export type EndReason = "expired" | "revoked";

/** A client that was told to go and does not read is cut off after this. */
const PARTING_MS = 500;
const RENEW_ATTEMPTS = 3;
const RENEW_PAUSE_MS = 200;

/** Keeps the identities of live sockets true: ends those whose login is over, and renews those whose user changed. */
export class Identities {
  constructor(private readonly ports: IdentitiesPorts) {}

  start(): void {
    const { authenticator, connections } = this.ports;
    authenticator.onRevoked(({ userId, family }) => {
      for (const socket of connections.ofUser(userId)) {
        if (family === undefined || socket.data.user.family === family) this.end(socket, "revoked");
      }
    });
    authenticator.onUserChanged((userId, roles) => {
      for (const socket of connections.ofUser(userId)) {
        if (roles) this.became(socket, { ...socket.data.user, roles });
        else void this.renew(socket);
      }
    });
  }

  /** From now on nothing is taken from this client and nothing is answered. It is told why, and disconnected. */
  end(socket: ClientSocket, reason: EndReason): void {
    if (socket.data.phase === "ended") return;
    socket.data.phase = "ended";
    this.part(socket, reason);
  }

  /** Says goodbye to a socket that has ended; nothing when it is not connected (yet). */
  part(socket: ClientSocket, reason: EndReason): void {
    if (!socket.connected) return;
    socket.emit("revoked", { reason });
    socket.disconnect(true);
    const cancel = this.ports.clock.setTimeout(() => cut(socket), PARTING_MS);
    if (socket.conn.readyState === "closed") cancel();
    else socket.conn.once("close", cancel);
  }

  private became(socket: ClientSocket, user: Principal): void {
    socket.data.user = user;
    this.ports.changed(socket);
  }

  /** Reads the user's roles again. A socket whose user cannot be read has to come back and say who it is. */
  private async renew(socket: ClientSocket): Promise<void> {
    const { authenticator, clock } = this.ports;
    for (let attempt = 1; attempt <= RENEW_ATTEMPTS; attempt++) {
      try {
        this.became(socket, await authenticator.renew(socket.data.user));
        return;
      } catch (error) {
        if (!toWireError(error).retryable) break;
        await pause(clock, RENEW_PAUSE_MS);
      }
    }
    this.end(socket, "revoked");
  }
}
