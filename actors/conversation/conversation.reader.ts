import type { Static } from "@sinclair/typebox";
import { ParleyError } from "../../lib/errors";
import type { Message, WireEvent } from "../../services/schemas";
import { type Audience, isA, maySee, type StoredEvent, toWire } from "./conversation.events";
import { type ConversationState, type Standing, standingIn } from "./conversation.state";
import type { ConversationStore } from "./conversation.store";

export type WireMessage = Static<typeof Message>;

/** What authorises a read: this user's audience, valid at `through`; nothing beyond that seq is returned. */
export interface Authorised {
  readonly state: ConversationState;
  readonly audience: Audience;
  readonly through: number;
}

export interface SyncAnswer {
  readonly events: WireEvent[];
  readonly reset: string[];
  readonly more: boolean;
  /** The conversations that are complete in this answer: their seq, and the audience they were read as. */
  readonly complete: Record<string, { readonly through: number; readonly standing: Audience }>;
}

/** Every read of a conversation by a user goes through `authorise`. */
export class ConversationReader {
  constructor(
    private readonly store: ConversationStore,
    private readonly readState: (id: string, deadline: number) => Promise<ConversationState>,
    /** Like `readState`, and as new as the log was when asked. */
    private readonly readHead: (id: string, deadline: number) => Promise<ConversationState>,
  ) {}

  /** @throws ParleyError NOT_FOUND alike for a conversation that is missing and one that is not the user's */
  async authorise(id: string, userId: string, deadline: number): Promise<Authorised> {
    const known = await this.grant(await this.readState(id, deadline), userId);
    const granted = known ?? (await this.grant(await this.readHead(id, deadline), userId));
    if (!granted) throw new ParleyError("NOT_FOUND");
    return granted;
  }

  /** Messages of a page, oldest first. `before` and `after` are exclusive. */
  async history(
    { state, audience, through }: Authorised,
    page: { before?: number; after?: number; limit: number },
  ): Promise<{ messages: WireMessage[]; hasMore: boolean }> {
    const range = { after: page.after ?? 0, before: Math.min(page.before ?? through + 1, through + 1) };
    const forward = page.after !== undefined && page.before === undefined;
    const found = await this.store.messages(state.id, audience, range, forward ? 1 : -1, page.limit + 1);
    const hasMore = found.length > page.limit;
    const created = found.slice(0, page.limit).sort((a, b) => a.seq - b.seq);
    const changes = await this.store.changesOf(
      state.id,
      created.map(({ seq }) => seq),
    );
    const messages = toMessages(
      created,
      changes.filter((event) => event.seq <= through && maySee(event, audience)),
    );
    return { messages, hasMore };
  }

  /** The events after each cursor, ascending, in pages; `reset` where the client must load afresh. */
  async sync(userId: string, cursors: Readonly<Record<string, number>>, deadline: number): Promise<SyncAnswer> {
    const answer = {
      events: [] as WireEvent[],
      reset: [] as string[],
      more: false,
      complete: {} as SyncAnswer["complete"],
    };
    const granted = await Promise.all(
      Object.entries(cursors).map(async ([id, cursor]) => ({
        id,
        cursor,
        access: await this.grant(await this.readHead(id, deadline), userId),
      })),
    );
    let room = SYNC_PAGE;
    for (const { id, cursor, access } of granted) {
      if (!access || cursor > access.through || access.through - cursor > SYNC_REACH) {
        answer.reset.push(id);
        continue;
      }
      const { audience, through } = access;
      // Only what the user may see counts: a page of nothing else would never let the cursor move.
      const found =
        room > 0 && cursor < through ? await this.store.readVisible(id, audience, cursor, room, through) : [];
      const complete = cursor === through || found.length < room;
      room -= found.length;
      for (const event of found) answer.events.push(toWire(event, audience));
      if (complete) answer.complete[id] = { through, standing: audience };
      else answer.more = true;
    }
    return answer;
  }

  private async grant(state: ConversationState, userId: string): Promise<Authorised | undefined> {
    const { standing, seq } = await this.standing(state, userId);
    if (state.seq === 0 || standing === "none") return undefined;
    return { state, audience: standing, through: Math.max(state.seq, seq) };
  }

  private async standing(state: ConversationState, userId: string): Promise<{ standing: Standing; seq: number }> {
    const known = standingIn(state, userId);
    if (known !== undefined) return { standing: known, seq: 0 };
    const [member] = await this.store.standings(state.id, [userId]);
    return member ?? { standing: "none", seq: 0 };
  }
}

/** Events in one answer of `sync`, before those the user may not see are left out. */
const SYNC_PAGE = 1_000;
/** Further behind than this a client loads afresh. */
const SYNC_REACH = 50_000;

/** Messages as clients see them: what was created, with what later events made of it. Pure. */
export function toMessages(created: readonly StoredEvent[], changes: readonly StoredEvent[]): WireMessage[] {
  const messages = new Map(
    created.flatMap((event) => (isA(event, "message.created") ? [[event.seq, toMessage(event)]] : [])),
  );
  for (const change of changes) {
    const message = "seq" in change.data ? messages.get(change.data.seq) : undefined;
    if (message) apply(message, change);
  }
  return [...messages.values()];
}

function toMessage(event: StoredEvent<"message.created">): WireMessage {
  const { conversationId, seq, _id, at, by, data } = event;
  return { conversationId, seq, id: _id, at: new Date(at).toISOString(), by, ...data };
}

function apply(message: WireMessage, change: StoredEvent): void {
  const at = new Date(change.at).toISOString();
  if (isA(change, "message.edited")) {
    message.text = change.data.text;
    message.editedAt = at;
  } else if (change.type === "message.deleted") {
    delete message.text;
    delete message.attachments;
    delete message.reactions;
    message.deletedAt = at;
  } else if (isA(change, "reaction.added")) {
    // Without a prototype: an emoji may be called `constructor`.
    const reactions = (message.reactions ??= Object.create(null) as Record<string, string[]>);
    (reactions[change.data.emoji] ??= []).push(change.by);
  } else if (isA(change, "reaction.removed")) {
    removeReaction(message, change.data.emoji, change.by);
  }
}

function removeReaction(message: WireMessage, emoji: string, by: string): void {
  const left = message.reactions?.[emoji]?.filter((userId) => userId !== by) ?? [];
  if (!message.reactions) return;
  if (left.length > 0) message.reactions[emoji] = left;
  else delete message.reactions[emoji];
  if (Object.keys(message.reactions).length === 0) delete message.reactions;
}
