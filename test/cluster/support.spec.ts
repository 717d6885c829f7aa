import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Socket } from "socket.io-client";
import type { WireMessage } from "../../actors/conversation/conversation.messages";
import type { ExportRecord } from "../../services/bulk/bulk.contract";
import type { SessionView } from "../../services/conversation-views";
import type { WireEvent } from "../../services/schemas";
import type { StatisticsRow } from "../../services/statistics/tally";
import type { CountsOfTopic } from "../../services/supervision/desk-counters";
import type { TestUser } from "../support/api";
import { ParleyClient } from "../support/client";
import { TestCluster } from "../support/cluster";
import { readLog } from "../support/history";
import { emit, openSocket } from "../support/invoke";
import { runProgram } from "../support/program";
import { type Answer, rest } from "../support/rest";
import { expectTranscript, type Speaker, TRANSCRIPT_FORMATS } from "../support/transcript";
import { until } from "../support/wait";

jest.setTimeout(150_000);

const TOPICS = ["cards", "loans"];
const CUSTOMERS = 12;
const LIVES_AT_ONCE = 6;
const IMPORTED = 24;
const REPLIES = 5;
const LINES = 120;
/** After it nothing is behind because a core node died. */
const REPAIRED_MS = 45_000;
const HOUR_MS = 3_600_000;

interface Person extends TestUser {
  readonly client: ParleyClient;
}
type Token = Pick<TestUser, "token">;

let cluster: TestCluster;
let folder: string;
let admin: Token;
/** Agents, where the customers are: on the one io node. */
let ada: Person;
let ben: Person;
/** A supervisor who joins, on the other io node. */
let sam: Person;
/** A supervisor whom nobody sees, on the other io node. */
let sue: TestUser & { readonly socket: Socket };
const stops: Array<() => unknown> = [];

const command = () => ({ commandId: crypto.randomUUID() });
const gateway = (number: 1 | 2): string => cluster.node(`gateway-${number}`).url;
const ask = (through: 1 | 2, method: string, path: string, { token }: Token, body?: object): Promise<Answer> =>
  rest(gateway(through), method, path, token, body);

async function connect(user: TestUser, node: string): Promise<Person> {
  const client = await ParleyClient.open({ url: cluster.node(node).url, user: user.id, token: user.token });
  stops.push(() => client.close());
  return { ...user, client };
}

async function plain(node: string, { token }: Token): Promise<Socket> {
  const socket = await openSocket(cluster.node(node).url, token);
  stops.push(() => socket.disconnect());
  return socket;
}

async function get<T>(socket: Socket, event: string, data: object): Promise<T> {
  const outcome = await emit(socket, event, data);
  if (!outcome.ok) throw new Error(`${event}: ${JSON.stringify(outcome.error)}`);
  return outcome.data as T;
}

const customers = (count: number): Promise<Person[]> =>
  Promise.all(Array.from({ length: count }, async () => connect(await cluster.guest(), "io-1")));
async function customer(): Promise<Person> {
  return connect(await cluster.guest("Carl <b>"), "io-1");
}

/** A session that the customer has opened and the agent has claimed. */
async function served(by: Person, agent: Person, topic: string): Promise<string> {
  const opening = { ...command(), topic, text: "Hello" };
  const { id } = await by.client.command<SessionView>("session.open", opening);
  await agent.client.command("session.claim", { ...command(), sessionId: id });
  return id;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "parley-support-"));
  const replies = { LIMIT_REPLIES: String(REPLIES) };
  cluster = await TestCluster.start({ gateway: 2, io: 2, core: 3, scheduler: 1, env: replies });
  admin = { token: await cluster.adminToken() };
  const agents = await cluster.users(2, ["agent"]);
  const supervisors = await cluster.users(2, ["supervisor"]);
  [ada, ben] = (await Promise.all(agents.map((agent) => connect(agent, "io-1")))) as [Person, Person];
  const [unseen, joining] = supervisors as [TestUser, TestUser];
  sam = await connect(joining, "io-2");
  sue = { ...unseen, socket: await plain("io-2", unseen) };
  for (const agent of agents) await cluster.goOnline(agent);
}, 120_000);

afterAll(async () => {
  for (const stop of stops) stop();
  await cluster.stop();
  rmSync(folder, { recursive: true });
});

