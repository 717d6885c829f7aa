import { type Behaviour, type Decision, STALE } from "../../lib/actor/behaviour";
import type { Random } from "../../lib/actor/ports";
import type { WireEvent } from "../../services/schemas";
import type { Arming } from "./conversation.arming";
import type { ConversationCommand, Draft, Facts, NoOp } from "./conversation.commands";
import { colleagueWroteAfter, decide, type Limits } from "./conversation.decide";
import { type Audience, maySee, sizeOf, type StoredEvent, toWire } from "./conversation.events";
import { openKeyPrefix, slotKeyPrefix } from "./conversation.keys";
import { sessionAfter } from "./conversation.session-state";
import { type ConversationState, evolve, MAX_OVERLAY, type Standing, standingIn } from "./conversation.state";
import type { ConversationStore } from "./conversation.store";

/** The conversation as the actor runtime runs it: the pure rules, and the reads that a decision may need. */
export class ConversationBehaviour implements Behaviour<
  ConversationState,
  ConversationCommand,
  StoredEvent,
  Facts,
  NoOp
> {
  constructor(
    private readonly store: ConversationStore,
    private readonly random: Random,
    private readonly limits: Limits,
    private readonly arming?: Arming,
  ) {}

  readonly evolve = evolve;

  load(id: string) {
    return this.store.load(id);
  }

  seqOf(state: ConversationState): number {
    return state.seq;
  }

  overgrown(state: ConversationState): boolean {
    return !state.listed && state.members.size > MAX_OVERLAY;
  }

  readonly sizeOf = sizeOf;

  prepare(
    state: ConversationState,
    command: ConversationCommand,
    undurable: () => readonly StoredEvent[],
  ): Promise<Facts | typeof STALE> | undefined {
    const unknown = usersToKnow(command).filter((userId) => standingIn(state, userId) === undefined);
    const seq = targetOf(command);
    const prefix = keyToTake(state, command);
    const missedAfter = staleBase(state, command);
    const reader = readerToKnow(state, command);
    const nothing = [seq, prefix, missedAfter, reader].every((need) => need === undefined);
    const armed = this.arming?.before(state, command);
    if (unknown.length === 0 && nothing) return armed?.then(() => ({}));
    const facts = this.read(state, command, { unknown, seq, prefix, missedAfter, reader, undurable: undurable() });
    return armed ? Promise.all([facts, armed]).then(([read]) => read) : facts;
  }

  decide(
    state: ConversationState,
    command: ConversationCommand,
    facts: Facts | undefined,
    now: number,
  ): Decision<StoredEvent, NoOp> {
    const ruling = decide(state, command, facts, this.limits, now);
    if (!("event" in ruling)) return ruling;
    // An event about another event is seen by whoever may see that one.
    const inherited = ruling.event.about === undefined ? undefined : facts?.target?.event.audience;
    const audience = ruling.event.audience ?? inherited ?? "all";
    return { event: this.complete(state, command, ruling.event, audience, ruling.event.at ?? now) };
  }

  private async read(
    state: ConversationState,
    command: ConversationCommand,
    needs: {
      unknown: readonly string[];
      seq: number | undefined;
      prefix: string | undefined;
      missedAfter: number | undefined;
      reader: string | undefined;
      undurable: readonly StoredEvent[];
    },
  ): Promise<Facts | typeof STALE> {
    const facts: Mutable<Facts> = {};
    if (needs.unknown.length > 0) {
      const members = await this.store.standings(state.id, needs.unknown);
      if (members.some((member) => member.seq > state.seq)) return STALE;
      facts.standings = new Map<string, Standing>(members.map(({ userId, standing }) => [userId, standing]));
    }
    if (needs.seq !== undefined) {
      const { by, params } = command;
      const mine = "emoji" in params ? { by, emoji: params.emoji } : { by };
      const target = await this.store.target(state.id, needs.seq, mine, needs.undurable);
      if (target) facts.target = target;
    }
    if (needs.prefix !== undefined) {
      facts.key = await this.store.nextKey(needs.prefix);
      // What this conversation has given up is free once that is durable.
      const endsKey = ({ endsOpen, endsSlot }: StoredEvent): boolean => (endsOpen ?? endsSlot) !== undefined;
      if (facts.key.holder === state.id && needs.undurable.some(endsKey)) return STALE;
    }
    if (needs.reader !== undefined) facts.readSeq = await this.store.readSeq(state.id, needs.reader);
    if (needs.missedAfter !== undefined)
      facts.missed = await this.missed(state, command.by, needs.missedAfter, needs.undurable);
    return facts;
  }

  /** What a user may see of the events after a seq; those in flight are durable before anybody is told of them. */
  private async missed(
    state: ConversationState,
    userId: string,
    after: number,
    undurable: readonly StoredEvent[],
  ): Promise<WireEvent[]> {
    const standing = standingIn(state, userId) ?? "none";
    if (standing === "none") return [];
    const durable = await this.store.readAfter(state.id, after, MISSED_EVENTS, state.seq);
    const last = durable.at(-1)?.seq ?? after;
    const missed = [...durable, ...undurable.filter(({ seq }) => seq > last)].slice(0, MISSED_EVENTS);
    return missed.filter((event) => maySee(event, standing)).map((event) => toWire(event, standing));
  }

  private complete(
    state: ConversationState,
    command: ConversationCommand,
    draft: Draft,
    audience: Audience,
    at: number,
  ): StoredEvent {
    const event: Mutable<StoredEvent> = {
      _id: this.random.id(),
      conversationId: state.id,
      seq: state.seq + 1,
      prevSeq: { all: state.lastAll, staff: state.seq },
      type: draft.type,
      at,
      by: command.by,
      audience,
      data: draft.data,
      commandId: command.commandId,
      request: command.request,
      incarnation: "",
      flush: 0,
    };
    if (draft.type === "message.created") return event;
    if (draft.about !== undefined) event.about = `${state.id}/${draft.about}`;
    if (draft.key !== undefined) event.key = draft.key;
    if (draft.endsOpen !== undefined) event.endsOpen = draft.endsOpen;
    if (draft.endsSlot !== undefined) event.endsSlot = draft.endsSlot;
    const session = sessionAfter(state.session, draft, { at, seq: event.seq });
    if (session) event.session = session;
    return event;
  }
}

