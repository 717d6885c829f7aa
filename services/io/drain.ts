import type { Clock, Random } from "../../lib/actor/ports";
import { pause } from "../../lib/actor/time";
import type { ClientSocket } from "./client-socket";
import type { Connections } from "./connections";

export interface DrainPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly connections: Connections;
  /** Calls that are not answered yet. */
  inFlight(): number;
}

/** So many clients a second are sent away: what one other node takes in without its own clients noticing. */
const CLIENTS_PER_SECOND = 62;
/** Part of the time that may be spent sending clients away; the rest is for what is in flight. */
const WINDOW_SHARE = 0.8;
const TICK_MS = 20;

interface Departure<T> {
  readonly client: T;
  readonly inMs: number;
}

/** When each client goes: in random order, evenly, at most 62 a second unless that would take longer than the window. */
export function planDepartures<T>(clients: readonly T[], windowMs: number, random: Random): Array<Departure<T>> {
  const order = [...clients];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random.float() * (last + 1));
    [order[last], order[other]] = [order[other] as T, order[last] as T];
  }
  const pauseMs = Math.min(1_000 / CLIENTS_PER_SECOND, windowMs / Math.max(1, order.length));
  return order.map((client, place) => ({ client, inMs: Math.floor(place * pauseMs) }));
}

/**
 * Sends all clients away within `seconds`: each is told its own delay, served until then, and closed when nothing of
 * it is in flight. Resolves when all are gone and nothing is in flight, or when the time is over. The caller lets
 * nobody in any more.
 */
export async function drain(ports: DrainPorts, seconds: number): Promise<void> {
  const { clock, connections, random } = ports;
  const start = clock.now();
  const deadline = start + seconds * 1_000;
  let departures: Array<Departure<ClientSocket>> = planDepartures(
    [...connections.all()],
    seconds * 1_000 * WINDOW_SHARE,
    random,
  );
  for (const { client, inMs } of departures) client.emit("drain", { reconnectInMs: inMs });
  while (departures.length > 0 && clock.now() < deadline) {
    const elapsed = clock.now() - start;
    departures = departures.filter((departure) => departure.inMs > elapsed || !depart(departure.client));
    if (departures.length > 0) await pause(clock, TICK_MS);
  }
  while (ports.inFlight() > 0 && clock.now() < deadline) await pause(clock, TICK_MS);
  for (const socket of [...connections.all()]) close(socket);
}

/** Takes no more packets of this client; true when it is closed. */
function depart(socket: ClientSocket): boolean {
  if (socket.data.phase === "live") socket.data.phase = "leaving";
  if (socket.connected && socket.data.inFlight > 0) return false;
  close(socket);
  return true;
}

/** Closes the transport without a word: a stock client then connects again by itself. */
const close = (socket: ClientSocket): void => socket.conn.close();