describe("the live counters", () => {
  it("on one io node follow what happens through the other", async () => {
    const described = { version: 0, name: "Counted", urgency: "normal", mode: "pull", skills: ["counting"] };
    (await ask(1, "PUT", "/topics/counted", admin, described)).expect(200);
    (await ask(2, "PUT", `/agents/${ada.id}`, admin, { skills: ["counting"] })).expect(200);
    const [anna, bert] = (await customers(2)) as [Person, Person];
    const open = ({ client }: Person) =>
      client.command<SessionView>("session.open", { ...command(), topic: "counted", text: "Hello" });
    const first = await open(anna);
    const desk = await follow(sue.socket);
    const shows = (topic: string, counts: Partial<CountsOfTopic>) =>
      until(`${topic} has ${JSON.stringify(counts)}`, () => isLike(desk.of(topic), counts));
    expect(desk.online()).toBe(2);
    const waits = { waiting: 1, assigned: 0, closing: 0, agents: 1 };
    expect(desk.of("counted")).toMatchObject({ ...waits, waitingSince: since(first) });

    const second = await open(bert);
    await shows("counted", { waiting: 2, waitingSince: since(first) });
    await ada.client.command("session.claim", { ...command(), sessionId: first.id });
    await shows("counted", { waiting: 1, assigned: 1, waitingSince: since(second) });
    const onward = { ...command(), sessionId: first.id, to: { topic: "moved" } };
    const moved = await ada.client.command<SessionView>("session.transfer", onward);
    await shows("moved", { waiting: 1, assigned: 0, waitingSince: since(moved) });
    await shows("counted", { waiting: 1, assigned: 0 });
    for (const [{ client }, { id }] of [
      [anna, first],
      [bert, second],
    ] as const)
      await client.command("session.close", { ...command(), sessionId: id });
    for (const topic of ["counted", "moved"]) await shows(topic, NOTHING_OPEN);
    expect(desk.gaps()).toEqual([]);
  });
});

interface Frame {
  readonly seq: number;
  readonly prevSeq?: number;
  readonly agents?: number;
  readonly topics: readonly CountsOfTopic[];
}

const NOTHING_OPEN = { waiting: 0, assigned: 0, closing: 0 };
const since = ({ enteredAt, openedAt }: SessionView): string => enteredAt ?? openedAt;
const isLike = (value: object | undefined, wanted: object): boolean =>
  value !== undefined &&
  Object.entries(wanted).every(([name, one]) => (value as Record<string, unknown>)[name] === one);

/** What a client makes of the answer and the frames that follow it. */
async function follow(socket: Socket) {
  const frames: Frame[] = [];
  socket.on("counters", (frame: Frame) => frames.push(frame));
  const snapshot = await get<Frame>(socket, "desk.counters", { subscribe: true });
  const told = (): Frame[] => [snapshot, ...frames.filter(({ seq }) => seq > snapshot.seq)];
  return {
    of: (topic: string) =>
      told()
        .flatMap((frame) => frame.topics.filter((counts) => counts.topic === topic))
        .at(-1),
    online: () => told().at(-1)?.agents,
    /** Frames that do not follow the one before. */
    gaps: () => told().filter(({ prevSeq }, at, all) => at > 0 && prevSeq !== all[at - 1]?.seq),
  };
}

/** A session from its opening to its rating. */
interface Life {
  readonly by: Person;
  readonly agent: Person;
  readonly topic: string;
  readonly answers: number;
  readonly score: number;
}

async function live({ by, agent, topic, answers, score }: Life): Promise<void> {
  const sessionId = await served(by, agent, topic);
  for (let n = 1; n <= answers; n++) await agent.client.send(sessionId, `answer ${n}`);
  await by.client.send(sessionId, "Thank you");
  await agent.client.command("session.close", { ...command(), sessionId });
  await by.client.command("session.rate", { ...command(), sessionId, score });
}

