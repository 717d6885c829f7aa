import type { StoredEvent } from "../../../actors/conversation/conversation.events";
import { ANSWER_BYTES, fittingPages } from "../../../actors/conversation/conversation.parts";
import { ConversationReader, type SyncAnswer } from "../../../actors/conversation/conversation.reader";
import { type ConversationState, emptyState } from "../../../actors/conversation/conversation.state";
import { ConversationStore } from "../../../actors/conversation/conversation.store";
import { ParleyError } from "../../../lib/errors";
import type { Collection, CollectionDefinition, Document } from "../../../lib/store/collection";
import { MemoryStore } from "../../../lib/store/memory";
import { catchUp } from "../../../services/room/catch-up";

const DEADLINE = 100_000;

const message = (conversationId: string, seq: number, text: string): StoredEvent => ({
  _id: `${conversationId}/${seq}`,
  conversationId,
  seq,
  at: seq,
  by: "ada",
  commandId: `k${seq}`,
  request: "r",
  incarnation: "i",
  flush: seq,
  prevSeq: { all: seq - 1, staff: seq - 1 },
  type: "message.created",
  audience: "all",
  data: { text },
});

/** A reader over some conversations of Ada's, of which some cannot be read. */
class Rig {
  readonly store = new ConversationStore(new MemoryStore());
  readonly heads = new Map<string, number>();
  readonly failing = new Map<string, ParleyError>();
  readonly reader = new ConversationReader(this.store, () => Promise.reject(new Error("unused")), this.head.bind(this));

  async say(conversationId: string, count: number, text = "hello"): Promise<void> {
    const events = Array.from({ length: count }, (_, at) => message(conversationId, at + 1, text));
    this.heads.set(conversationId, count);
    await this.store.events.insertMany(events);
  }

  sync(cursors: Record<string, number>): Promise<SyncAnswer> {
    return this.reader.sync("ada", cursors, DEADLINE);
  }

  state(id: string): ConversationState {
    const seq = this.heads.get(id) ?? 0;
    return { ...emptyState(id), seq, lastAll: seq, members: new Map([["ada", "all"]]) };
  }

  private head(id: string): Promise<ConversationState> {
    const failure = this.failing.get(id);
    return failure ? Promise.reject(failure) : Promise.resolve(this.state(id));
  }
}

describe("what an io node reads to make good what it missed", () => {
  /** A server that leads no more answers from the past, unless it must ask the others. */
  class DeposedStore extends MemoryStore {
    override collection<T extends Document>(definition: CollectionDefinition): Collection<T> {
      const collection = super.collection<T>(definition);
      const find = collection.find.bind(collection);
      collection.find = (filter, options) => (options?.fresh ? find(filter, options) : Promise.resolve([]));
      return collection;
    }
  }

  it("is all that was acknowledged, whichever server answers", async () => {
    const store = new ConversationStore(new DeposedStore());
    await store.insert([message("a", 1, "hello"), message("b", 1, "hello")]);
    const flushes = await store.readFlushPage("i", 1, 5);
    const [alone] = await store.readPages([{ conversationId: "a", after: 0, limit: 5 }]);
    const together = await store.readPages(
      ["a", "b"].map((conversationId) => ({ conversationId, after: 0, limit: 5 })),
    );

    expect(flushes.events).toHaveLength(2);
    expect(alone?.events).toHaveLength(1);
    expect(together.map(({ events }) => events.length)).toEqual([1, 1]);
  });
});

describe("a sync of which one conversation cannot be read", () => {
  it("answers the others", async () => {
    const rig = new Rig();
    await rig.say("a", 3);
    await rig.say("b", 2);
    rig.failing.set("b", new ParleyError("TOO_BUSY"));
    const answer = await rig.sync({ a: 1, b: 0 });
    expect(answer.events.map(({ seq }) => seq)).toEqual([2, 3]);
    expect(answer).toMatchObject({ reset: [], unread: ["b"], complete: { a: { through: 3 } } });
    expect(answer.complete).not.toHaveProperty("b");
  });

  it("fails when reading fails for good", async () => {
    const rig = new Rig();
    rig.failing.set("a", new ParleyError("INTERNAL"));
    await expect(rig.sync({ a: 0 })).rejects.toMatchObject({ type: "INTERNAL" });
  });
});

