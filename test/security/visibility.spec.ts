import type { Socket } from "socket.io-client";
import { maySee, type StoredEvent } from "../../actors/conversation/conversation.events";
import { EVENTS } from "../../actors/conversation/conversation.store";
import { resourcesOf } from "../../lib/resources";
import type { WireEvent } from "../../services/schemas";
import { rest } from "../support/rest";
import { ask, type Login, type Reply, type SocketNode, startSocketNode } from "../support/socket-node";
import { until } from "../support/wait";

/** In every note, whisper and reason, in the name of the rule that lifts the session, and in nothing else. */
const SECRET = "xyzzy-4711";
/** What the customer asks for, and what the rule lifts it to. */
const URGENCY = { all: "high", staff: "urgent" } as const;
const UNKNOWN_SEQ = 9_999;

const NAMES = ["carol", "anna", "ben", "sue", "wim", "otto", "dave"] as const;
/** The customer; who serves; who served; who joined visibly; who watches; another agent; another customer. */
type Name = (typeof NAMES)[number];
const MEMBERS = { carol: "all", anna: "staff", sue: "staff" } as const;
type Member = keyof typeof MEMBERS;
/** The seq of the event that let each of them in. */
const SINCE: Readonly<Record<Member, number>> = { carol: 1, anna: 8, sue: 9 };

/** Somebody with one socket, and all that it was ever sent. */
class Person {
  readonly received: unknown[] = [];
  readonly events: WireEvent[] = [];

  constructor(
    readonly login: Login,
    readonly socket: Socket,
    private readonly url: string,
  ) {
    socket.onAny((name: string, data: unknown) => {
      this.received.push(data);
      if (name === "events") this.events.push(...(data as WireEvent[]));
    });
  }

  async asks<T>(event: string, data: object): Promise<Reply<T>> {
    const reply = await ask<T>(this.socket, event, { commandId: crypto.randomUUID(), ...data });
    this.received.push(reply);
    return reply;
  }

  async gets<T>(event: string, data: object): Promise<T> {
    const reply = await this.asks<T>(event, data);
    if (!reply.ok) throw new Error(`${event}: ${JSON.stringify(reply.error)}`);
    return reply.data;
  }

  async fetches<T>(method: string, path: string, body?: object): Promise<T> {
    const answer = await rest(this.url, method, path, this.login.token, body);
    this.received.push(answer.body);
    return answer.expect<T>(200);
  }

  heard(name: string): unknown[] {
    const all: unknown[] = [];
    this.socket.on(name, (data: unknown) => all.push(data));
    return all;
  }
}

