import type { CommandRef, LogPort, Verdict } from "../../lib/actor/ports";
import type { Collection, CollectionDefinition, Filter, Store } from "../../lib/store/collection";
import type { KeyFact, Target } from "./conversation.commands";
import type { Audience, StoredEvent } from "./conversation.events";
import { nextKey } from "./conversation.keys";
import { fromSnapshot, type Snapshot } from "./conversation.snapshot";
import { type ConversationState, emptyState, fold, type Standing } from "./conversation.state";
import { toTarget } from "./conversation.target";
import { findAny, verdictsOf } from "./conversation.verdicts";
import { type Watermark, WATERMARKS } from "./conversation.watermarks";

export const EVENTS: CollectionDefinition = {
  name: "events",
  indexes: [
    { fields: { conversationId: 1, seq: 1 }, unique: true },
    { fields: { by: 1, commandId: 1, conversationId: 1 }, unique: true },
    { fields: { key: 1 }, unique: true, sparse: true },
    { fields: { endsOpen: 1 }, sparse: true },
    { fields: { endsSlot: 1 }, sparse: true },
    { fields: { incarnation: 1, flush: 1 } },
    { fields: { about: 1 }, sparse: true },
  ],
};

export const CONVERSATIONS: CollectionDefinition = {
  name: "conversations",
  indexes: [
    { fields: { "session.status": 1, "session.openedAt": 1 } },
    { fields: { "session.customerId": 1, "session.openedAt": 1 } },
    { fields: { "session.agentId": 1, "session.status": 1 } },
    { fields: { "session.topic": 1, "session.status": 1, "session.rank": 1, _id: 1 } },
    { fields: { "session.status": 1, "session.rank": 1, _id: 1 } },
  ],
};

export const MEMBERS: CollectionDefinition = {
  name: "members",
  indexes: [{ fields: { userId: 1, active: 1, at: -1 } }, { fields: { conversationId: 1, active: 1 } }],
};

/** A user's standing in one conversation; a tombstone with `active: false` after leaving. */
export interface Member {
  _id: string;
  conversationId: string;
  userId: string;
  standing: Standing;
  active: boolean;
  /** The event that gave this standing. */
  seq: number;
  /** Its time, in wall-clock milliseconds. */
  at: number;
}

export const memberId = (conversationId: string, userId: string): string => `${conversationId}/${userId}`;
const aboutId = (conversationId: string, seq: number): string => `${conversationId}/${seq}`;

/** All reads and writes of a conversation's log, snapshot and members. Reads see only what is durable. */
export class ConversationStore implements LogPort<StoredEvent> {
  readonly events: Collection<StoredEvent>;
  readonly conversations: Collection<Snapshot>;
  readonly members: Collection<Member>;
  private readonly watermarks: Collection<Watermark>;

  constructor(store: Store) {
    this.events = store.collection(EVENTS);
    this.conversations = store.collection(CONVERSATIONS);
    this.members = store.collection(MEMBERS);
    this.watermarks = store.collection(WATERMARKS);
  }

  insert(documents: readonly StoredEvent[]): Promise<void> {
    return this.events.insertMany(documents);
  }

  verify(documents: readonly StoredEvent[]): Promise<Verdict[]> {
    return verdictsOf(this.events, documents);
  }

  async heads(streams: readonly string[]): Promise<number[]> {
    return Promise.all(
      streams.map(async (conversationId) => {
        const last = await this.events.findOne({ conversationId }, { sort: { seq: -1 }, fresh: true });
        return last?.seq ?? 0;
      }),
    );
  }

  async commands(commands: readonly CommandRef[]): Promise<Array<StoredEvent | undefined>> {
    // Who asks for the head alone names no command.
    const named = commands.filter(({ commandId }) => commandId !== "");
    const found = await findAny(
      this.events,
      named.map(({ by, commandId, stream }) => ({ by, commandId, conversationId: stream })),
      { fresh: true },
    );
    return commands.map(({ by, commandId, stream }) =>
      found.find((event) => event.by === by && event.commandId === commandId && event.conversationId === stream),
    );
  }

  /** The events that any of these commands of a user made, in whatever conversation. */
  async commandAnywhere(by: string, commandIds: readonly string[]): Promise<StoredEvent[]> {
    return this.events.find({ by, commandId: { $in: commandIds } }, { fresh: true });
  }

  /** Snapshot, then every event after it. `found` are those events. */
  async load(id: string): Promise<{ state: ConversationState; found: readonly StoredEvent[] }> {
    const snapshot = await this.conversations.findOne({ _id: id });
    let state = snapshot ? fromSnapshot(snapshot) : emptyState(id);
    const found: StoredEvent[] = [];
    for (;;) {
      const page = await this.readAfter(id, state.seq, LOAD_PAGE);
      state = fold(state, page);
      found.push(...page);
      if (page.length < LOAD_PAGE) return { state, found };
    }
  }

  /** Events with `seq > after`, ascending. */
  readAfter(conversationId: string, after: number, limit: number, through?: number): Promise<StoredEvent[]> {
    const seq = through === undefined ? { $gt: after } : { $gt: after, $lte: through };
    return this.events.find({ conversationId, seq }, { sort: { seq: 1 }, limit });
  }

  /** Like `readAfter`, and only what this audience may see. */
  readVisible(id: string, audience: Audience, after: number, limit: number, through: number): Promise<StoredEvent[]> {
    const filter: Filter = { conversationId: id, seq: { $gt: after, $lte: through } };
    return this.events.find(audience === "staff" ? filter : { ...filter, audience }, { sort: { seq: 1 }, limit });
  }