describe("a sync over several homes", () => {
  const answer = (over: Partial<SyncAnswer>): SyncAnswer => ({
    events: [],
    reset: [],
    more: false,
    complete: {},
    unread: [],
    ...over,
  });
  const event = { conversationId: "a" } as SyncAnswer["events"][number];
  const sync = (homes: Record<string, () => SyncAnswer>, cursors: Record<string, number>) => {
    const asked: string[][] = [];
    const call = async (_name: string, params: object): Promise<SyncAnswer> => {
      const { at, cursors: some } = params as { at: string; cursors: object };
      asked.push(Object.keys(some));
      return (homes[at] ?? (() => answer({})))();
    };
    const homeOf = (id: string): string => (id < "m" ? "one" : "two");
    return { asked, caughtUp: catchUp({ call }, homeOf, cursors) };
  };

  it("asks each home once, for its own", async () => {
    const { asked, caughtUp } = sync({}, { a: 1, x: 1, b: 1, __proto__y: 1 });
    await caughtUp;
    expect(asked.map((ids) => ids.sort()).sort()).toEqual([["__proto__y", "a", "b"], ["x"]]);
  });

  it("says that there is more when a home does not answer", async () => {
    const homes = {
      a: () => answer({ events: [event], complete: { a: { through: 1, standing: "all" } } }),
      x: () => {
        throw new ParleyError("UNAVAILABLE");
      },
    };
    const caughtUp = await sync(homes, { a: 0, x: 0 }).caughtUp;
    expect(caughtUp).toEqual({
      events: [event],
      reset: [],
      more: true,
      complete: { a: { through: 1, standing: "all" } },
    });
  });

  it("fails, to be repeated after a pause, when there is nothing else to say", async () => {
    const homes = { a: () => answer({ complete: { a: { through: 0, standing: "all" } }, unread: ["b"] }) };
    await expect(sync(homes, { a: 0, b: 0 }).caughtUp).rejects.toMatchObject({ type: "TOO_BUSY", retryable: true });
  });
});

describe("an answer", () => {
  const LONG = "\u0001".repeat(8_000);

  it("of a sync fits into one message, and the next call goes on where it ends", async () => {
    const rig = new Rig();
    await rig.say("a", 30, LONG);
    await rig.say("b", 1);
    const seqs: number[] = [];
    const cursors = { a: 0, b: 1 };
    for (let more = true; more;) {
      const answer = await rig.sync(cursors);
      expect(JSON.stringify(answer).length).toBeLessThan(ANSWER_BYTES + 1_000);
      expect(answer.complete).toHaveProperty("b");
      if (answer.more) expect(answer.complete).not.toHaveProperty("a");
      seqs.push(...answer.events.map(({ seq }) => seq));
      cursors.a = seqs.at(-1) ?? 0;
      more = answer.more;
    }
    expect(seqs).toEqual(Array.from({ length: 30 }, (_, at) => at + 1));
  });

  it("of history has what is nearest, and tells that there is more", async () => {
    const rig = new Rig();
    await rig.say("a", 30, LONG);
    const access = { state: rig.state("a"), audience: "all" as const, through: 30 };
    const newest = await rig.reader.history(access, { limit: 30 });
    expect(newest.messages.length).toBeGreaterThan(10);
    expect(newest.messages.at(-1)?.seq).toBe(30);
    expect(newest.hasMore).toBe(true);
    const oldest = await rig.reader.history(access, { after: 0, limit: 30 });
    expect(oldest.messages[0]?.seq).toBe(1);
    expect(oldest).toMatchObject({ hasMore: true });
    expect(JSON.stringify(oldest).length).toBeLessThan(ANSWER_BYTES + 1_000);
  });

  it("that is far below the limit is not serialised to be measured", async () => {
    const rig = new Rig();
    await rig.say("a", 100, "what a hundred people may say in a line or two");
    const stringify = jest.spyOn(JSON, "stringify");
    try {
      const access = { state: rig.state("a"), audience: "all" as const, through: 100 };
      expect((await rig.reader.history(access, { limit: 100 })).messages).toHaveLength(100);
      expect((await rig.sync({ a: 0 })).events).toHaveLength(100);
      expect(stringify).not.toHaveBeenCalled();
    } finally {
      stringify.mockRestore();
    }
  });

  it("of several pages of the log fits too: what is left out is told", () => {
    const events = (id: string) => Array.from({ length: 12 }, (_, at) => message(id, at + 1, LONG));
    const pages = fittingPages([
      { events: events("a"), more: false },
      { events: [], more: false },
      { events: events("b"), more: false },
    ]);
    expect(pages.map((page) => page.more)).toEqual([false, false, true]);
    expect(pages[2]?.events.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });
});

describe("several conversations at once", () => {
  it("are read as each by itself, whether they have little or much to say", async () => {
    const rig = new Rig();
    await rig.say("a", 3);
    await rig.say("b", 0);
    await rig.say("c", 150);
    const reads = (after: number) => [
      { conversationId: "a", after: 1, limit: 10 },
      { conversationId: "b", after: 0, limit: 10 },
      { conversationId: "c", after, limit: 20 },
      { conversationId: "a", after: 2, limit: 10 },
    ];
    for (const after of [0, 140, 130]) {
      const together = await rig.store.readPages(reads(after));
      const alone = await Promise.all(reads(after).map((read) => rig.store.readPages([read])));
      expect(together).toEqual(alone.flat());
      expect(together.map(({ more }) => more)).toEqual([false, false, after === 0, false]);
    }
    await rig.say("d", 300);
    const [first] = await rig.store.readPages([
      { conversationId: "d", after: 0, limit: 5 },
      { conversationId: "a", after: 0, limit: 5 },
    ]);
    expect(first).toMatchObject({ more: true, events: [{ seq: 1 }, { seq: 2 }, { seq: 3 }, { seq: 4 }, { seq: 5 }] });
  });
});
