import type { Facts, Target } from "../../actors/conversation/conversation.commands";
import { decide, type Limits } from "../../actors/conversation/conversation.decide";
import {
  type Audience,
  isA,
  maySee,
  standingChanges,
  type StoredEvent,
} from "../../actors/conversation/conversation.events";
import { type ConversationState, emptyState, evolve, standingIn } from "../../actors/conversation/conversation.state";
import type { ErrorType } from "../../lib/errors";
import type { WireEvent } from "../../services/schemas";
import { type Attempt, Commands } from "./commands";
import { type Answer, keyOf, type Request, toCommand } from "./messages";
import type { World } from "./world";

/** What the log of one conversation was at every seq. */
interface History {
  readonly events: StoredEvent[];
  /** `states[n]` is the fold of the first n events. */
  readonly states: ConversationState[];
}

interface Holding {
  readonly conversationId: string;
  readonly key: string;
  readonly from: number;
  to: number;
}

const UNDECIDED: ReadonlySet<ErrorType> = new Set(["UNAVAILABLE", "TOO_BUSY", "UNKNOWN_OUTCOME"]);

/** Messages of staff that begin like this are for staff only: the simulation's notes. */
export const NOTE = "note";

/**
 * Judges a history while it happens, from what became durable, what clients were told and what they received:
 *
 * A  what was acknowledged is durable at that moment, once, at that seq
 * B  seqs are 1..n; every event is what the rules make of its command on the state before it
 * E  a command is there once or not at all; what was answered as not written never is: see `Commands`
 * F  nobody received what is not theirs
 * K  a key has one holder at a time, and generation g+1 follows the durable end of g
 * R  a refusal or no-op was right on some state between question and answer
 */
export class Oracle {
  readonly histories = new Map<string, History>();
  /** Rule E. */
  readonly commands = new Commands((detail) => this.fail("E", detail));
  private readonly keys = new Map<string, Holding[]>();

  constructor(
    private readonly world: World,
    private readonly limits: Limits,
  ) {}

  head(conversationId: string): number {
    return this.histories.get(conversationId)?.events.length ?? 0;
  }

  state(conversationId: string, seq = this.head(conversationId)): ConversationState {
    return this.histories.get(conversationId)?.states[seq] ?? emptyState(conversationId);
  }

  events(conversationId: string): readonly StoredEvent[] {
    return this.histories.get(conversationId)?.events ?? [];
  }

  /** What a user of this audience must have seen in the end. */
  visible(conversationId: string, audience: Audience): StoredEvent[] {
    return this.events(conversationId).filter((event) => maySee(event, audience));
  }

  standing(conversationId: string, userId: string, seq = this.head(conversationId)): Audience | "none" {
    return standingIn(this.state(conversationId, seq), userId) ?? "none";
  }

  /** Somebody asks for something, perhaps once more. */
  asks(request: Request): Attempt {
    return this.commands.asks(request, this.head(request.conversationId), this.world.now);
  }

  committed(documents: readonly StoredEvent[]): void {
    for (const event of documents) this.commit(event);
  }

  /** Whoever asked is answered. */
  answered(attempt: Attempt, answer: Answer): void {
    const { request, from, askedAt } = attempt;
    if (answer.kind === "done") return this.acknowledged(request, answer);
    if (answer.kind === "no-op") this.commands.denied(attempt, "no-op");
    else if (answer.type !== "UNKNOWN_OUTCOME") this.commands.denied(attempt, answer.type);
    if (answer.kind === "refused" && UNDECIDED.has(answer.type)) return;
    for (let seq = from; seq <= this.head(request.conversationId); seq++)
      if (this.justified(request, answer, seq, askedAt)) return;
    const said = answer.kind === "refused" ? `${answer.type} ${JSON.stringify(answer.data ?? {})}` : "no-op";
    this.fail("R", `${keyOf(request)} ${request.action}: ${said} was right on no state since it was asked`);
  }

  /** A client received an event. */
  received(userId: string, event: WireEvent): void {
    const { conversationId, seq } = event;
    const stored = this.events(conversationId)[seq - 1];
    if (stored?._id !== event.id) return this.fail("F", `${userId} received what is not in the log: ${event.id}`);
    for (let at = seq; at <= this.head(conversationId); at++) {
      const standing = this.standing(conversationId, userId, at);
      if (standing !== "none" && maySee(stored, standing)) return;
    }
    const before = this.standing(conversationId, userId, seq - 1);
    const leaves = standingChanges(stored).some((change) => change.userId === userId);
    if (leaves && before !== "none" && maySee(stored, before)) return;
    this.fail("F", `${userId} received ${conversationId}/${seq} without a right to it`);
  }

  fail(rule: string, detail: string): void {
    this.world.fail(`${rule}: ${detail}`);
  }

  private commit(event: StoredEvent): void {
    const history = this.histories.get(event.conversationId) ?? {
      events: [],
      states: [emptyState(event.conversationId)],
    };
    this.histories.set(event.conversationId, history);
    const { events, states } = history;
    this.world.trace("durable", event.conversationId, event.seq, event.type, event._id, event.by, event.commandId);
    if (event.seq !== events.length + 1) this.fail("B", `${event._id} at seq ${event.seq} after ${events.length}`);
    this.commands.committed(event);
    this.checkRules(event);
    this.checkKeys(event);
    events.push(event);
    states.push(evolve(states[states.length - 1] ?? emptyState(event.conversationId), event));
  }