/** At most so many missed events are shown with STALE_VIEW. */
const MISSED_EVENTS = 100;

/** Whose standing the decision rests on. */
function usersToKnow(command: ConversationCommand): string[] {
  if (command.action === "create" || command.action === "open" || command.action === "importSession") return [];
  return command.action === "invite" ? [command.by, command.params.userId] : [command.by];
}

/** The seq of the message that the command is about, or answers. */
function targetOf({ params }: ConversationCommand): number | undefined {
  if ("seq" in params) return params.seq;
  return "replyTo" in params ? params.replyTo : undefined;
}

/** `open/<customer>/<topic>` or `slot/<agent>/<n>`, when the command takes that key. */
function keyToTake(state: ConversationState, command: ConversationCommand): string | undefined {
  if (command.action === "open" && state.seq === 0) return openKeyPrefix(command.by, command.params.topic);
  const { session } = state;
  if (!session) return undefined;
  if (command.action === "push") return slotKeyPrefix(command.params.agentId, command.params.slot);
  if (command.action === "reopen" || command.action === "importOpen")
    return openKeyPrefix(session.customerId, session.topic);
  if (command.action !== "transfer" || command.params.to.topic === undefined) return undefined;
  return openKeyPrefix(session.customerId, command.params.to.topic);
}

/** Whose reading a timer asks for. */
const readerToKnow = ({ session }: ConversationState, command: ConversationCommand): string | undefined =>
  command.action === "due" && (command.params.kind === "attend" || command.params.kind === "accept")
    ? session?.agentId
    : undefined;

function staleBase(state: ConversationState, command: ConversationCommand): number | undefined {
  if (command.action !== "send" || command.params.baseSeq === undefined || command.params.force) return undefined;
  return colleagueWroteAfter(state, command.by, command.params.baseSeq) ? command.params.baseSeq : undefined;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
