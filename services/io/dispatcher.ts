import type { CallingOptions } from "moleculer";
import type { Clock } from "../../lib/actor/ports";
import type { Contract } from "../../lib/contract";
import { type ErrorType, ParleyError, type WireError } from "../../lib/errors";
import type { Patience } from "../../lib/patience";
import type { Meta, Principal } from "../auth/principal";
import { backlogOf, type ClientSocket, type ClientState, cut } from "./client-socket";
import type { PacketLimits } from "./limits";

export interface CallOptions extends CallingOptions {
  readonly meta: Meta & { readonly user: Principal; readonly requestId: string };
}

/** What a socket event does: resolves with the data of its answer, or rejects. */
export interface Route {
  readonly contract: Contract;
  run(socket: ClientSocket, payload: object, options: CallOptions): Promise<unknown>;
}

export interface DispatcherPorts {
  readonly clock: Clock;
  readonly limits: PacketLimits;
  readonly patience: Pick<Patience, "wait">;
  /** By socket event. What is not here does not exist. */
  readonly routes: ReadonlyMap<unknown, Route>;
  readonly timeoutMs: number;
  /** Characters of unread answers beyond which a client is asked to read first. */
  readonly bufferBytes: number;
  /** Calls of one socket in flight at once. */
  readonly maxInFlight: number;
  newId(): string;
  isRevoked(user: Principal): boolean;
  /** Is it known here what was revoked until a moment ago? */
  isFresh(): boolean;
  /** Waits a moment until it is known; false when it still is not. */
  whenFresh(): Promise<boolean>;
  /** An answer is given: what it is, after how many milliseconds. */
  answered(type: "ok" | ErrorType, ms: number): void;
  /** Tells the client that its login is over and disconnects it. */
  end(socket: ClientSocket, reason: "expired" | "revoked"): void;
  toWireError(error: unknown, requestId: string, contract?: Contract): WireError;
}

export type Answer = { ok: true; data: unknown } | { ok: false; error: WireError };
type Acknowledge = (answer: Answer) => void;
type Packet = readonly unknown[];

/**
 * Takes every packet of every client: limits it, checks that its identity still holds, runs its route and answers.
 * Called for each packet, so it allocates little and reads the clock once.
 */
export class Dispatcher {
  private waiting = 0;

  constructor(private readonly ports: DispatcherPorts) {}

  /** Calls in flight on this node. */
  get inFlight(): number {
    return this.waiting;
  }

  /** `packet` is `[event, ...arguments, acknowledge?]` as Socket.IO decodes it. */
  handle(socket: ClientSocket, packet: Packet): void {
    const { clock, limits } = this.ports;
    const last = packet.length > 1 ? packet[packet.length - 1] : undefined;
    const acknowledge = typeof last === "function" ? (last as Acknowledge) : undefined;
    const state = socket.data;
    if (state.phase === "ended") return;
    const now = clock.now();
    const retryInMs = limits.take(state, now);
    if (retryInMs > 0) {
      if (limits.strike(state, now)) cut(socket);
      else this.refuse(socket, acknowledge, "RATE_LIMITED", { retryInMs });
      return;
    }
    const busy = this.busy(socket, state);
    if (busy) return this.refuse(socket, acknowledge, busy);
    if (this.ports.isFresh()) this.admit(socket, packet, acknowledge, now);
    else void this.admitLate(socket, packet, acknowledge);
  }

  /** Whoever does not know what was revoked lets nobody act: it waits a moment, then refuses. Keeps the order. */
  private async admitLate(socket: ClientSocket, packet: Packet, acknowledge: Acknowledge | undefined): Promise<void> {
    const state = socket.data;
    this.waiting++;
    state.inFlight++;
    const fresh = await this.ports.whenFresh();
    this.waiting--;
    state.inFlight--;
    if (state.phase === "ended") return;
    if (fresh) this.admit(socket, packet, acknowledge, this.ports.clock.now());
    else this.refuse(socket, acknowledge, "UNAVAILABLE");
  }

  private admit(socket: ClientSocket, packet: Packet, acknowledge: Acknowledge | undefined, now: number): void {
    const state = socket.data;
    if (state.expiresAt <= now || this.ports.isRevoked(state.user)) {
      this.refuse(socket, acknowledge, "UNAUTHORIZED");
      this.ports.end(socket, state.expiresAt <= now ? "expired" : "revoked");
      return;
    }
    const route = this.ports.routes.get(packet[0]);
    if (!route) return this.refuse(socket, acknowledge, "UNKNOWN_EVENT");
    const payload = acknowledge && packet.length === 2 ? undefined : packet[1];
    if (payload !== undefined && !isObject(payload)) return this.refuse(socket, acknowledge, "VALIDATION");
    void this.run(socket, route, payload ?? {}, acknowledge, now);
  }

  private async run(
    socket: ClientSocket,
    route: Route,
    payload: object,
    acknowledge: Acknowledge | undefined,
    now: number,
  ): Promise<void> {
    const state = socket.data;
    const requestId = this.ports.newId();
    const { timeoutMs } = this.ports;
    this.waiting++;
    state.inFlight++;
    try {
      const meta = { user: state.user, requestId, deadline: now + timeoutMs };
      const call = route.run(socket, payload, { meta, timeout: timeoutMs, requestID: requestId });
      const data = await this.ports.patience.wait(call, route.contract);
      if (state.phase !== "ended") acknowledge?.({ ok: true, data: data ?? null });
      this.ports.answered("ok", this.ports.clock.now() - now);
    } catch (error) {
      const type = this.fail(socket, acknowledge, error, requestId, route.contract);
      this.ports.answered(type, this.ports.clock.now() - now);
    } finally {
      this.waiting--;
      state.inFlight--;
    }
  }

  private busy(socket: ClientSocket, state: ClientState): ErrorType | undefined {
    if (state.phase === "leaving") return "UNAVAILABLE";
    if (state.inFlight >= this.ports.maxInFlight) return "TOO_BUSY";
    return backlogOf(socket).answers > this.ports.bufferBytes ? "TOO_BUSY" : undefined;
  }

  private refuse(
    socket: ClientSocket,
    acknowledge: Acknowledge | undefined,
    type: ErrorType,
    data?: Record<string, unknown>,
  ): void {
    this.fail(socket, acknowledge, new ParleyError(type, data), this.ports.newId());
    this.ports.answered(type, 0);
  }

  private fail(
    socket: ClientSocket,
    acknowledge: Acknowledge | undefined,
    error: unknown,
    requestId: string,
    contract?: Contract,
  ): ErrorType {
    const wire = this.ports.toWireError(error, requestId, contract);
    if (socket.data.phase === "ended") return wire.type;
    if (acknowledge) acknowledge({ ok: false, error: wire });
    else socket.emit("error", wire);
    return wire.type;
  }
}

/** What a payload may be: a JSON object, not an array or a scalar. */
const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);
