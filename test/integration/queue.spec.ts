import type { Socket } from "socket.io-client";
import type { SessionView } from "../../services/conversation-views";
import { callSession } from "../../services/session/session.internal";
import { rest } from "../support/rest";
import { get, heard, outcome, type SocketNode, startSocketNode } from "../support/socket-node";
import { until } from "../support/wait";

const MINUTE = 60_000;

interface Position {
  sessionId: string;
  from: number;
  to: number;
  waitSeconds: number | null;
}
interface Frame {
  seq: number;
  prevSeq: number;
  epoch?: string;
  topic?: string;
  added: SessionView[];
  changed: SessionView[];
  removed: string[];
}
interface Snapshot {
  seq: number;
  epoch?: string;
  sessions: SessionView[];
}
interface Explanation {
  session: SessionView;
  words: string[];
  headStart: Record<string, number | string>;
  ahead?: number;
  topic: { open: boolean; opensAt?: string };
  timer?: { kind: string };
}

let node: SocketNode;
let admin: string;
let agent: Socket;
beforeAll(async () => {
  node = await startSocketNode();
  admin = (await node.user("admin")).token;
  agent = await node.connect(await node.user("agent"));
});
afterAll(() => node.stop());

const id = (): string => crypto.randomUUID();
const describeTopic = (topic: string, more: object = {}) =>
  rest(node.url, "PUT", `/topics/${topic}`, admin, {
    version: 0,
    name: topic,
    urgency: "normal",
    mode: "pull",
    ...more,
  });
const open = (customer: Socket, params: object): Promise<SessionView> =>
  get<SessionView>(customer, "session.open", { commandId: id(), ...params });
const on = <T = SessionView>(socket: Socket, event: string, sessionId: string, more: object = {}): Promise<T> =>
  get<T>(socket, event, { sessionId, commandId: id(), ...more });
const subscribe = (socket: Socket, topic?: string): Promise<Snapshot> =>
  get<Snapshot>(socket, "session.queue", { subscribe: true, ...(topic !== undefined && { topic }) });
const ids = (sessions: readonly SessionView[]): string[] => sessions.map((session) => session.id);

