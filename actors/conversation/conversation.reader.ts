import { isParleyError, ParleyError } from "../../lib/errors";
import type { WireEvent } from "../../services/schemas";
import { type Audience, maySee, type StoredEvent, toWire } from "./conversation.events";
import { toMessages, type WireMessage } from "./conversation.messages";
import { fitting } from "./conversation.parts";
import { type ConversationState, type Standing, standingIn } from "./conversation.state";
import type { ConversationStore } from "./conversation.store";
import { type ConversationTail, type Page, pageOf, TAIL_EVENTS } from "./conversation.tail";

/** What authorises a read: this user's audience, valid at `through`; nothing beyond that seq is returned. */
export interface Authorised {
  readonly state: ConversationState;
  readonly audience: Audience;
  readonly through: number;
  /** The newest seq that this audience knows of: nobody is told where events end that they may not see. */
  readonly last: number;
}

export interface SyncAnswer {
  readonly events: WireEvent[];
  readonly reset: string[];
  /** There are further events, for the next call. */
  readonly more: boolean;
  /** The conversations that are complete in this answer: their seq, and the audience they were read as. */
  readonly complete: Record<string, { readonly through: number; readonly standing: Audience }>;
  /** The conversations that could not be read now: nothing is said of them. */
  readonly unread: string[];
}

/** A conversation that is to be brought from the cursor to where it was authorised. */
interface Behind extends Authorised {
  readonly cursor: number;
}

/** Every read of a conversation by a user goes through `authorise`. */
export class ConversationReader {
  constructor(
    private readonly store: ConversationStore,
    private readonly readState: (id: string, deadline: number) => Promise<ConversationState>,
    /** Like `readState`, and as new as the log was when asked. */
    private readonly readHead: (id: string, deadline: number) => Promise<ConversationState>,
    /** Where the newest events are looked for first. */
    private readonly tail?: ConversationTail,
  ) {}

  /** @throws ParleyError NOT_FOUND alike for a conversation that is missing and one that is not the user's */
  async authorise(id: string, userId: string, deadline: number): Promise<Authorised> {
    const known = await this.grant(await this.readState(id, deadline), userId);
    const granted = known ?? (await this.grant(await this.readHead(id, deadline), userId));
    if (!granted) throw new ParleyError("NOT_FOUND");
    return granted;
  }

  /**
   * Messages of a page, oldest first. `before` and `after` are exclusive. Fewer than `limit`, and `hasMore`, when they
   * are too large for one answer.
   */
  async history(
    { state, audience, through }: Omit<Authorised, "last">,
    asked: { before?: number; after?: number; limit: number },
  ): Promise<{ messages: WireMessage[]; hasMore: boolean }> {
    const forward = asked.after !== undefined && asked.before === undefined;
    const before = Math.min(asked.before ?? through + 1, through + 1);
    const page: Page = { after: asked.after ?? 0, before, forward, count: asked.limit + 1 };
    const { created, changes } =
      (await this.fromTail(state.id, audience, through, page)) ?? (await this.fromStore(state.id, audience, page));
    const shown = created.slice(0, asked.limit).sort((a, b) => a.seq - b.seq);
    const messages = toMessages(
      shown,
      changes.filter((event) => event.seq <= through && maySee(event, audience)),
    );
    const count = fitting(forward ? messages : messages.toReversed());
    return {
      messages: forward ? messages.slice(0, count) : messages.slice(messages.length - count),
      hasMore: created.length > shown.length || count < messages.length,
    };
  }

  /**
   * The events after each cursor, ascending, in pages; `reset` where the client must load afresh. A conversation that
   * cannot be read by the deadline, or because its home is too busy, is left out, in `unread`: the others do not wait.
   */
  async sync(userId: string, cursors: Readonly<Record<string, number>>, deadline: number): Promise<SyncAnswer> {
    const answer: SyncAnswer = { events: [], reset: [], more: false, complete: {}, unread: [] };
    const behind: Behind[] = [];
    await Promise.all(
      Object.entries(cursors).map(async ([id, cursor]) => {
        const access = await this.readable(id, userId, deadline);
        if (access === "unread") answer.unread.push(id);
        else if (!access || cursor > access.last || access.through - cursor > SYNC_REACH) answer.reset.push(id);
        else if (cursor < access.through) behind.push({ ...access, cursor });
        else answer.complete[id] = { through: cursor, standing: access.audience };
      }),
    );
    return fittingSync(await this.catchUp(behind, answer));
  }

