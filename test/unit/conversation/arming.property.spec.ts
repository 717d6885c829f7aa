import fc from "fast-check";
import { armedFor } from "../../../actors/conversation/conversation.arming";
import { DEFAULT_RULES, type Desk, type SessionRules } from "../../../actors/conversation/conversation.session-state";
import type { ConversationState } from "../../../actors/conversation/conversation.state";
import { nextTimer } from "../../../actors/conversation/conversation.timers";
import { given, HAND_OVERS, nothing } from "./orders";
import { command, type Order, World } from "./world";

const ID = "s";
const PEOPLE = ["carl", "ada", "ben", "sue"];

const span = fc.integer({ min: 5, max: 200 });
const limits = { attendMs: span, acceptMs: span, warnMs: span, expireMs: span };
const lifetime = fc.integer({ min: 100, max: 2_000 });
const rules: fc.Arbitrary<SessionRules> = fc
  .record({ ...limits, closingMs: lifetime, noShowMs: lifetime }, { requiredKeys: ["closingMs", "noShowMs"] })
  .map((given) => ({ ...DEFAULT_RULES, ...given }));
const desk: fc.Arbitrary<Desk> = rules.map((given) => ({ headStart: { class: 0 }, rules: given }));
const openParams = fc.record({ topic: fc.constant("loan"), urgency: fc.constant("normal"), desk });

const orders = fc.oneof(
  ...HAND_OVERS,
  given("transfer", fc.record({ to: fc.record({ topic: fc.constantFrom("loan", "card") }), desk })),
  given("close", nothing),
  given("reopen", fc.oneof(nothing, fc.record({ desk }))),
  given("send", fc.record({ text: fc.constant("hello"), audience: fc.constantFrom("all", "staff") })),
);
/** Something is done, or the next timer is waited for. */
interface Step {
  readonly by: string;
  readonly order: Order | undefined;
  readonly afterMs: number;
}
const step: fc.Arbitrary<Step> = fc.record({
  by: fc.constantFrom(...PEOPLE),
  order: fc.option(orders, { freq: 3, nil: undefined }),
  afterMs: fc.integer({ min: 0, max: 60 }),
});

/** Whatever becomes due earlier than before, with the event that brought it forward and what was armed for it. */
interface Sooner {
  readonly type: string;
  readonly dueAt: number;
  readonly armed: number;
}

function play(opening: Extract<Order, { action: "open" }>["params"], steps: readonly Step[]) {
  const world = new World();
  const sooner: Sooner[] = [];
  const give = (by: string, { action, params }: Order): void => {
    const before = world.state(ID);
    const asked = command(by, action, params);
    const ended = world.give(ID, asked);
    if (typeof ended !== "object" || !("event" in ended)) return;
    const dueAt = dueOf(world.state(ID));
    const { type, at } = ended.event;
    if (dueAt < dueOf(before)) sooner.push({ type, dueAt, armed: armedFor(before, asked, at) ?? Infinity });
  };
  give("carl", { action: "open", params: opening });
  for (const { by, order, afterMs } of steps) {
    const timer = order ? undefined : nextTimer(world.state(ID));
    world.pass(afterMs);
    if (order) give(by, order);
    else if (timer) give("sue", { action: "due", params: timer });
  }
  return sooner;
}

const dueOf = (state: ConversationState): number => nextTimer(state)?.dueAt ?? Infinity;
const history = fc.tuple(openParams, fc.array(step, { minLength: 1, maxLength: 40 }));

describe("what is armed before an event", () => {
  it("is never later than what the event makes due, unless that was due before", () => {
    fc.assert(
      fc.property(history, ([opening, steps]) => {
        for (const { armed, dueAt } of play(opening, steps)) expect(armed).toBeLessThanOrEqual(dueAt);
      }),
      { numRuns: 500 },
    );
  });

  it("is armed for every kind of event that brings something forward", () => {
    const reached = new Set<string>();
    const look = fc.property(history, ([opening, steps]) => {
      for (const { type } of play(opening, steps)) reached.add(type);
    });
    fc.assert(look, { numRuns: 500, seed: 7 });
    for (const type of ["assigned", "opened", "reopened", "transferred"])
      expect([...reached]).toContain(`session.${type}`);
  });

  it("is armed for the first message after a warning alone", () => {
    const given: Desk = { headStart: { class: 0 }, rules: { ...DEFAULT_RULES, warnMs: 100 } };
    const says: Order = { action: "send", params: { text: "hello" } };
    const opening = { topic: "loan", urgency: "normal", desk: given };
    const silence = { by: "sue", order: undefined, afterMs: 100 };
    const message = { by: "carl", order: says, afterMs: 10 };
    const sooner = play(opening, [message, silence, message, message]);
    expect(sooner.map(({ type }) => type)).toEqual(["session.opened", "message.created"]);
    for (const { armed, dueAt } of sooner) expect(armed).toBe(dueAt);
  });
});