describe("who may not see an event learns nothing of it", () => {
  let node: SocketNode;
  let id: string;
  let log: StoredEvent[];
  const people = new Map<Name, Person>();
  const the = (name: Name): Person => people.get(name) as Person;

  const visible = (name: Member): StoredEvent[] => log.filter((event) => maySee(event, MEMBERS[name]));
  const messages = (name: Member): number[] =>
    visible(name)
      .filter(({ type }) => type === "message.created")
      .map(({ seq }) => seq);
  const seqs = (events: ReadonlyArray<{ seq: number }>): number[] => events.map(({ seq }) => seq);
  const lastOf = (name: Member): number => visible(name).at(-1)?.seq ?? 0;
  const hidden = (): StoredEvent[] => log.filter((event) => !maySee(event, "all"));

  const readLog = (): Promise<StoredEvent[]> =>
    resourcesOf(node.broker)
      .store.collection<StoredEvent>(EVENTS)
      .find({ conversationId: id }, { sort: { seq: 1 } });

  beforeAll(async () => {
    node = await startSocketNode();
    for (const name of NAMES) {
      const roles = { anna: "agent", ben: "agent", otto: "agent", sue: "supervisor", wim: "supervisor" } as const;
      const login = name in roles ? await node.user(roles[name as keyof typeof roles]) : await node.user();
      people.set(name, new Person(login, await node.connect(login), node.url));
    }
    await the("otto").gets("session.queue", { subscribe: true });
    const { token } = await node.user("admin");
    const rule = { words: ["hello"], urgency: URGENCY.staff };
    (await rest(node.url, "PUT", `/keywords/rule-${SECRET}`, token, rule)).expect(200);
    await tell();
    log = await readLog();
    for (const name of Object.keys(MEMBERS) as Member[])
      await until(`${name} has it`, () => the(name).events.at(-1)?.seq === lastOf(name));
  }, 60_000);

  afterAll(() => node.stop());

  /** A session with public messages, notes, whispers, all that can be done to them, and hand-overs. */
  async function tell(): Promise<void> {
    const [carol, anna, ben, sue, wim] = [the("carol"), the("anna"), the("ben"), the("sue"), the("wim")];
    ({ id } = await carol.gets<{ id: string }>("session.open", { urgency: URGENCY.all, text: "hello" }));
    await until("it is lifted", async () => (await readLog()).some(({ type }) => type === "session.reclassified"));
    const say = async (who: Person, text: string, more: object = {}): Promise<number> =>
      (await who.gets<{ seq: number }>("message.send", { conversationId: id, text, ...more })).seq;
    const note = (who: Person, more: object = {}) => say(who, SECRET, { audience: "staff", ...more });
    const session = (who: Person, action: string, more: object) =>
      who.gets(`session.${action}`, { sessionId: id, ...more });
    const on = (seq: number, more: object = {}) => ({ conversationId: id, seq, ...more });

    await session(ben, "claim", { reason: SECRET });
    await note(ben);
    await say(ben, "one moment");
    await session(ben, "return", { reason: SECRET });
    await session(anna, "claim", {});
    await sue.gets("conversation.join", { conversationId: id });
    await session(wim, "watch", { on: true });
    const question = await say(carol, "what is it?");
    const noted = await note(anna);
    await note(sue, { whisper: true });
    await anna.gets("message.edit", on(noted, { text: `${SECRET} again` }));
    await sue.gets("message.react", on(noted, { emoji: "eyes", on: true }));
    await say(anna, SECRET, { replyTo: noted });
    await anna.gets("message.delete", on(await note(anna)));
    await say(anna, "a moment");
    await carol.gets("message.edit", on(question, { text: "what was it?" }));
    await anna.gets("message.react", on(question, { emoji: "+1", on: true }));
    await session(anna, "transfer", { to: { agentId: ben.login.id }, note: SECRET });
    await session(ben, "transfer", { to: { agentId: anna.login.id }, note: SECRET });
    await session(anna, "attend", {});
    await note(sue);
  }

  type Sync = { events: WireEvent[]; reset: string[] };
  type History = { messages: Array<{ seq: number }>; hasMore: boolean };
  type Seen = { lastSeq: number; urgency: string };
  type Listed = Seen & { id: string; unread: number; readSeq: number; lastMessage: { seq: number }; session?: Seen };

  /** Every way in which a member reads what is in the log: the seqs that it gives, and those that it should. */
  const PATHS: Readonly<Record<string, (who: Person, name: Member) => Promise<[unknown, unknown]>>> = {
    "live events": async (who, name) => [seqs(who.events), seqs(visible(name)).filter((seq) => seq >= SINCE[name])],
    "sync over a socket": async (who, name) => [
      seqs((await who.gets<Sync>("conversation.sync", { cursors: { [id]: 0 } })).events),
      seqs(visible(name)),
    ],
    "sync over REST": async (who, name) => [
      seqs((await who.fetches<Sync>("POST", "/conversations/sync", { cursors: { [id]: 0 } })).events),
      seqs(visible(name)),
    ],
    "sync from wherever": async (who, name) => {
      const from = seqs(visible(name));
      const answers = from.map((seq) => who.gets<Sync>("conversation.sync", { cursors: { [id]: seq } }));
      const expected = from.map((seq) => from.filter((other) => other > seq));
      return [(await Promise.all(answers)).map(({ events }) => seqs(events)), expected];
    },
    "sync from beyond the end": async (who, name) => {
      const beyond = [1, 2, 3, 4, 5].map((more) => lastOf(name) + more);
      const answers = beyond.map((seq) => who.gets<Sync>("conversation.sync", { cursors: { [id]: seq } }));
      return [(await Promise.all(answers)).map(({ reset }) => reset), beyond.map(() => [id])];
    },
    history: async (who, name) => [
      seqs((await who.gets<History>("message.history", { conversationId: id })).messages),
      messages(name),
    ],
    "history over REST": async (who, name) => [
      seqs((await who.fetches<History>("GET", `/conversations/${id}/messages`)).messages),
      messages(name),
    ],
    "history before each seq": async (who, name) => {
      const pages = log.map(({ seq: before }) =>
        who.gets<History>("message.history", { conversationId: id, before, limit: 2 }),
      );
      const expected = log.map(({ seq }) => messages(name).filter((other) => other < seq));
      return [
        (await Promise.all(pages)).map((page) => [seqs(page.messages), page.hasMore]),
        expected.map((earlier) => [earlier.slice(-2), earlier.length > 2]),
      ];
    },
    "history after each seq": async (who, name) => {
      const pages = log.map(({ seq: after }) =>
        who.gets<History>("message.history", { conversationId: id, after, limit: 2 }),
      );
      const expected = log.map(({ seq }) => messages(name).filter((other) => other > seq));
      return [
        (await Promise.all(pages)).map((page) => [seqs(page.messages), page.hasMore]),
        expected.map((later) => [later.slice(0, 2), later.length > 2]),
      ];
    },
    "the list": async (who, name) => {
      const { conversations } = await who.gets<{ conversations: Listed[] }>("conversation.list", {});
      return [summary(conversations.find((one) => one.id === id)), expectedSummary(name)];
    },
    "the conversation": async (who, name) => [
      summary(await who.fetches<Listed>("GET", `/conversations/${id}`)),
      expectedSummary(name),
    ],
    "the session": async (who, name) => [
      seen(await who.fetches<Seen>("GET", `/sessions/${id}`)),
      expectedSession(name),
    ],
    "the list of sessions": async (who, name) => {
      const { sessions } = await who.fetches<{ sessions: Listed[] }>("GET", "/sessions?limit=100");
      return [seen(sessions.find((one) => one.id === id)), expectedSession(name)];
    },
    "an existing session that is opened": async (who, name) => {
      if (name !== "carol") return [0, 0];
      return [seen(await who.gets<Seen>("session.open", {})), expectedSession(name)];
    },
    transcripts: async (who, name) => {
      const parts = ["json", "html", "text"].map((format) =>
        who.gets<{ text: string }>("session.transcript", { sessionId: id, format }),
      );
      const [json, html, text] = (await Promise.all(parts)).map((part) => part.text);
      type Transcript = { session: Seen; entries: Array<{ seq: number; kind: string }> };
      const { session, entries } = JSON.parse(json ?? "") as Transcript;
      const foreign = seqs(entries).filter((seq) => !seqs(visible(name)).includes(seq));
      const secrets = [html, text].map((document) => document?.includes(SECRET));
      const said = entries.filter(({ kind }) => kind === "message");
      const knows = name !== "carol";
      return [
        [seen(session), seqs(said), foreign, secrets],
        [expectedSession(name), messages(name), [], [knows, knows]],
      ];
    },
  };

  const seen = (session: Seen | undefined) => session && [session.lastSeq, session.urgency];
  const expectedSession = (name: Member) => [lastOf(name), URGENCY[MEMBERS[name]]];
  const summary = (view: Listed | undefined) =>
    view && [view.lastSeq, view.unread, view.lastMessage.seq, seen(view.session)];
  const expectedSummary = (name: Member) => {
    const unread = visible(name).filter((event) => event.type === "message.created" && event.by !== the(name).login.id);
    return [lastOf(name), unread.length, messages("carol").at(-1), expectedSession(name)];
  };

  const cells = Object.keys(PATHS).flatMap((path) =>
    (Object.keys(MEMBERS) as Member[]).map((name) => [path, name] as const),
  );
  it.each(cells)("%s gives %s what the one rule says", async (path, name) => {
    const [given, expected] = (await PATHS[path]?.(the(name), name)) ?? [];
    expect(given).toEqual(expected);
  });

  it.each(["carol", "anna", "sue"] as const)("chains what %s gets by prevSeq, without a gap", (name) => {
    const chain = the(name).events.map(({ prevSeq }) => prevSeq);
    const before = seqs(visible(name)).filter((seq) => seq < SINCE[name]);
    expect(chain).toEqual([before.at(-1) ?? 0, ...seqs(the(name).events).slice(0, -1)]);
  });

  it("gives who watches unseen what the staff get", () => {
    expect(seqs(the("wim").events)).toEqual(seqs(log).filter((seq) => seq > SINCE.sue));
  });

  it("gives who supervises from outside the messages and the transcript of the staff", async () => {
    const wim = the("wim");
    const found: number[] = [];
    for (let before = UNKNOWN_SEQ, more = true; more; before = found[0] ?? 0) {
      const page = await wim.gets<History>("session.history", { sessionId: id, before, limit: 2 });
      found.unshift(...seqs(page.messages));
      more = page.hasMore;
    }
    expect(found).toEqual(messages("sue"));
    const { messages: over } = await wim.fetches<History>("GET", `/sessions/${id}/messages?after=0`);
    expect(seqs(over)).toEqual(messages("sue"));
    const document = (who: Person) => who.fetches<{ entries: unknown[] }>("GET", `/sessions/${id}/transcript`);
    expect(await document(wim)).toEqual(await document(the("sue")));
  });

  it("answers a customer about a note as about nothing", async () => {
    const carol = the("carol");
    const bare = (reply: Reply): unknown => (reply.ok ? reply : { ...reply.error, requestId: "" });
    for (const { seq } of hidden()) {
      for (const [event, more] of [
        ["message.send", { text: "and?", replyTo: seq }],
        ["message.edit", { seq, text: "mine" }],
        ["message.delete", { seq }],
        ["message.react", { seq, emoji: "+1", on: true }],
      ] as const) {
        const unknown = { ...more, ...("replyTo" in more ? { replyTo: UNKNOWN_SEQ } : { seq: UNKNOWN_SEQ }) };
        const [told, nothing] = [
          await carol.asks(event, { conversationId: id, ...more }),
          await carol.asks(event, { conversationId: id, ...unknown }),
        ];
        expect([event, bare(told)]).toEqual([event, bare(nothing)]);
        expect(told).toMatchObject({ ok: false, error: { type: "NOT_FOUND" } });
      }
    }
    expect(await readLog()).toEqual(log);
  });

  it("tells an agent of the notes in a stale view, and a customer of nothing", async () => {
    const stale = { conversationId: id, text: "late", baseSeq: SINCE.sue };
    const refused = await the("anna").asks("message.send", stale);
    const missed = (refused.ok ? undefined : refused.error.data)?.["events"] as WireEvent[];
    expect(seqs(missed)).toEqual(seqs(log).filter((seq) => seq > SINCE.sue));
  });

  it("names in receipts to a customer what the customer sees", async () => {
    const [carol, anna, sue] = [the("carol"), the("anna"), the("sue")];
    const [customers, staff] = [carol.heard("receipts"), sue.heard("receipts")];
    const note = hidden().find(({ seq }) => seq > 9)?.seq ?? 0;
    const before = messages("carol").findLast((seq) => seq < note);
    expect(await sue.gets("receipt.read", { conversationId: id, seq: note })).toEqual({ seq: note });
    await until("it is told", () => customers.length > 0 && staff.length > 0);
    const receipt = (userId: string, seq: number) => ({ userId, readSeq: seq, deliveredSeq: seq });
    expect(customers[0]).toEqual({ conversationId: id, receipts: [receipt(sue.login.id, before ?? 0)] });
    expect(staff[0]).toEqual({ conversationId: id, receipts: [receipt(sue.login.id, note)] });

    await anna.gets("receipt.read", { conversationId: id, seq: UNKNOWN_SEQ });
    await until("it is told, too", () => customers.length > 1);
    expect(customers[1]).toEqual({ conversationId: id, receipts: [receipt(anna.login.id, lastOf("carol"))] });
    expect(await carol.gets("receipt.read", { conversationId: id, seq: UNKNOWN_SEQ })).toEqual({
      seq: lastOf("carol"),
    });
  });

  it("ends each part of a customer's transcript at what the customer sees", async () => {
    const [dave, ben] = [the("dave"), the("ben")];
    const { id: long } = await dave.gets<{ id: string }>("session.open", { topic: "long" });
    await ben.gets("session.claim", { sessionId: long });
    const says = (who: Person, more: object = {}) =>
      who.gets<{ seq: number }>("message.send", { conversationId: long, text: SECRET, ...more });
    for (let n = 0; n < 100; n++) await says(dave, { text: "and another thing" });
    const { seq: note } = await says(ben, { audience: "staff" });
    const part = await dave.gets<{ cursor?: string }>("session.transcript", { sessionId: long });
    expect(part.cursor).toMatch(/\d/);
    expect(
      part.cursor
        ?.split(/\D+/)
        .map(Number)
        .filter((seq) => seq >= note),
    ).toEqual([]);
  });

  it("fills in a canned reply with what the customer may read", async () => {
    const anna = the("anna");
    const reply = { scope: "own", shortcut: "urgency" };
    await anna.gets("replies.put", { ...reply, text: "{{session.urgency}}" });
    expect(await anna.gets("replies.render", { ...reply, sessionId: id })).toEqual({ text: URGENCY.all });
  });

  it("tells of typing a note to the staff, and of nothing else", async () => {
    const [carol, anna, sue] = [the("carol"), the("anna"), the("sue")];
    const [customers, staff] = [carol.heard("typing"), sue.heard("typing")];
    await anna.gets("typing", { conversationId: id, on: true, audience: "staff" });
    await anna.gets("typing", { conversationId: id, on: true });
    await until("both are told", () => staff.length === 2 && customers.length > 0);
    expect(customers).toEqual([{ conversationId: id, userId: anna.login.id, on: true }]);
    const asked = await carol.asks("typing", { conversationId: id, on: true, audience: "staff" });
    expect(asked).toMatchObject({ ok: false, error: { type: "FORBIDDEN" } });
  });

  it.each(["ben", "otto", "dave"] as const)("keeps all of it from %s, who is no member", async (name) => {
    const who = the(name);
    const left = log.findLast((event) => event.by === the("ben").login.id)?.seq ?? 0;
    expect(who.events.filter(({ conversationId, seq }) => conversationId === id && seq > left)).toEqual([]);
    expect(await who.gets("conversation.sync", { cursors: { [id]: 0 } })).toMatchObject({ events: [], reset: [id] });
    for (const [event, more] of [
      ["message.history", {}],
      ["message.send", { text: "hello" }],
      ["receipt.read", { seq: 1 }],
      ["typing", { on: true }],
      ["session.transcript", { sessionId: id }],
    ] as const) {
      const told = await who.asks(event, { conversationId: id, ...more });
      expect([event, told]).toMatchObject([event, { ok: false, error: { type: "NOT_FOUND" } }]);
    }
  });

  it.each(["carol", "otto", "dave"] as const)("has never sent anything of a note to %s", async (name) => {
    const notes = hidden();
    expect(notes.length).toBeGreaterThan(8);
    const all = JSON.stringify(the(name).received);
    expect(all).not.toContain(SECRET);
    expect(all).not.toContain(the("wim").login.id);
    for (const { _id, commandId } of notes) {
      expect(all).not.toContain(_id);
      expect(all).not.toContain(commandId);
    }
    if (name !== "carol") return;
    expect(all).not.toContain(URGENCY.staff);
    const told = new Set(numbersIn(the(name).received));
    expect(notes.filter(({ seq }) => told.has(seq)).map(({ seq }) => seq)).toEqual([]);
  });
});

/** Whatever is called a seq, wherever it stands. */
function numbersIn(value: unknown, name = ""): number[] {
  if (typeof value === "number") return /seq|replyTo/i.test(name) ? [value] : [];
  if (Array.isArray(value)) return value.flatMap((item) => numbersIn(item, name));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([field, inner]) => numbersIn(inner, field));
}
