import type { Conversations } from "../../actors/conversation/conversation.actor";
import type { Audience } from "../../actors/conversation/conversation.events";
import type { Authorised } from "../../actors/conversation/conversation.reader";
import type { Watermark } from "../../actors/conversation/conversation.watermarks";
import type { ConversationState } from "../../actors/conversation/conversation.state";
import { fromSnapshot } from "../../actors/conversation/conversation.snapshot";
import { type Member, memberId } from "../../actors/conversation/conversation.store";
import type { Filter } from "../../lib/store/collection";
import { cursorAt, following } from "../../lib/store/cursor";

import { type ConversationView, conversationView } from "../conversation-views";
import type { OtherCores } from "../other-cores";

export interface Page {
  readonly conversations: ConversationView[];
  readonly cursor?: string;
}

/** What the projections say of a user's conversations. */
export class ConversationLists {
  constructor(
    private readonly conversations: Conversations,
    private readonly others?: Pick<OtherCores, "project" | "peek">,
  ) {}

  /** One page of a user's conversations, the newest joined first, with whatever was answered before this call. */
  async page(userId: string, params: { cursor?: string; limit?: number }, deadline: number): Promise<Page> {
    const { limit = 50 } = params;
    if (params.cursor === undefined) await this.others?.project({ userIds: [userId] });
    const found = await this.joined(userId, limit + 1, params.cursor);
    const members = found.slice(0, limit);
    const [states, watermarks] = await Promise.all([
      this.states(
        members.map(({ conversationId }) => conversationId),
        deadline,
      ),
      this.conversations.receipts.of(
        userId,
        members.map(({ conversationId }) => conversationId),
      ),
    ]);
    const byId = new Map(watermarks.map((watermark) => [watermark._id, watermark]));
    const conversations = await Promise.all(
      members.flatMap(({ conversationId, standing, _id }) => {
        const state = states.get(conversationId);
        if (!state || standing === "none") return [];
        return [this.withUnread(state, standing, state.seq, userId, byId.get(_id))];
      }),
    );
    const last = members.at(-1);
    return found.length > limit && last ? { conversations, cursor: cursorAt(last.at, last._id) } : { conversations };
  }

  /** One conversation as the user it was authorised for sees it. */
  async view({ state, audience, through }: Authorised, userId: string): Promise<ConversationView> {
    const [watermark] = await this.conversations.receipts.of(userId, [state.id]);
    return this.withUnread(state, audience, through, userId, watermark);
  }

  /** Where a user may see events live, the newest joined first; bounded. */
  async memberships(
    userId: string,
  ): Promise<Array<{ conversationId: string; standing: Audience; since: number; through: number }>> {
    // Snapshots first: a member document read later is valid at the snapshot's seq or after it.
    const before = await this.joined(userId, MAX_ROOMS);
    const ids = before.map(({ conversationId }) => conversationId);
    const snapshots = await this.conversations.store.conversations.find({ _id: { $in: ids } });
    const members = await this.conversations.store.members.find({
      _id: { $in: ids.map((id) => memberId(id, userId)) },
    });
    const applied = new Map(snapshots.map(({ _id, appliedSeq }) => [_id, appliedSeq]));
    return members.flatMap(({ conversationId, standing, seq }) =>
      standing === "none"
        ? []
        : [{ conversationId, standing, since: seq, through: Math.max(seq, applied.get(conversationId) ?? 0) }],
    );
  }

  /** Which of these users are in a conversation with the user. */
  async sharing(userId: string, userIds: readonly string[]): Promise<string[]> {
    const mine = (await this.joined(userId, MAX_ROOMS)).map(({ conversationId }) => conversationId);
    const shared = await Promise.all(
      userIds.map(async (other) => {
        if (other === userId) return true;
        const theirs = await this.conversations.store.members.findOne({
          _id: { $in: mine.map((id) => memberId(id, other)) },
          active: true,
        });
        return theirs !== undefined;
      }),
    );
    return userIds.filter((_other, at) => shared[at]);
  }

  private async joined(userId: string, limit: number, cursor?: string): Promise<Member[]> {
    const { projector, store } = this.conversations;
    if (projector.lags(userId)) await projector.write();
    const filter: Filter = { userId, active: true, ...following("at", "descending", cursor) };
    return store.members.find(filter, { sort: { at: -1, _id: -1 }, limit });
  }

  /** The newest states at hand: of activations, else of the snapshots, else by loading. */
  private async states(ids: readonly string[], deadline: number): Promise<Map<string, ConversationState>> {
    const { host, store } = this.conversations;
    const states = new Map<string, ConversationState>();
    const active = this.others ? await this.others.peek(ids) : [];
    for (const state of active) states.set(state.id, state);
    const cold = ids.filter((id) => !states.has(id));
    const snapshots = cold.length > 0 ? await store.conversations.find({ _id: { $in: cold } }) : [];
    for (const snapshot of snapshots) states.set(snapshot._id, fromSnapshot(snapshot));
    const unknown = cold.filter((id) => !states.has(id));
    await Promise.all(unknown.map(async (id) => states.set(id, await host.read(id, deadline))));
    return states;
  }

  private async withUnread(
    state: ConversationState,
    standing: Audience,
    through: number,
    userId: string,
    watermark: Watermark | undefined,
  ): Promise<ConversationView> {
    const unread = await this.unread(state.id, standing, watermark?.readSeq ?? 0, through, userId);
    return conversationView(state, { watermark, unread, staff: standing === "staff" });
  }

  private async unread(
    id: string,
    standing: Audience,
    readSeq: number,
    through: number,
    userId: string,
  ): Promise<number> {
    if (readSeq >= through) return 0;
    const { events } = this.conversations.store;
    const all: Filter = { conversationId: id, seq: { $gt: readSeq, $lte: through }, type: "message.created" };
    const visible: Filter = standing === "staff" ? all : { ...all, audience: "all" };
    const [total, own] = await Promise.all([
      events.count(visible, COUNTED),
      events.count({ ...visible, by: userId }, COUNTED),
    ]);
    return Math.min(Math.max(total - own, 0), MAX_UNREAD);
  }
}

/** Rooms that one socket joins at connect; the newest joined ones. */
const MAX_ROOMS = 2_000;
const MAX_UNREAD = 100;
/** Messages looked at for an unread count; own ones are among them. */
const COUNTED = 1_000;
