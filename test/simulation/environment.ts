import { ConversationBehaviour } from "../../actors/conversation/conversation.behaviour";
import { NOTE } from "./oracle";
import type { World } from "./world";

/** Makes some messages of staff notes: nothing in the product writes events for staff only yet. */
export function withNotes(): void {
  const { decide } = ConversationBehaviour.prototype;
  ConversationBehaviour.prototype.decide = function (state, command, facts, now) {
    const decision = decide.call(this, state, command, facts, now);
    if (!("event" in decision) || command.action !== "send" || !command.params.text?.startsWith(NOTE)) return decision;
    return { event: { ...decision.event, audience: "staff" } };
  };
}

/**
 * The heart takes its clock and its chance as parameters: while a history runs, the process's own are out of reach, and
 * the next turn of the event loop is the history's.
 */
export function withoutTime(world: World): () => void {
  const { setTimeout, setImmediate } = globalThis;
  const real = { now: Date.now, random: Math.random };
  const forbid = (name: string) => (): never => {
    const error = new Error(`${name} was used while a history ran`);
    world.fail(error);
    throw error;
  };
  Date.now = forbid("Date.now");
  Math.random = forbid("Math.random");
  globalThis.setTimeout = Object.assign(forbid("setTimeout"), { __promisify__: setTimeout.__promisify__ });
  const nextTurn = (run: () => void): NodeJS.Immediate => world.schedule(0, run) as unknown as NodeJS.Immediate;
  globalThis.setImmediate = Object.assign(nextTurn, { __promisify__: setImmediate.__promisify__ });
  return () => {
    Date.now = real.now;
    Math.random = real.random;
    globalThis.setTimeout = setTimeout;
    globalThis.setImmediate = setImmediate;
  };
}
