import { ConversationBehaviour } from "../../../actors/conversation/conversation.behaviour";
import type {
  Action,
  CommandParams,
  ConversationCommand,
  Facts,
  KeyFact,
  Target,
} from "../../../actors/conversation/conversation.commands";
import {
  type Audience,
  isA,
  maySee,
  standingChanges,
  type StoredEvent,
  toWire,
} from "../../../actors/conversation/conversation.events";
import {
  type ConversationState,
  emptyState,
  evolve,
  type Standing,
  standingIn,
} from "../../../actors/conversation/conversation.state";
import { ConversationStore } from "../../../actors/conversation/conversation.store";
import { MemoryStore } from "../../../lib/store/memory";
import { SeededRandom } from "../../support/virtual-clock";

export const LIMITS = { members: 104, reactions: 2 };
export const SUPERVISORS: readonly string[] = ["sue"];

/** What a command came to: an event's type, a refusal, or `noop`. */
export type Ended = { readonly event: StoredEvent } | { readonly refusal: string; readonly data?: unknown } | "noop";

let commands = 0;

/** What is asked, without who asks it. */
export type Order = { [A in Action]: { readonly action: A; readonly params: CommandParams[A] } }[Action];

export const command = <A extends Action>(by: string, action: A, params: CommandParams[A]): ConversationCommand => {
  const commandId = `command-${++commands}`;
  const supervises = SUPERVISORS.includes(by);
  const head = { by, commandId, request: `${action}`, deadline: Number.MAX_SAFE_INTEGER, supervises };
  return { ...head, action, params } as ConversationCommand;
};

const refuse = (): never => {
  throw new TypeError("a frozen map was changed");
};

/** Freezes a value and all within it: whoever changes it throws. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  // A frozen Map can still be set: its methods are what must not be called.
  if (value instanceof Map) Object.defineProperties(value, { set: { value: refuse }, delete: { value: refuse } });
  Object.freeze(value);
  for (const inner of Object.values(value)) deepFreeze(inner);
  return value;
}

/** What can be told of a conversation from its log alone, in the simplest way. */
export class Reference {
  constructor(readonly log: readonly StoredEvent[]) {}

  standing(userId: string): Standing {
    const changes = this.log.flatMap((event) => standingChanges(event));
    return changes.filter((change) => change.userId === userId).at(-1)?.standing ?? "none";
  }

  get members(): string[] {
    const everybody = new Set(this.log.flatMap((event) => standingChanges(event).map(({ userId }) => userId)));
    return [...everybody].filter((userId) => this.standing(userId) !== "none").sort();
  }

  visible(viewer: Audience): StoredEvent[] {
    return this.log.filter((event) => maySee(event, viewer));
  }

  /** Did somebody else who was staff at that time write after `seq`? */
  colleagueWrote(by: string, seq: number): boolean {
    return this.log.some((event, at) => {
      const before = new Reference(this.log.slice(0, at));
      const wrote = event.type === "message.created" && event.seq > seq && event.by !== by;
      return wrote && before.standing(event.by) === "staff";
    });
  }

  target(seq: number, by: string, emoji: string | undefined): Target | undefined {
    const event = this.log[seq - 1];
    if (!event) return undefined;
    const about = this.log.filter((other) => other.about === `${event.conversationId}/${seq}`);
    const standing = new Map<string, number>();
    for (const other of about) {
      if (isA(other, "reaction.added")) standing.set(`${other.by} ${other.data.emoji}`, other.seq);
      if (isA(other, "reaction.removed")) standing.delete(`${other.by} ${other.data.emoji}`);
    }
    const deleted = about.some(({ type }) => type === "message.deleted");
    const reactionSeq = emoji === undefined ? undefined : standing.get(`${by} ${emoji}`);
    return {
      event,
      deleted,
      reactions: standing.size,
      changes: about.length,
      ...(reactionSeq !== undefined && { reactionSeq }),
    };
  }
}