const range = { from: new Date(Date.now() - HOUR_MS).toISOString(), to: new Date(Date.now() + HOUR_MS).toISOString() };
async function statistics(through: 1 | 2, query: object): Promise<StatisticsRow[]> {
  const path = `/statistics?${new URLSearchParams({ ...range, ...query }).toString()}`;
  return (await ask(through, "GET", path, sue)).expect<{ rows: StatisticsRow[] }>(200).rows;
}
/** Of the topics of the lives: all, and by agent. */
const report = (through: 1 | 2): Promise<StatisticsRow[][]> =>
  Promise.all(
    TOPICS.flatMap((topic) => [{ topic }, { topic, per: "agent" }]).map((query) => statistics(through, query)),
  );

/** What statistics say of some lives; in those of agents nobody opens a session, or says anything before it is served. */
function expectedOf(lives: readonly Life[], agentId?: string): object {
  const count = lives.length;
  const sum = (of: (life: Life) => number): number => lives.map(of).reduce((a, b) => a + b, 0);
  const counted = expect.objectContaining({ count }) as unknown;
  return {
    ...(agentId === undefined ? { opened: count } : { agentId, opened: 0 }),
    ...{ assigned: count, active: count, closed: count, open: 0, abandoned: 0, returned: 0, transferred: 0 },
    messages: { customer: agentId === undefined ? 2 * count : count, staff: sum(({ answers }) => answers) },
    ...{ firstResponse: counted, wait: counted, handle: counted },
    rating: { count, average: Math.round((sum(({ score }) => score) / count) * 100) / 100 },
  };
}

describe("statistics", () => {
  it("have each session once when a core node is killed, and are the same when they are made afresh", async () => {
    const desk = await follow(sue.socket);
    const people = await customers(CUSTOMERS);
    const lives = TOPICS.flatMap((topic) =>
      people.map((by, at): Life => {
        const agent = at % 3 === 0 ? ben : ada;
        return { by, agent, topic, answers: 1 + (at % 3), score: 1 + (at % 5) };
      }),
    );
    let done = 0;
    const killed = until("a third is done", () => done > lives.length / 3, 60_000).then(() =>
      cluster.node("core-1").restart("SIGKILL"),
    );
    const left = lives.values();
    const lane = async (): Promise<void> => {
      for (const life of left) {
        await live(life);
        done++;
      }
    };
    await Promise.all([...Array.from({ length: LIVES_AT_ONCE }, lane), killed]);

    const rated = (rows: readonly StatisticsRow[]): number => rows.reduce((sum, { rating }) => sum + rating.count, 0);
    const complete = async () => rated(await statistics(1, { per: "topic" })) === lives.length;
    await until("every rating is counted", complete, REPAIRED_MS);
    const before = await report(1);
    for (const [at, topic] of TOPICS.entries()) {
      const ofTopic = lives.filter((life) => life.topic === topic);
      expect(before[2 * at]).toMatchObject([expectedOf(ofTopic)]);
      const byAgent = [ada, ben].map(({ id }) =>
        expectedOf(
          ofTopic.filter(({ agent }) => agent.id === id),
          id,
        ),
      );
      expect(byId(before[2 * at + 1])).toMatchObject(byId(byAgent));
    }

    // Those that a dead node has not projected yet are left out; two more were opened to be counted.
    const everything = `The statistics of ${lives.length + 2} sessions are new.`;
    const rebuild = async (): Promise<boolean> => {
      const { code, output } = await runProgram("stats-rebuild", gateway(2), folder, "--restart");
      expect([code, output]).toEqual([0, expect.stringContaining("sessions are new.")]);
      return output.includes(everything);
    };
    await until("all are made afresh", rebuild, REPAIRED_MS);
    expect(await report(2)).toEqual(before);

    for (const topic of TOPICS)
      await until(`${topic} has no open sessions`, () => isLike(desk.of(topic), NOTHING_OPEN), REPAIRED_MS);
    expect(desk.gaps()).toEqual([]);
    const afresh = await follow(await plain("io-1", sam));
    for (const topic of TOPICS) expect(afresh.of(topic)).toBeUndefined();
  });
});

const byId = <T extends object>(rows: readonly T[] = []): T[] => {
  const idOf = (row: T): string => (row as { agentId?: string }).agentId ?? "";
  return [...rows].sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
};

const SOURCE = "old desk";
const at = (second: number): string => new Date(Date.UTC(2024, 0, 1, 0, 0, second)).toISOString();
const RANGE_OF_IMPORT = { from: at(0), to: at(86_400) };