describe("the queue", () => {
  it("is in the order of class, tier and the customer's wish, and of time", async () => {
    const topic = id();
    await describeTopic(topic, { urgency: "high" });
    const [ann, gold, eve, silver] = await Promise.all([node.user(), node.user(), node.user(), node.user()]);
    for (const [user, tier] of [
      [gold, "gold"],
      [silver, "silver"],
    ] as const)
      (await rest(node.url, "PUT", `/users/${user.id}/tier`, admin, { tier })).expect(200);
    const opened: string[] = [];
    for (const [user, urgency] of [
      [ann, "normal"],
      [gold, "normal"],
      [eve, "urgent"],
      [silver, "normal"],
    ] as const)
      opened.push((await open(await node.connect(user), { topic, urgency })).id);
    const [first, second, third, fourth] = opened;
    const { sessions } = await subscribe(agent, topic);
    expect(ids(sessions)).toEqual([second, fourth, third, first]);
    const [best] = sessions;
    expect(Date.parse(best?.enteredAt ?? "") - (best?.rank ?? 0)).toBe((15 + 10) * MINUTE + 40_000);
  });

  it("tells the subscribers of a topic of that topic, and those of none of everything, without a gap", async () => {
    const topic = id();
    const [some, all] = [await node.connect(await node.user("agent")), await node.connect(await node.user("agent"))];
    const frames = [heard<Frame>(some, "queue"), heard<Frame>(all, "queue")] as const;
    const start = await subscribe(some, topic);
    const whole = await subscribe(all);
    expect(Object.keys(whole).sort()).toEqual(["seq", "sessions"]);
    const customer = await node.connect(await node.guest());
    const mine = await open(customer, { topic, subject: "mine" });
    const other = await open(customer, { topic: id() });
    await on(some, "session.claim", mine.id);
    await on(some, "session.return", mine.id);
    await on(some, "session.transfer", other.id).catch(() => undefined);
    await until("all have come", () => frames[0].length >= 3 && frames[1].length >= 4);
    expect(frames[0].map(({ added, removed }) => [ids(added), removed])).toEqual([
      [[mine.id], []],
      [[], [mine.id]],
      [[mine.id], []],
    ]);
    expect(new Set(frames[0].map(({ epoch }) => epoch))).toEqual(new Set([start.epoch]));
    expect(frames[0].map(({ seq, prevSeq }) => [prevSeq, seq])).toEqual(
      [0, 1, 2].map((at) => [start.seq + at, start.seq + at + 1]),
    );
    expect(frames[1].map(({ seq, prevSeq }) => seq - prevSeq)).toEqual(frames[1].map(() => 1));
    expect(frames[1].every((frame) => !("epoch" in frame) && !("topic" in frame))).toBe(true);
    const late = await subscribe(await node.connect(await node.user("agent")), topic);
    expect(ids(late.sessions)).toEqual([mine.id]);
    expect(late.sessions[0]).not.toHaveProperty("lastMessage");
  });

  it("keeps the place of a session that is given back, and gives the one of the new topic to one that is handed on", async () => {
    const [topic, urgent] = [id(), id()];
    await describeTopic(urgent, { urgency: "urgent" });
    const customer = await node.connect(await node.guest());
    const first = await open(customer, { topic, urgency: "high" });
    const { rank } = (await subscribe(agent, topic)).sessions[0] ?? {};
    await on(agent, "session.claim", first.id);
    expect((await on(agent, "session.return", first.id)).rank).toBe(rank);
    await on(agent, "session.claim", first.id);
    const moved = await on(agent, "session.transfer", first.id, { to: { topic: urgent } });
    expect(moved).toMatchObject({ topic: urgent, status: "unassigned", enteredAt: first.enteredAt });
    expect((rank ?? 0) - (moved.rank ?? 0)).toBe(55 * MINUTE);
  });

  it("moves sessions up whose first messages match a rule, without the customer seeing it", async () => {
    const topic = id();
    const rule = { id: `fraud-${topic}`, words: ["stolen card"], urgency: "urgent", topicId: topic };
    (await rest(node.url, "PUT", `/keywords/${rule.id}`, admin, rule)).expect(200);
    const customer = await node.connect(await node.guest());
    const seen = heard<Array<{ type: string }>>(customer, "events");
    const calm = await open(await node.connect(await node.guest()), { topic, text: "Good morning" });
    const alarmed = await open(customer, { topic });
    await get(customer, "message.send", { conversationId: alarmed.id, commandId: id(), text: "Hello" });
    await get(customer, "message.send", { conversationId: alarmed.id, commandId: id(), text: "It is a STOLEN card!" });
    const order = async () => ids((await subscribe(agent, topic)).sessions);
    await until("it stands first", async () => (await order())[0] === alarmed.id);
    expect(await order()).toEqual([alarmed.id, calm.id]);
    const { words, headStart, session, ahead } = await on<Explanation>(agent, "session.explain", alarmed.id);
    expect(headStart).toMatchObject({ class: 5 * MINUTE, keyword: 55 * MINUTE, rule: rule.id });
    expect([session.urgency, ahead]).toEqual(["urgent", 0]);
    expect(words.join("\n")).toContain(`55 min for the keyword rule ${rule.id}`);
    await callSession(node.broker, "session.classify", { conversationId: alarmed.id });
    const again = await on<Explanation>(agent, "session.explain", alarmed.id);
    expect(again.session.lastSeq).toBe(session.lastSeq);
    expect(seen.flat().map(({ type }) => type)).not.toContain("session.reclassified");
  });
});