  /**
   * The events of the flushes `from` to `to` of a node's incarnation, in log order and a page at a time: whole flushes,
   * of which the last is `through`; `to` when nothing is left. Whatever was acknowledged before is among them: nobody
   * looks again.
   */
  async readFlushPage(
    incarnation: string,
    from: number,
    to: number,
  ): Promise<{ events: StoredEvent[]; through: number }> {
    const filter: Filter = { incarnation, flush: { $gte: from, $lte: to } };
    const found = await this.events.find(filter, { sort: { flush: 1 }, limit: FLUSH_PAGE, fresh: true });
    const cut = found.length < FLUSH_PAGE ? undefined : found.at(-1)?.flush;
    const events = cut === undefined ? found : found.filter(({ flush }) => flush < cut);
    return { events: events.sort(inLogOrder), through: cut === undefined ? to : cut - 1 };
  }

  /**
   * Several `readAfter` at once: for each the events and whether there are more. Those at the head of their logs, which
   * is most of them, cost one query together. Nothing that was acknowledged before is missing: for io nodes, which take
   * the head that is read for the head there is.
   */
  async readPages(reads: readonly PageRead[]): Promise<EventPage[]> {
    const found = reads.length > 1 ? await this.readTogether(reads) : undefined;
    return Promise.all(
      reads.map(async ({ conversationId, after, limit }) => {
        const events = found
          ? found.filter((event) => event.conversationId === conversationId && event.seq > after)
          : await this.events.find(beyond(conversationId, after), { ...IN_ORDER, limit: limit + 1, fresh: true });
        return { events: events.slice(0, limit), more: events.length > limit };
      }),
    );
  }

  /** What all of them have, in order; undefined when that is much. */
  private async readTogether(reads: readonly PageRead[]): Promise<StoredEvent[] | undefined> {
    const filters = reads.map(({ conversationId, after }) => beyond(conversationId, after));
    const found = await this.events.find({ $or: filters }, { limit: FEW + 1, fresh: true });
    return found.length > FEW ? undefined : found.sort((a, b) => a.seq - b.seq);
  }

  /** Messages that this audience may see with a seq strictly inside the range. */
  messages(
    conversationId: string,
    audience: Audience,
    range: { after: number; before: number },
    order: 1 | -1,
    limit: number,
  ): Promise<StoredEvent[]> {
    const filter: Filter = { conversationId, seq: { $gt: range.after, $lt: range.before }, type: "message.created" };
    return this.events.find(audience === "staff" ? filter : { ...filter, audience }, { sort: { seq: order }, limit });
  }

  /** Edits, deletions and reactions of these messages, in log order. */
  async changesOf(conversationId: string, seqs: readonly number[]): Promise<StoredEvent[]> {
    if (seqs.length === 0) return [];
    const found = await this.events.find({ about: { $in: seqs.map((seq) => aboutId(conversationId, seq)) } });
    return found.sort((a, b) => a.seq - b.seq);
  }

  /** The event at a seq with what has become of it, also by events that are not durable yet. */
  async target(
    conversationId: string,
    seq: number,
    mine: { by: string; emoji?: string },
    undurable: readonly StoredEvent[],
  ): Promise<Target | undefined> {
    const [event, changes] = await Promise.all([
      this.events.findOne({ conversationId, seq }),
      this.changesOf(conversationId, [seq]),
    ]);
    const target = event ?? undurable.find((other) => other.seq === seq);
    if (!target) return undefined;
    const about = aboutId(conversationId, seq);
    const known = new Set(changes.map(({ _id }) => _id));
    const all = [...changes, ...undurable.filter((other) => other.about === about && !known.has(other._id))];
    return toTarget(target, all, mine);
  }

  /** See `nextKey`. */
  nextKey(prefix: string): Promise<KeyFact> {
    return nextKey(this.events, prefix);
  }

  /** The newest event with a seq of at most `seq` that every member sees: its seq, 0 when there is none. */
  async lastForAll(conversationId: string, seq: number): Promise<number> {
    const filter: Filter = { conversationId, seq: { $lte: seq }, audience: "all" };
    const found = await this.events.findOne(filter, { sort: { seq: -1 } });
    return found?.seq ?? 0;
  }

  /** How far a member has read. */
  async readSeq(conversationId: string, userId: string): Promise<number> {
    const watermark = await this.watermarks.findOne({ _id: memberId(conversationId, userId) });
    return watermark?.readSeq ?? 0;
  }

  /** Member documents of these users, with the seq of each. */
  standings(conversationId: string, userIds: readonly string[]): Promise<Member[]> {
    return this.members.find({ _id: { $in: userIds.map((userId) => memberId(conversationId, userId)) } });
  }
}

export interface PageRead {
  readonly conversationId: string;
  readonly after: number;
  readonly limit: number;
}

export interface EventPage {
  readonly events: StoredEvent[];
  readonly more: boolean;
}

const LOAD_PAGE = 1_000;
/** More than any flush has, so that there is a whole one in each page. */
const FLUSH_PAGE = 1_000;
/** So many events are worth reading for several conversations at once. */
const FEW = 200;

const IN_ORDER = { sort: { seq: 1 } } as const;
const beyond = (conversationId: string, after: number): Filter => ({ conversationId, seq: { $gt: after } });

const inLogOrder = (a: StoredEvent, b: StoredEvent): number =>
  a.flush - b.flush ||
  (a.conversationId < b.conversationId ? -1 : a.conversationId > b.conversationId ? 1 : a.seq - b.seq);