/** A conversation of another system, as an export writes it. */
function talk(n: number): ExportRecord[] {
  const id = `talk-${String(n).padStart(4, "0")}`;
  const [customerId, agent] = [`customer-${n}`, `agent-${n % 3}`];
  const message = (second: number, by: string, text: string): ExportRecord => ({
    ...{ type: "message", conversation: id, id: `${id}/${second}`, at: at(n + second), by, text },
  });
  const conversation: ExportRecord = {
    ...{ type: "conversation", source: SOURCE, id, openedAt: at(n), closedAt: at(n + 9), status: "closed" },
    ...{ topic: "imported", urgency: "high", subject: `Subject ${n}`, reason: "done", agent },
    ...{ customer: { id: customerId, name: `Carl ${n}` }, agents: [{ id: agent, name: `Ada ${n % 3}` }] },
  };
  const note: ExportRecord = { ...message(3, agent, "He is late"), note: true } as ExportRecord;
  return [conversation, message(1, customerId, `Hello ${n}`), message(2, agent, "Hi"), note];
}

const textOf = (records: readonly ExportRecord[]): string => records.map((one) => `${JSON.stringify(one)}\n`).join("");
const sorted = (records: readonly ExportRecord[]): ExportRecord[] => {
  const idOf = (one: ExportRecord): string => (one.type === "conversation" ? one.id : one.id);
  return [...records].sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
};

async function exported(through: 1 | 2): Promise<ExportRecord[]> {
  const file = `export-${crypto.randomUUID()}.jsonl`;
  expect(await runProgram("export", gateway(through), folder, file)).toMatchObject({ code: 0 });
  const lines = readFileSync(join(folder, file), "utf8").split("\n").filter(Boolean);
  const records = lines.map((line) => JSON.parse(line) as ExportRecord);
  const ids = new Set(records.flatMap((one) => (one.type === "conversation" && one.source === SOURCE ? one.id : [])));
  return records.filter((one) => ids.has(one.type === "conversation" ? one.id : one.conversation));
}

describe("import and export", () => {
  it("have every row once, however often it is imported, and leave the figures of the others alone", async () => {
    const before = await report(1);
    const records = Array.from({ length: IMPORTED }, (_, n) => talk(n)).flat();
    const file = join(folder, "desk.jsonl");
    writeFileSync(file, textOf(records));
    const imported = `${3 * IMPORTED} messages of ${IMPORTED} conversations imported\n`;
    for (const through of [1, 2] as const) {
      const answer = await runProgram("import", gateway(through), folder, file);
      expect(answer).toMatchObject({ code: 0, output: imported });
      // Where it stopped is told by a journal; without it all is given again.
      rmSync(`${file}.imported`);
    }
    expect(await report(2)).toEqual(before);

    const whole = async () => (await exported(1)).length >= records.length;
    await until("everything is exported", whole, REPAIRED_MS);
    for (const through of [1, 2] as const) expect(sorted(await exported(through))).toEqual(sorted(records));
    const ofImport = { ...RANGE_OF_IMPORT, topic: "imported" };
    const counted = async () => (await statistics(2, ofImport))[0]?.closed === IMPORTED;
    await until("every imported session is counted", counted, REPAIRED_MS);
    expect(await statistics(1, ofImport)).toMatchObject([{ opened: IMPORTED, open: 0, wait: { count: 0 } }]);
  });
});

