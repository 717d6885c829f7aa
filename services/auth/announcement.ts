import type { ServiceBroker } from "moleculer";
import type { Clock } from "../../lib/actor/ports";
import { inTime } from "../../lib/actor/time";
import { callerOf } from "../../lib/call";
import { offersOf } from "../../lib/offers";
import { broadcast } from "../call";
import { FRESH_MS, type Revocation } from "./revocations";

/** Internal actions of the services that let the outside in. */
export type DoorInternal = {
  /** Answers when this node knows every revocation up to the number, and acts on it. */
  "io.knows": { params: { number: number }; result: null };
  "gateway.knows": { params: { number: number }; result: null };
};

const callDoor = callerOf<DoorInternal>();
const DOORS = ["io.knows", "gateway.knows"] as const;

/**
 * Tells every node that lets the outside in of a revocation, which must be durable. Resolves when nobody acts on the
 * login (or on the old roles) any more: each node has confirmed that it knows, or so much time has passed that one
 * which could not be reached has heard it from the store, or has noticed that it hears nothing. Never rejects.
 */
export async function announce(broker: ServiceBroker, clock: Clock, revocation: Revocation): Promise<void> {
  const { number, userId, family, roles } = revocation;
  const data = { number, userId, ...(family !== undefined && { family }), ...(roles && { roles }) };
  await broadcast(broker, "auth.revoked", data, ["io", "gateway"]).catch(() => undefined);
  const confirmations = DOORS.flatMap((door) =>
    offersOf(broker, door).map(({ id }) => callDoor(broker, door, { number }, { nodeID: id, timeout: FRESH_MS })),
  );
  await inTime(clock, FRESH_MS, () => Promise.all(confirmations).catch(never));
}

const never = (): Promise<never> => new Promise(() => undefined);
