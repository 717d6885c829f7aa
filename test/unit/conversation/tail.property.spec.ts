import fc from "fast-check";
import { type Audience, type StoredEvent } from "../../../actors/conversation/conversation.events";
import { ConversationReader } from "../../../actors/conversation/conversation.reader";
import { type ConversationState, emptyState, fold } from "../../../actors/conversation/conversation.state";
import { ConversationStore } from "../../../actors/conversation/conversation.store";
import { ConversationTail, pageOf, TAIL_EVENTS } from "../../../actors/conversation/conversation.tail";
import type { Kv } from "../../../lib/kv/kv";
import { MemoryKv } from "../../../lib/kv/memory";
import { MemoryStore } from "../../../lib/store/memory";
import { VirtualClock } from "../../support/virtual-clock";

const ID = "c";
const MEMBERS: ReadonlyArray<readonly [string, Audience]> = [
  ["customer", "all"],
  ["agent", "staff"],
];

/** What happens in the log, one after the other; numbers name an earlier event. */
type Happening = readonly ["message" | "note" | "edit" | "delete" | "react", number];
const happening: fc.Arbitrary<Happening> = fc.tuple(
  fc.constantFrom("message", "message", "message", "note", "edit", "delete", "react"),
  fc.nat(1_000),
);

function logOf(happenings: readonly Happening[]): StoredEvent[] {
  const log: StoredEvent[] = [];
  const before = (viewer: Audience): number =>
    log.filter(({ audience }) => viewer === "staff" || audience === "all").at(-1)?.seq ?? 0;
  for (const [what, number] of [["message", 0] as const, ...happenings]) {
    const seq = log.length + 1;
    const target = (number % log.length) + 1;
    const common = { _id: `e${seq}`, conversationId: ID, seq, at: seq, by: "agent", commandId: `k${seq}` };
    const rest = {
      request: "r",
      incarnation: "i",
      flush: seq,
      prevSeq: { all: before("all"), staff: before("staff") },
    };
    const audience = what === "note" ? ("staff" as const) : ("all" as const);
    const plain = what === "message" || what === "note";
    const data =
      what === "edit"
        ? { seq: target, text: `edited ${seq}` }
        : what === "react"
          ? { seq: target, emoji: "+1" }
          : plain
            ? { text: `text ${seq}` }
            : { seq: target };
    const type = { message: "created", note: "created", edit: "edited", delete: "deleted", react: "" }[what];
    log.push({
      ...common,
      ...rest,
      type: what === "react" ? "reaction.added" : `message.${type}`,
      audience,
      data,
      ...(!plain && { about: `${ID}/${target}` }),
    } as StoredEvent);
  }
  return log;
}

/** How a log reaches the tail: pieces in any order, some twice, some lost on the way. */
interface Way {
  readonly pieces: readonly number[];
  readonly order: readonly number[];
  readonly fails: readonly boolean[];
}
const way: fc.Arbitrary<Way> = fc.record({
  pieces: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 }),
  order: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(fc.nat(30)) }),
  fails: fc.array(
    fc.nat(9).map((n) => n === 0),
    { maxLength: 20 },
  ),
});

class Rig {
  readonly clock = new VirtualClock();
  readonly kv = new MemoryKv({ clock: this.clock });
  readonly store = new ConversationStore(new MemoryStore());
  readonly tail: ConversationTail;
  asked = 0;
  private failing: boolean[] = [];

  constructor(readonly log: readonly StoredEvent[]) {
    const listPush: Kv["listPush"] = (...given) =>
      this.failing.shift() ? Promise.reject(new Error("lost")) : this.kv.listPush(...given);
    const kv = { listPush, listRead: (key: string) => this.kv.listRead(key) } as Kv;
    this.tail = new ConversationTail(kv, this.clock);
    const find = this.store.events.find.bind(this.store.events);
    this.store.events.find = (...given) => {
      this.asked += 1;
      return find(...given);
    };
  }

  async push({ pieces, order, fails }: Way): Promise<void> {
    this.failing = [...fails];
    await this.tail.read(ID, 1, 1);
    const parts: StoredEvent[][] = [];
    for (let at = 0, n = 0; at < this.log.length; n++) {
      const size = pieces[n % pieces.length] ?? 1;
      parts.push(this.log.slice(at, at + size));
      at += size;
    }
    const inOrder = order.length > 0 ? order.map((at) => parts[at % parts.length] ?? []) : parts;
    for (const part of inOrder) {
      this.tail.add(part);
      await this.clock.advance(200);
    }
    await this.clock.advance(6_000);
  }

  /** Readers of a node that has the log through `through`: with the tail, and without. */
  readers(through: number): { state: ConversationState; readers: [ConversationReader, ConversationReader] } {
    const members = new Map(MEMBERS);
    const state: ConversationState = { ...fold(emptyState(ID), this.log.slice(0, through)), members };
    const read = (): Promise<ConversationState> => Promise.resolve(state);
    const make = (tail?: ConversationTail) => new ConversationReader(this.store, read, read, tail);
    return { state, readers: [make(this.tail), make()] };
  }
}

const limit = fc.integer({ min: 1, max: 60 });
const bound = fc.option(fc.nat(220), { nil: undefined });