describe("a session that is watched", () => {
  it("on another node shows what its staff see to nobody's knowledge, and a whisper reaches them only", async () => {
    const carl = await customer();
    const conversationId = await served(carl, ada, "watched");
    const seen: WireEvent[] = [];
    sue.socket.on("events", (events: readonly WireEvent[]) => seen.push(...events));
    const watch = (on: boolean) =>
      get<{ seq: number; messages: WireMessage[] }>(sue.socket, "session.watch", { sessionId: conversationId, on });
    const begun = await watch(true);
    expect(begun.messages.map(({ text }) => text)).toEqual(["Hello"]);

    await carl.client.send(conversationId, "A question");
    await ada.client.send(conversationId, "A note", undefined, { audience: "staff" });
    await sam.client.command("conversation.join", { ...command(), conversationId });
    await sam.client.send(conversationId, "A whisper", undefined, { audience: "staff", whisper: true });
    const { seq } = await ada.client.send(conversationId, "An answer");
    await Promise.all([carl, ada].map(({ client }) => client.reaches(conversationId, seq)));
    await until("the supervisor sees it", () => seen.some((event) => event.seq === seq));

    const log = await readLog(cluster, conversationId, ada);
    expect(seen.map(essence)).toEqual(log.filter((event) => event.seq > begun.seq).map(essence));
    expect(textsOf(ada.client.events(conversationId))).toEqual([
      ...["Hello", "A question", "A note", "A whisper", "An answer"],
    ]);
    expect(ada.client.events(conversationId)).toContainEqual(
      expect.objectContaining({ audience: "staff", data: { text: "A whisper", whisper: true } }),
    );
    expect(textsOf(carl.client.events(conversationId))).toEqual(["Hello", "A question", "An answer"]);
    expect((await history(conversationId, carl)).map(({ text }) => text)).toEqual(["Hello", "A question", "An answer"]);
    await ben.client.request("conversation.list", {});
    expect(ben.client.events(conversationId)).toEqual([]);
    const shown = [carl, ada, ben].flatMap(({ client }) => [client.heard, client.events(conversationId)]);
    expect(JSON.stringify(shown)).not.toContain(sue.id);
    const { entries } = (await ask(2, "GET", `/audit?target=${conversationId}`, admin)).expect<{ entries: object[] }>(
      200,
    );
    expect(entries).toMatchObject([{ by: sue.id, action: "session.watch", target: conversationId }]);

    await watch(false);
    const { seq: last } = await carl.client.send(conversationId, "Nobody listens");
    await sam.client.reaches(conversationId, last);
    await get(sue.socket, "conversation.list", {});
    expect(seen.at(-1)?.seq).toBe(seq);
  });
});

const essence = ({ seq, prevSeq, type, by, audience, data }: WireEvent) => ({ seq, prevSeq, type, by, audience, data });
const textsOf = (events: readonly WireEvent[]) =>
  events.flatMap(({ type, data }) => (type === "message.created" ? [data["text"]] : []));

/** Everything that a member may read of a conversation. */
async function history(conversationId: string, reader: Token): Promise<WireMessage[]> {
  const found: WireMessage[] = [];
  for (let more = true; more;) {
    const path = `/conversations/${conversationId}/messages?limit=100&after=${found.at(-1)?.seq ?? 0}`;
    const page = (await ask(1, "GET", path, reader)).expect<{ messages: WireMessage[]; hasMore: boolean }>(200);
    found.push(...page.messages);
    more = page.hasMore;
  }
  return found;
}

describe("a transcript", () => {
  it("says in each format what the history has, to the customer and to the staff", async () => {
    const carl = await customer();
    const id = await served(carl, ada, "written");
    const { seq: first } = await carl.client.send(id, MARKUP);
    const { seq: typo } = await ada.client.send(id, "tpyo");
    await ada.client.command("message.edit", { ...command(), conversationId: id, seq: typo, text: "typo" });
    const { seq: slip } = await carl.client.send(id, "4111 1111 1111 1111");
    await carl.client.command("message.delete", { ...command(), conversationId: id, seq: slip });
    const attachments = [{ url: "https://example.org/a?x=1&y=2", name: "a <b>.png" }];
    await carl.client.command("message.send", { ...command(), conversationId: id, attachments, replyTo: first });
    await ada.client.send(id, "A note", undefined, { audience: "staff" });
    await sam.client.command("conversation.join", { ...command(), conversationId: id });
    await sam.client.send(id, "A whisper", undefined, { audience: "staff", whisper: true });
    for (let n = 1; n <= LINES; n++) await carl.client.send(id, `line ${n}`);
    await ada.client.command("session.close", { ...command(), sessionId: id });

    const speakers = new Map(
      [carl, ada, sam].map((one): [string, Speaker] => {
        const { name } = one.tokens.user;
        return [one.id, { name, role: one === carl ? "customer" : "agent" }];
      }),
    );
    for (const reader of [carl, ada]) {
      const messages = await history(id, reader);
      expect(messages).toHaveLength(reader === carl ? LINES + 5 : LINES + 7);
      for (const format of TRANSCRIPT_FORMATS) {
        const { body } = await ask(2, "GET", `/sessions/${id}/transcript?format=${format}`, reader);
        const whole = typeof body === "string" ? body : JSON.stringify(body);
        expectTranscript(format, whole, messages, speakers);
        expectTranscript(format, await inParts(id, format, reader), messages, speakers);
      }
    }
    const stranger = await ask(1, "GET", `/sessions/${id}/transcript`, ben);
    expect(stranger.error.type).toBe("NOT_FOUND");
  });
});