  private checkRules(event: StoredEvent): void {
    const { conversationId, seq } = event;
    const request = this.commands.requestOf(event);
    if (!request) return this.fail("B", `${event._id} was asked for by nobody`);
    const state = this.state(conversationId, seq - 1);
    const facts = this.facts(request, seq - 1, event.key, event.type === "session.attended");
    const ruling = decide(state, toCommand(request, 0), facts, this.limits, event.at);
    if (!("event" in ruling)) {
      const ruled = "refusal" in ruling ? ruling.refusal : "no-op";
      return this.fail("B", `${conversationId}/${seq} ${event.type} ${keyOf(event)} should have been ${ruled}`);
    }
    const { type, data, endsOpen } = ruling.event;
    if (type !== event.type || JSON.stringify(data) !== JSON.stringify(event.data) || endsOpen !== event.endsOpen)
      this.fail("B", `${conversationId}/${seq} is not what its command makes: ${JSON.stringify(event.data)}`);
    if (event.prevSeq.staff !== seq - 1 || event.prevSeq.all !== state.lastAll)
      this.fail("B", `${conversationId}/${seq} names the wrong events before it`);
  }

  private checkKeys(event: StoredEvent): void {
    const { conversationId, key, endsOpen } = event;
    if (key !== undefined) {
      const prefix = key.slice(0, key.lastIndexOf("/"));
      const held = this.keys.get(prefix) ?? [];
      const last = held.at(-1);
      if (last && last.to === Infinity) this.fail("K", `${key} was taken while ${last.conversationId} has ${last.key}`);
      this.keys.set(prefix, [...held, { conversationId, key, from: this.world.now, to: Infinity }]);
    }
    if (endsOpen === undefined) return;
    const holding = this.keys.get(endsOpen.slice(0, endsOpen.lastIndexOf("/")))?.find((held) => held.key === endsOpen);
    if (!holding || holding.conversationId !== conversationId || holding.to !== Infinity)
      return this.fail("K", `${conversationId} ended ${endsOpen} without having it`);
    holding.to = this.world.now;
  }

  private acknowledged(request: Request, { seq, id }: Extract<Answer, { kind: "done" }>): void {
    const event = this.events(request.conversationId)[seq - 1];
    if (!event || event._id !== id || keyOf(event) !== keyOf(request))
      this.fail("A", `${keyOf(request)} was acknowledged at seq ${seq}, where it is not`);
  }

  private justified(request: Request, answer: Answer, seq: number, askedAt: number): boolean {
    if (answer.kind === "refused" && answer.type === "SESSION_EXISTS") return this.wasHeld(request, answer, askedAt);
    const facts = this.facts(request, seq, undefined);
    const ruling = decide(this.state(request.conversationId, seq), toCommand(request, 0), facts, this.limits, askedAt);
    if (answer.kind === "no-op") return "noop" in ruling;
    if (answer.kind !== "refused" || !("refusal" in ruling) || ruling.refusal !== answer.type) return false;
    return answer.type === "STALE_VIEW" || JSON.stringify(ruling.data) === JSON.stringify(answer.data);
  }

  /** Did that conversation have the wanted key at some time since the question? */
  private wasHeld(request: Request, answer: Extract<Answer, { kind: "refused" }>, askedAt: number): boolean {
    const prefix = request.action === "open" ? `open/${request.by}/${request.params.topic}/` : "open/";
    return [...this.keys.values()]
      .flat()
      .some(
        ({ conversationId, from, to, key }) =>
          conversationId === answer.data?.["sessionId"] &&
          from <= this.world.now &&
          to >= askedAt &&
          key.startsWith(prefix),
      );
  }

  /** The facts a decision rests on, from the log alone. */
  private facts(request: Request, through: number, key: string | undefined, read = false): Facts {
    const { conversationId, action, params, by } = request;
    const seq =
      action === "send"
        ? params.replyTo
        : action === "edit" || action === "delete" || action === "react"
          ? params.seq
          : undefined;
    const target = seq === undefined ? undefined : this.target(conversationId, seq, through, by, params);
    const readSeq = read ? through : 0;
    return { readSeq, ...(target && { target }), ...(key !== undefined && { key: { next: key } }) };
  }

  private target(id: string, seq: number, through: number, by: string, params: object): Target | undefined {
    const event = seq <= through ? this.events(id)[seq - 1] : undefined;
    if (!event) return undefined;
    const emoji = "emoji" in params ? params.emoji : undefined;
    const reactions = new Map<string, number>();
    let deleted = false;
    let changes = 0;
    for (const change of this.events(id).slice(0, through)) {
      if (change.about !== `${id}/${seq}`) continue;
      changes += 1;
      if (change.type === "message.deleted") deleted = true;
      if (isA(change, "reaction.added")) reactions.set(`${change.by}\n${change.data.emoji}`, change.seq);
      if (isA(change, "reaction.removed")) reactions.delete(`${change.by}\n${change.data.emoji}`);
    }
    const reactionSeq = reactions.get(`${by}\n${String(emoji)}`);
    return { event, deleted, changes, reactions: reactions.size, ...(reactionSeq !== undefined && { reactionSeq }) };
  }
}