describe("a customer who waits", () => {
  it("is told the position, and how long it takes once that is known", async () => {
    const topic = id();
    const [ann, eve] = [await node.guest("Ann"), await node.guest("Eve")];
    const before = [];
    for (let at = 0; at < 3; at++) before.push(await open(await node.connect(await node.guest()), { topic }));
    const [customer, other] = [await node.connect(ann), await node.connect(eve)];
    const told = heard<Position>(customer, "queue.position");
    const toldOther = heard<Position>(other, "queue.position");
    const { id: sessionId } = await open(customer, { topic });
    await until("the first news", () => told.length === 1);
    expect(told).toEqual([{ sessionId, from: 4, to: 4, waitSeconds: null }]);
    const read = await rest(node.url, "GET", `/sessions/${sessionId}`, ann.token);
    expect(read.expect<{ position: object }>(200).position).toEqual({ from: 4, to: 4, waitSeconds: null });
    for (const session of before) await on(agent, "session.claim", session.id);
    await until("the next", () => told.length === 2);
    expect(told[1]).toMatchObject({ sessionId, from: 1, to: 1 });
    expect(told[1]?.waitSeconds).toBeGreaterThanOrEqual(MINUTE / 1_000 - 20);
    await on(agent, "session.claim", sessionId);
    const claimed = await rest(node.url, "GET", `/sessions/${sessionId}`, ann.token);
    expect(claimed.expect<SessionView>(200)).not.toHaveProperty("position");
    expect(toldOther).toEqual([]);
  }, 30_000);

  it("sees nothing that is for staff", async () => {
    const customer = await node.connect(await node.guest());
    const { id: sessionId } = await open(customer, { topic: id(), urgency: "high" });
    await on(agent, "session.claim", sessionId);
    await on(agent, "session.attend", sessionId);
    const staffOnly = ["rank", "attendedAt", "lastAgentId"];
    const { session } = await on<Explanation>(agent, "session.explain", sessionId);
    expect(Object.keys(session)).toEqual(expect.arrayContaining(staffOnly));
    const views = [
      await open(customer, { topic: session.topic }),
      await on(customer, "session.close", sessionId),
      ...(await get<{ sessions: SessionView[] }>(customer, "session.list", {}).catch(() => ({ sessions: [] })))
        .sessions,
      await on(customer, "session.rate", sessionId, { score: 4 }),
      await on(customer, "session.reopen", sessionId),
    ];
    for (const view of views) for (const field of staffOnly) expect(view).not.toHaveProperty(field);
    expect(await outcome(customer, "session.explain", { sessionId })).toBe("FORBIDDEN");
  });
});

describe("a session that is handed on", () => {
  it("to an agent is taken up, or goes back", async () => {
    const topic = id();
    await describeTopic(topic, { rules: { acceptMs: MINUTE } });
    const bob = await node.user("agent");
    const target = await node.connect(bob);
    const { id: sessionId } = await open(await node.connect(await node.guest()), { topic });
    const { agentId } = await on(agent, "session.claim", sessionId);
    expect(await outcome(target, "session.decline", { sessionId, commandId: id() })).toBe("NOT_FOUND");
    const to = { to: { agentId: bob.id }, note: "a loan" };
    expect(await on(agent, "session.transfer", sessionId, to)).toMatchObject({ agentId: bob.id, via: "transfer" });
    const { words, timer } = await on<Explanation>(agent, "session.explain", sessionId);
    expect(words.join("\n")).toContain(`${agentId ?? ""} transferred it to ${bob.id}`);
    expect(words.join("\n")).toContain(`${bob.id} has not taken it up yet.`);
    expect(timer?.kind).toBe("accept");
    expect((await on(target, "session.decline", sessionId, { reason: "no time" })).agentId).toBe(agentId);
    await on(agent, "session.transfer", sessionId, to);
    expect(await on(target, "session.attend", sessionId)).toHaveProperty("attendedAt");
    expect(await outcome(target, "session.decline", { sessionId, commandId: id() })).toBe("VALIDATION");
  });

  it("is taken over by supervisors, and by nobody else", async () => {
    const { id: sessionId } = await open(await node.connect(await node.guest()), { topic: id() });
    const { agentId } = await on(agent, "session.claim", sessionId);
    const colleague = await node.connect(await node.user("agent"));
    const takeover = () => ({ sessionId, commandId: id(), takeover: true });
    expect(await outcome(colleague, "session.claim", takeover())).toBe("FORBIDDEN");
    const boss = await node.user("supervisor");
    const supervisor = await node.connect(boss);
    expect(await outcome(supervisor, "session.claim", { sessionId, commandId: id() })).toBe("SESSION_TAKEN");
    const taken = await get<SessionView>(supervisor, "session.claim", takeover());
    expect(taken).toMatchObject({ agentId: boss.id, via: "takeover" });
    expect(await outcome(agent, "session.return", { sessionId, commandId: id() })).toBe("NOT_FOUND");
    expect(agentId).not.toBe(boss.id);
  });
});

