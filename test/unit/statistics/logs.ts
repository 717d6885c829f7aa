import fc from "fast-check";
import type { StoredEvent } from "../../../actors/conversation/conversation.events";
import { given, HAND_OVERS, nothing } from "../conversation/orders";
import { command, World } from "../conversation/world";

export const SESSION = "s";

const orders = fc.oneof(
  ...HAND_OVERS,
  given("transfer", fc.record({ to: fc.record({ topic: fc.constantFrom("loan", "card") }) })),
  given("join", nothing),
  given("close", fc.record({ reason: fc.constantFrom("solved", "expired", "no-show") })),
  given("reopen", nothing),
  given("rate", fc.record({ score: fc.integer({ min: 1, max: 5 }) })),
  given("send", fc.record({ text: fc.constant("hello"), audience: fc.constantFrom("all", "staff") })),
  given("send", fc.record({ text: fc.constant("hello") })),
);
const step = fc.record({
  by: fc.constantFrom("carl", "ada", "ben", "sue"),
  order: orders,
  afterMs: fc.integer({ min: 0, max: 100_000 }),
});

/** Logs of one session, as the rules of conversations let them be. */
export const logs: fc.Arbitrary<readonly StoredEvent[]> = fc
  .array(step, { minLength: 1, maxLength: 60 })
  .map((steps) => {
    const world = new World();
    world.give(SESSION, command("carl", "open", { topic: "loan", urgency: "normal" }));
    for (const { by, order, afterMs } of steps) {
      world.pass(afterMs);
      // Push is the system's: the supervisor of these tests may do it.
      world.give(SESSION, command(order.action === "push" ? "sue" : by, order.action, order.params));
    }
    return world.log(SESSION);
  });
