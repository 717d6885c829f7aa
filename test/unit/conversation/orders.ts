import fc from "fast-check";
import type { Order } from "./world";

type ParamsOf<A extends Order["action"]> = fc.Arbitrary<Extract<Order, { action: A }>["params"]>;

/** Orders of one action. */
export const given = <A extends Order["action"]>(action: A, params: ParamsOf<A>): fc.Arbitrary<Order> =>
  params.map((made) => ({ action, params: made }) as Order);

export const nothing = fc.constant({});

const agent = fc.constantFrom("ada", "ben");

/** By which a session comes to agents and leaves them, within its topic. */
export const HAND_OVERS: ReadonlyArray<fc.Arbitrary<Order>> = [
  given("claim", fc.record({ takeover: fc.boolean() })),
  given("push", fc.record({ agentId: agent, slot: fc.constant(1) })),
  given("attend", nothing),
  given("decline", nothing),
  given("return", nothing),
  given("transfer", fc.record({ to: fc.record({ agentId: agent }) })),
];
