import type { ConversationStore } from "../../actors/conversation/conversation.store";
import type { Clock, Monotonic } from "../../lib/actor/ports";
import { sideBySide } from "../../lib/side-by-side";
import type { Collection, CollectionDefinition, Document, Store } from "../../lib/store/collection";
import { SESSION_STATUSES } from "../schemas";

/** How far making all facts afresh has come. Times are wall-clock milliseconds. */
export interface RebuildDocument extends Document {
  readonly startedAt: number;
  /** The last conversation that was looked at. */
  readonly cursor: string;
  readonly done: number;
  readonly total: number;
  readonly finished: boolean;
}

export const REBUILDS: CollectionDefinition = { name: "rebuilds", indexes: [] };

const ID = "session_facts";
const PAGE = 100;
const AT_ONCE = 4;
/** A part ends after so long. */
const PART_MS = 2_000;
/** Sessions are counted no further. */
const MAX_COUNT = 100_000_000;

export interface RebuildPorts {
  readonly conversations: ConversationStore["conversations"];
  readonly clock: Pick<Clock, "now">;
  readonly monotonic: Monotonic;
  /** Resolves when `conversations` has every session that was opened before. */
  projected(): Promise<void>;
  /** Writes the facts of one session afresh. */
  make(conversationId: string): Promise<void>;
}

/**
 * Makes the facts of all sessions afresh, in parts. How far it is, is in the store: whoever asks next goes on. Two that
 * go on at the same time do some of it twice.
 */
export class Rebuild {
  readonly #rebuilds: Collection<RebuildDocument>;

  constructor(
    store: Store,
    private readonly ports: RebuildPorts,
  ) {
    this.#rebuilds = store.collection<RebuildDocument>(REBUILDS);
  }

  /** Does the next part. What is finished begins again. */
  async next(restart: boolean): Promise<RebuildDocument> {
    const { monotonic } = this.ports;
    let state = await this.begun(restart);
    for (const end = monotonic() + PART_MS; !state.finished && monotonic() < end;) {
      state = await this.page(state);
      const { _id, ...rest } = state;
      await this.#rebuilds.updateOne({ _id }, { $set: rest }, { upsert: true });
    }
    return state;
  }

  private async begun(restart: boolean): Promise<RebuildDocument> {
    const known = await this.#rebuilds.findOne({ _id: ID });
    if (known && !known.finished && !restart) return known;
    await this.ports.projected();
    const statuses = { "session.status": { $in: SESSION_STATUSES } };
    const total = await this.ports.conversations.count(statuses, MAX_COUNT);
    return { _id: ID, startedAt: this.ports.clock.now(), cursor: "", done: 0, total, finished: false };
  }

  private async page(state: RebuildDocument): Promise<RebuildDocument> {
    const { conversations, make } = this.ports;
    const found = await conversations.find({ _id: { $gt: state.cursor } }, { sort: { _id: 1 }, limit: PAGE });
    const sessions = found.filter(({ session }) => session !== undefined);
    await sideBySide(sessions, AT_ONCE, ({ _id }) => make(_id));
    return {
      ...state,
      cursor: found.at(-1)?._id ?? state.cursor,
      done: state.done + sessions.length,
      finished: found.length < PAGE,
    };
  }
}