/** Several conversations with the real rules, and facts from the reference. No store, no actor. */
export class World {
  readonly logs = new Map<string, StoredEvent[]>();
  readonly states = new Map<string, ConversationState>();
  private readonly behaviour = new ConversationBehaviour(
    new ConversationStore(new MemoryStore()),
    new SeededRandom("event"),
    LIMITS,
  );
  /** `<conversation>/<user>` to how far that user has read. */
  readonly read = new Map<string, number>();
  private now = 1_000;

  /** Time passes before the next command. */
  pass(ms: number): void {
    this.now += ms;
  }

  log(id: string): StoredEvent[] {
    const known = this.logs.get(id) ?? [];
    this.logs.set(id, known);
    return known;
  }

  state(id: string): ConversationState {
    return this.states.get(id) ?? emptyState(id);
  }

  /** Decides and, when that makes an event, appends it. With `note`, a message of the staff is for the staff only. */
  give(id: string, asked: ConversationCommand, note = false): Ended {
    const state = deepFreeze(this.state(id));
    const noted = note && asked.action === "send" && standingIn(state, asked.by) === "staff";
    const given = noted ? { ...asked, params: { ...asked.params, audience: "staff" as const } } : asked;
    const facts = deepFreeze(this.facts(id, given));
    const decision = this.behaviour.decide(state, deepFreeze(given), facts, ++this.now);
    this.expectSame(decision, this.behaviour.decide(state, given, facts, this.now));
    if ("noop" in decision) return "noop";
    if ("refusal" in decision) return decision;
    const { event } = decision;
    this.log(id).push(deepFreeze(event));
    this.states.set(id, evolve(state, event));
    return { event };
  }

  private facts(id: string, given: ConversationCommand): Facts {
    const state = this.state(id);
    const reference = new Reference(this.log(id));
    const { by, action, params } = given;
    const facts: { -readonly [K in keyof Facts]: Facts[K] } = {};
    const asked = action === "invite" ? [by, params.userId] : [by];
    const unknown = asked.filter((userId) => standingIn(state, userId) === undefined);
    if (unknown.length > 0) facts.standings = new Map(unknown.map((userId) => [userId, reference.standing(userId)]));
    const seq = "replyTo" in params ? params.replyTo : "seq" in params ? params.seq : undefined;
    const emoji = "emoji" in params ? params.emoji : undefined;
    const target = seq === undefined ? undefined : reference.target(seq, by, emoji);
    if (target) facts.target = target;
    const prefix = keyPrefix(state, given);
    if (prefix !== undefined) facts.key = this.key(prefix);
    const reader = action === "due" ? state.session?.agentId : undefined;
    if (reader !== undefined) facts.readSeq = this.read.get(`${id}/${reader}`) ?? 0;
    if (action === "send" && params.baseSeq !== undefined) {
      const { baseSeq } = params;
      const viewer = reference.standing(by) === "staff" ? "staff" : "all";
      const missed = reference.visible(viewer).filter((event) => event.seq > baseSeq);
      facts.missed = missed.map((event) => toWire(event, viewer));
    }
    return facts;
  }

  private key(prefix: string): KeyFact {
    const everything = [...this.logs.values()].flat();
    const taken = everything.filter(({ key }) => key?.startsWith(`${prefix}/`));
    const next = `${prefix}/${String(taken.length + 1).padStart(10, "0")}`;
    const held = taken.find(
      ({ key }) => !everything.some(({ endsOpen, endsSlot }) => key === endsOpen || key === endsSlot),
    );
    return held ? { next, holder: held.conversationId } : { next };
  }

  private expectSame(one: unknown, other: unknown): void {
    const plain = (decision: unknown): string =>
      JSON.stringify(decision, (name, value: unknown) => (name === "_id" ? undefined : value));
    expect(plain(other)).toBe(plain(one));
  }
}

/** The key that a command would take, without its generation. */
function keyPrefix({ session }: ConversationState, { by, action, params }: ConversationCommand): string | undefined {
  if (action === "open") return `open/${by}/${params.topic}`;
  if (!session) return undefined;
  if (action === "reopen" || action === "importOpen") return `open/${session.customerId}/${session.topic}`;
  if (action === "push") return `slot/${params.agentId}/${params.slot}`;
  if (action !== "transfer" || params.to.topic === undefined) return undefined;
  return `open/${session.customerId}/${params.to.topic}`;
}