  private async catchUp(behind: readonly Behind[], answer: SyncAnswer): Promise<SyncAnswer> {
    let room = SYNC_PAGE;
    for (let at = 0; at < behind.length && room > 0; at += READS_AT_ONCE) {
      const some = behind.slice(at, at + READS_AT_ONCE);
      const pages = await Promise.all(some.map((one) => this.visible(one, room)));
      for (const [index, { state, audience, through }] of some.entries()) {
        // Only what the user may see counts: a page of nothing else would never let the cursor move.
        const found = pages[index]?.slice(0, room) ?? [];
        if (found.length < room) answer.complete[state.id] = { through, standing: audience };
        room -= found.length;
        for (const event of found) answer.events.push(toWire(event, audience));
      }
    }
    return { ...answer, more: behind.some(({ state }) => !answer.complete[state.id]) };
  }

  private async visible({ state, audience, through, cursor }: Behind, limit: number): Promise<StoredEvent[]> {
    const missing = through - cursor;
    const near = missing <= TAIL_EVENTS && this.tail?.keeps(state.id);
    const tail = near ? await this.tail?.read(state.id, through, missing) : undefined;
    if (tail?.length === missing) return tail.filter((event) => maySee(event, audience)).slice(0, limit);
    return this.store.readVisible(state.id, audience, cursor, limit, through);
  }

  private async fromTail(id: string, audience: Audience, through: number, page: Page) {
    const beyond = page.forward ? 0 : through - page.before + 1;
    const wanted = page.forward ? through - page.after : beyond + page.count + AMONG_THEM;
    if (!this.tail || beyond >= TAIL_EVENTS || (page.forward && wanted > TAIL_EVENTS)) return undefined;
    const tail = await this.tail.read(id, through, Math.min(wanted, TAIL_EVENTS));
    const found = pageOf(tail, audience, page);
    const from = Math.max(0, through - TAIL_EVENTS);
    if (!found) this.tail.refill(id, () => this.store.readAfter(id, from, TAIL_EVENTS, through));
    return found;
  }

  private async fromStore(id: string, audience: Audience, page: Page) {
    const created = await this.store.messages(id, audience, page, page.forward ? 1 : -1, page.count);
    const changes = await this.store.changesOf(
      id,
      created.map(({ seq }) => seq),
    );
    return { created, changes };
  }

  private async readable(id: string, userId: string, deadline: number): Promise<Authorised | "unread" | undefined> {
    try {
      return await this.grant(await this.readHead(id, deadline), userId);
    } catch (error) {
      if (isParleyError(error) && error.retryable) return "unread";
      throw error;
    }
  }

  private async grant(state: ConversationState, userId: string): Promise<Authorised | undefined> {
    const { standing, seq } = await this.standing(state, userId);
    if (state.seq === 0 || standing === "none") return undefined;
    const through = Math.max(state.seq, seq);
    // A member document beyond the state is of an event that everybody sees.
    const last = standing === "staff" || through > state.seq ? through : state.lastAll;
    return { state, audience: standing, through, last };
  }

  private async standing(state: ConversationState, userId: string): Promise<{ standing: Standing; seq: number }> {
    const known = standingIn(state, userId);
    if (known !== undefined) return { standing: known, seq: 0 };
    const [member] = await this.store.standings(state.id, [userId]);
    return member ?? { standing: "none", seq: 0 };
  }
}

/** Events in one answer of `sync`. */
const SYNC_PAGE = 1_000;
/** Further behind than this a client loads afresh. */
const SYNC_REACH = 50_000;
const READS_AT_ONCE = 16;
/** Other events than messages that are expected among those of a page. */
const AMONG_THEM = 10;

/** Cuts an answer to what fits into one message; what is cut off comes with the next call. */
export function fittingSync(answer: SyncAnswer): SyncAnswer {
  const count = fitting(answer.events);
  if (count === answer.events.length) return answer;
  const complete = { ...answer.complete };
  for (const { conversationId } of answer.events.slice(count)) delete complete[conversationId];
  return { ...answer, complete, events: answer.events.slice(0, count), more: true };
}