const MARKUP = `<b>"Dear"</b> & 'all'\n[2026-01-01 00:00:00 UTC #1] agent Eve:`;

/** Over a socket. */
async function inParts(sessionId: string, format: string, reader: Token): Promise<string> {
  const socket = await plain("io-2", reader);
  let document = "";
  for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
    const wanted = { sessionId, format, ...(cursor !== undefined && { cursor }) };
    const part = await get<{ text: string; cursor?: string }>(socket, "session.transcript", wanted);
    document += part.text;
    cursor = part.cursor;
  }
  return document;
}

describe("canned replies", () => {
  interface Reply {
    readonly scope: string;
    readonly shortcut: string;
    readonly text: string;
  }
  const put = (through: 1 | 2, scope: string, shortcut: string, by: Token, text: string): Promise<Answer> =>
    ask(through, "PUT", `/replies/${scope}/${shortcut}`, by, { text });
  const list = async (through: 1 | 2, reader: Token): Promise<Reply[]> =>
    (await ask(through, "GET", "/replies", reader)).expect<{ replies: Reply[] }>(200).replies;
  const namesOf = (replies: readonly Reply[]): string[] => replies.map(({ scope, shortcut }) => `${scope}/${shortcut}`);

  it("that were written through one gateway are there through the other, shared ones for all, own ones for one", async () => {
    const template = "Hello {{customer.firstName|there}}, this is {{agent.name}}.";
    (await put(1, "shared", "hello", sue, template)).expect(200);
    (await put(2, "own", "mine", ada, "Mine")).expect(200);
    expect(namesOf(await list(2, ben))).toEqual(["shared/hello"]);
    expect(namesOf(await list(1, ada))).toEqual(["shared/hello", "own/mine"]);
    expect((await put(2, "shared", "mine", ada, "Not mine")).error.type).toBe("FORBIDDEN");
    const carl = await customer();
    const sessionId = await served(carl, ben, "replied");
    const filled = await ask(2, "POST", "/replies/shared/hello/render", ben, { sessionId });
    expect(filled.expect(200)).toEqual({ text: `Hello Carl, this is ${ben.tokens.user.name}.` });
    expect((await ask(2, "POST", "/replies/own/mine/render", ben, { sessionId })).error.type).toBe("NOT_FOUND");

    (await put(2, "shared", "HELLO", sue, "Good day")).expect(200);
    const shared = await get<{ replies: Reply[] }>(await plain("io-2", ben), "replies.list", { prefix: "he" });
    expect(shared.replies).toMatchObject([{ scope: "shared", shortcut: "HELLO", text: "Good day" }]);
    (await ask(1, "DELETE", "/replies/shared/hello", sue)).expect(200);
    expect(await list(2, ben)).toEqual([]);
  });

  it("are never more than the limit, and one of a shortcut, however many are written through both", async () => {
    const through = (n: number): 1 | 2 => (n % 2 === 0 ? 1 : 2);
    const same = Array.from({ length: 12 }, (_, n) => put(through(n), "own", "same", ben, `text ${n}`));
    for (const answer of await Promise.all(same)) answer.expect(200);
    const others = Array.from({ length: 3 * REPLIES }, (_, n) => put(through(n), "own", `other-${n}`, ben, "text"));
    const outcomes = (await Promise.all(others)).map((answer) => (answer.status === 200 ? "ok" : answer.error.type));
    expect(outcomes.filter((outcome) => outcome === "ok")).toHaveLength(REPLIES - 1);
    expect(new Set(outcomes)).toEqual(new Set(["ok", "LIMIT_REACHED"]));
    for (const reader of [1, 2] as const) {
      const shortcuts = namesOf(await list(reader, ben));
      expect(shortcuts).toHaveLength(REPLIES);
      expect(shortcuts.filter((name) => name === "own/same")).toHaveLength(1);
    }
  });
});