describe("a closed session", () => {
  it("is rated by its customer, and reopened into the queue within its time", async () => {
    const topic = id();
    const customer = await node.connect(await node.guest());
    const { id: sessionId } = await open(customer, { topic });
    const commandId = id();
    expect(await outcome(customer, "session.rate", { sessionId, commandId, score: 5 })).toBe("VALIDATION");
    expect(await outcome(customer, "session.reopen", { sessionId, commandId: id() })).toBe("SESSION_EXISTS");
    await on(agent, "session.claim", sessionId);
    const closed = await on(agent, "session.close", sessionId, { reason: "solved" });
    expect(closed).toMatchObject({ status: "closed", closeReason: "solved" });
    for (const score of [0, 6, 2.5])
      expect(await outcome(customer, "session.rate", { sessionId, commandId: id(), score })).toBe("VALIDATION");
    expect(await outcome(agent, "session.rate", { sessionId, commandId: id(), score: 5 })).toBe("NOT_FOUND");
    await on(customer, "session.rate", sessionId, { score: 2 });
    const rated = await on(customer, "session.rate", sessionId, { score: 5, comment: "quick" });
    expect(rated.rating).toMatchObject({ score: 5, comment: "quick" });
    const reopened = await on(customer, "session.reopen", sessionId);
    expect(reopened).toMatchObject({ status: "unassigned" });
    expect(reopened).not.toHaveProperty("closedAt");
    expect(ids((await subscribe(agent, topic)).sessions)).toEqual([sessionId]);
  });

  it("is not reopened after its time, nor beside another open one", async () => {
    const [never, topic] = [id(), id()];
    await describeTopic(never, { rules: {} });
    const customer = await node.connect(await node.guest());
    const late = await open(customer, { topic: never });
    await on(customer, "session.close", late.id);
    expect(await outcome(customer, "session.reopen", { sessionId: late.id, commandId: id() })).toBe("SESSION_CLOSED");
    const first = await open(customer, { topic });
    await on(customer, "session.close", first.id);
    await open(customer, { topic });
    expect(await outcome(customer, "session.reopen", { sessionId: first.id, commandId: id() })).toBe("SESSION_EXISTS");
  });
});

describe("an explanation", () => {
  it("names the parts of the place, who is before, whether the topic is open, and what comes next", async () => {
    const topic = id();
    const hours = { timeZone: "Europe/Berlin", weekly: [], holidays: [] };
    await describeTopic(topic, { urgency: "high", hours });
    await open(await node.connect(await node.guest()), { topic });
    const { id: sessionId } = await open(await node.connect(await node.guest()), { topic, urgency: "low" });
    const told = await on<Explanation>(agent, "session.explain", sessionId);
    expect(told).toMatchObject({ ahead: 1, headStart: { total: 15 * MINUTE }, topic: { open: false } });
    const { rank = 0, enteredAt = "" } = told.session;
    expect(Date.parse(enteredAt) - rank).toBe(15 * MINUTE);
    const text = told.words.join("\n");
    expect(text).toContain("with a head start of 15 min: 15 min for the topic's urgency.");
    expect(text).toContain(`1 session of the topic is before it in ${topic}.`);
    expect(text).toContain("is closed and will not open again.");
    expect(text).toContain("An agent has to claim it.");
    expect(told.timer?.kind).toBe("closing");
    await on(agent, "session.claim", sessionId);
    const claimed = await on<Explanation>(agent, "session.explain", sessionId);
    expect(claimed).not.toHaveProperty("ahead");
    expect(claimed.words.join("\n")).toMatch(/claimed it \d+ s after it entered\./);
    expect(await outcome(agent, "session.explain", { sessionId: "nobody" })).toBe("NOT_FOUND");
  });
});