describe("the recent tail", () => {
  it("never answers otherwise than the store, whatever is lost, doubled or out of order", async () => {
    let fromTail = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(happening, { maxLength: 200 }),
        way,
        fc.nat(1_000),
        fc.record({ before: bound, after: bound, limit }),
        fc.constantFrom(...MEMBERS),
        async (happenings, through, lag, asked, [userId, audience]) => {
          const rig = new Rig(logOf(happenings));
          await rig.store.events.insertMany(rig.log);
          await rig.push(through);
          const end = Math.max(1, rig.log.length - (lag % 5 === 0 ? lag % 20 : 0));
          const { state, readers } = rig.readers(end);
          const [withTail, without] = readers;
          const page = {
            limit: asked.limit,
            ...(asked.before !== undefined && { before: asked.before }),
            ...(asked.after !== undefined && { after: asked.after }),
          };
          const access = { state, audience, through: end };
          const cursors = { [ID]: Math.min(asked.after ?? 0, end) };
          rig.asked = 0;
          const history = await withTail.history(access, page);
          const sync = await withTail.sync(userId, cursors, Number.MAX_SAFE_INTEGER);
          if (rig.asked === 0) fromTail += 1;
          expect(history).toEqual(await without.history(access, page));
          expect(sync).toEqual(await without.sync(userId, cursors, Number.MAX_SAFE_INTEGER));
        },
      ),
      { numRuns: 300 },
    );
    expect(fromTail).toBeGreaterThan(20);
  });

  it("has the log's page or none, however much of the log it still has", () => {
    fc.assert(
      fc.property(
        fc.array(happening, { maxLength: 30 }),
        fc.nat(30),
        fc.constantFrom<Audience>("all", "staff"),
        fc.record({
          after: fc.nat(30),
          before: fc.nat(32),
          forward: fc.boolean(),
          count: fc.integer({ min: 1, max: 8 }),
        }),
        (happenings, lost, audience, page) => {
          const log = logOf(happenings);
          const kept = pageOf(log.slice(lost), audience, page);
          if (kept) expect(kept).toEqual(pageOf(log, audience, page));
        },
      ),
      { numRuns: 3_000 },
    );
  });

  const messages = (count: number): StoredEvent[] => logOf(Array.from({ length: count - 1 }, () => ["message", 0]));
  const whole: Way = { pieces: [10], order: [], fails: [] };

  it("answers the newest page and a short absence without the store", async () => {
    const rig = new Rig(messages(300));
    await rig.push(whole);
    const { state, readers } = rig.readers(300);
    const page = await readers[0].history({ state, audience: "all", through: 300 }, { limit: 50 });
    expect(page.messages.map(({ seq }) => seq)).toEqual(Array.from({ length: 50 }, (_, at) => 251 + at));
    expect(page.hasMore).toBe(true);
    const { events } = await readers[0].sync("agent", { [ID]: 290 }, Number.MAX_SAFE_INTEGER);
    expect(events).toHaveLength(10);
    expect(rig.asked).toBe(0);
  });

  it("keeps no more than so many events", async () => {
    const rig = new Rig(messages(300));
    await rig.push(whole);
    expect(await rig.kv.listRead(`tail/${ID}`)).toHaveLength(TAIL_EVENTS);
  });

  it("is nothing to go by while it does not reach the reader's seq", async () => {
    const rig = new Rig(messages(60));
    await rig.push(whole);
    expect(await rig.tail.read(ID, 61, 10)).toEqual([]);
  });

  it("is not written for conversations that nobody reads", async () => {
    const rig = new Rig(messages(10));
    rig.tail.add(rig.log);
    await rig.clock.advance(1_000);
    expect(await rig.kv.listRead(`tail/${ID}`)).toEqual([]);
  });

  it("is filled by the first who reads history, and kept up from then on", async () => {
    const rig = new Rig(messages(200));
    await rig.store.events.insertMany(rig.log);
    const page = async (through: number): Promise<number | undefined> => {
      const { state, readers } = rig.readers(through);
      rig.asked = 0;
      const { messages } = await readers[0].history({ state, audience: "all", through }, { limit: 50 });
      return messages.at(-1)?.seq;
    };
    expect(await page(190)).toBe(190);
    expect(rig.asked).toBeGreaterThan(0);
    await rig.clock.advance(1_000);
    rig.tail.add(rig.log.slice(190));
    await rig.clock.advance(1_000);
    expect(await page(200)).toBe(200);
    expect(rig.asked).toBe(0);
  });

  it("leaves what is long to the store", async () => {
    const [small, large] = messages(2) as [StoredEvent<"message.created">, StoredEvent<"message.created">];
    const rig = new Rig([small, { ...large, data: { text: "x".repeat(9_000) } }]);
    await rig.push(whole);
    expect(await rig.tail.read(ID, 2, 10)).toEqual([]);
    expect(await rig.tail.read(ID, 1, 10)).toHaveLength(1);
  });
});

describe("a key-value store that fails", () => {
  it("is not asked again for some seconds", async () => {
    const rig = new Rig([]);
    let reads = 0;
    const listRead = (): Promise<string[]> => {
      reads += 1;
      return Promise.reject(new Error("gone"));
    };
    const tail = new ConversationTail({ listRead } as unknown as Kv, rig.clock);
    expect(await tail.read(ID, 1, 1)).toEqual([]);
    expect(await tail.read(ID, 1, 1)).toEqual([]);
    expect(reads).toBe(1);
    await rig.clock.advance(5_000);
    await tail.read(ID, 1, 1);
    expect(reads).toBe(2);
  });

  it("is not waited for when it hangs", async () => {
    const rig = new Rig([]);
    const tail = new ConversationTail({ listRead: () => new Promise(() => undefined) } as unknown as Kv, rig.clock);
    const reading = tail.read(ID, 1, 1);
    await rig.clock.advance(100);
    expect(await reading).toEqual([]);
  });
});
