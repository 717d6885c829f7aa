import { type Context, ServiceBroker, type ServiceSchema } from "moleculer";
import { getBorderCharacters, table } from "table";
import { systemClock, systemRandom } from "../../lib/actor/ports";
import { routingMiddleware } from "../../lib/middlewares/routing";
import { commands } from "../../repl";
import type { DrawingTools } from "../../repl/table";
import { drawTable, fit } from "../../repl/table";

const tools: DrawingTools = { table, getBorderCharacters, kleur: { bold: (text) => text } };
const id = (name: string) => name.padEnd(32, "0");
const HOSTILE = "\u001b[2J\u001b]0;owned\u0007Bob\u202egnp\r\nmol $ quit";

const session = {
  id: id("5e55"),
  conversationId: id("5e55"),
  status: "assigned",
  topic: "a topic with quite a long name, " + HOSTILE,
  urgency: "normal",
  customerId: id("c"),
  agentId: id("a"),
  openedAt: new Date(Date.now() - 7_300_000).toISOString(),
  lastSeq: 3,
};
const waiting = {
  ...session,
  status: "unassigned",
  subject: "my secret subject",
  enteredAt: session.openedAt,
  rank: Date.parse(session.openedAt) - 900_000,
};
const agent = {
  id: id("a"),
  name: HOSTILE,
  availability: "away",
  chosen: "online",
  reason: "silent",
  since: new Date().toISOString(),
  connected: true,
  load: 2,
  capacity: 5,
  skills: ["loan", "a skill with quite a long name, " + HOSTILE],
};
const event = (seq: number, type: string, data: object) => ({
  seq,
  type,
  data,
  at: 1_760_000_000_000,
  by: id("c"),
  audience: "all",
});

const topic = {
  id: "cards and accounts, " + HOSTILE,
  number: 1_000_000,
  name: HOSTILE.repeat(3),
  urgency: "urgent",
  skills: ["cards", "accounts", "english", HOSTILE],
  mode: "push",
  texts: {},
  archived: false,
  version: 1_234,
  open: false,
  hours: { timeZone: "UTC", weekly: [], holidays: [] },
};

const calls: Array<{ name: string; params: unknown }> = [];
const answer = (result: object) => (ctx: Context<Record<string, unknown>>) => {
  calls.push({ name: ctx.action?.name ?? "", params: ctx.params });
  return typeof result === "function" ? (result as (params: object) => unknown)(ctx.params) : result;
};
const services: ServiceSchema[] = [
  {
    name: "session",
    actions: {
      inspect: answer({ sessions: [session] }),
      waiting: answer(({ topic: of }: { topic?: string }) => ({ sessions: of === "empty" ? [] : [waiting] })),
      explain: answer({
        words: ["It entered the queue at 2026-01-05T10:00:00.000Z, with a head start of 5 min. " + HOSTILE],
        push: {
          reason: "nobody fits",
          agents: [{ agentId: id("a"), verdict: "lacks skills", load: 1, capacity: 5 }],
        },
      }),
    },
  },
  {
    name: "users",
    actions: {
      search: answer({ users: [] }),
      get: answer(({ id: userId }: { id: string }) => (userId === id("a") ? { id: userId, name: HOSTILE } : null)),
    },
  },
  {
    name: "topics",
    actions: { inspect: answer({ topics: [topic, { ...topic, id: "old", archived: true }], keywords: 7 }) },
  },
  {
    name: "agents",
    actions: {
      inspect: answer({ agents: [agent] }),
      assign: answer(({ agentId }: { agentId?: string }) => ({
        at: new Date().toISOString(),
        reason: "the only agent who fits, with 1 of 5 sessions",
        judgements: [{ agentId: id("a"), verdict: "fits", load: 1, capacity: 5, lacking: [HOSTILE] }],
        ...(agentId !== "nobody" && { agentId: id("a") }),
      })),
    },
  },
  {
    name: "audit",
    actions: {
      inspect: answer(({ target }: { target?: string }) => ({
        entries: [
          { id: id("e"), at: new Date(0).toISOString(), by: id("a"), action: "session.watch", target: id("5e55") },
        ].slice(0, target === undefined || target === id("5e55") ? 1 : 0),
      })),
    },
  },
  { name: "auth", actions: { kick: answer({ logins: 2 }) } },
  {
    name: "scheduler",
    actions: {
      jobs: answer({
        node: "node-1",
        holds: true,
        jobs: [
          {
            name: "timers.due",
            schedule: { everyMs: 250 },
            running: false,
            failures: 3,
            lastBegan: Date.now() - 70_000,
            lastSucceeded: Date.now() - 130_000,
            dueAt: Date.now() + 630_000,
          },
          { name: "auth.purge", schedule: { cron: "47 * * * *" }, running: true, failures: 0 },
        ],
      }),
    },
  },
  { name: "gateway" },
  {
    name: "node",
    actions: {
      state: answer({
        ready: true,
        parts: { node: "ready", broker: "up", store: "up", kv: "down" },
        pid: 4711,
        uptimeSeconds: 7_300,
        memoryBytes: 150 * 1_048_576,
        now: 0,
      }),
      drain: answer({}),
    },
  },
  {
    name: "presence",
    actions: {
      who: answer({ total: 3, users: [{ userId: id("a"), status: "online", reason: "connected", connections: 2 }] }),
      explain: answer(({ userId }: { userId: string }) => ({
        status: "away",
        reason: "chosen",
        own: "away",
        lastSeenAt: new Date(Date.now() - 130_000).toISOString(),
        connections: [
          {
            id: "io-1.internal.example.org/0123456789abcdefghij",
            node: "io-1.internal.example.org",
            expiresInMs: 61_200,
          },
        ].slice(0, userId === id("a") ? 1 : 0),
      })),
    },
  },
  {
    name: "room",
    actions: {
      move: answer(({ to }: { to?: string }) => {
        if (to === "io-1") throw Object.assign(new Error("Not found."), { type: "NOT_FOUND" });
        return { from: "node-1", to: "node-2" };
      }),
      inspect: answer(({ conversationId }: { conversationId: string }) =>
        conversationId !== id("5e55")
          ? null
          : {
              home: "node-1",
              activated: true,
              state: {
                kind: "support",
                lastSeq: 3,
                session: { status: "closed", subject: "my secret subject", closeReason: "a secret reason" },
                lastMessage: { seq: 2, text: "my secret text" },
                staffWrote: [{ by: "a", seq: 2 }],
                members: ["a", "b"],
              },
              lastEvents: [
                event(1, "session.opened", { topic: "billing", subject: "my secret subject" }),
                event(2, "message.created", { text: "my secret text" }),
                event(3, "message.edited", { seq: 2, text: HOSTILE }),
              ],
            },
      ),
    },
  },
];

describe("operator commands", () => {
  const broker = new ServiceBroker({
    logger: false,
    nodeID: "node-1",
    middlewares: [routingMiddleware({ clock: systemClock, random: systemRandom, timeoutMs: 1_000 })],
  });
  const printed: string[] = [];
  let log: jest.SpyInstance;

  beforeAll(async () => {
    services.forEach((schema) => broker.createService(schema));
    log = jest.spyOn(console, "log").mockImplementation((text: string) => void printed.push(text));
    await broker.start();
  });
  afterAll(async () => {
    log.mockRestore();
    await broker.stop();
  });
  beforeEach(() => {
    calls.length = printed.length = 0;
  });

  async function run(name: string, params: Record<string, unknown> = {}): Promise<string> {
    const command = commands.find((each) => each.command.split(" ")[0] === name);
    await command?.action(broker, { options: {}, rawCommand: name, ...params }, tools);
    return printed.join("\n");
  }

  it.each(commands.map(({ command }) => command))("%s has help and fits into 80 columns", async (command) => {
    const [name = ""] = command.split(" ");
    await run(name);
    const text = await run(name, { id: id("5e55"), user: id("a"), node: "node-1" });
    expect(commands.find((each) => each.command === command)?.description).toMatch(/^.{10,90}$/);
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it("never lets what people typed reach the terminal as control characters", async () => {
    const text =
      (await run("sessions")) +
      (await run("topics")) +
      (await run("queue")) +
      (await run("explain", { session: id("5e55") })) +
      (await run("conversation", { id: id("5e55"), options: { texts: true } }));
    expect(text).toContain("Bob");
    expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(text).not.toMatch(/^mol \$ quit/m);
  });

  it("lists all sessions that are not closed when no status is given", async () => {
    await run("sessions");
    expect(calls.map(({ params }) => params)).toEqual(
      ["unassigned", "assigned", "closing"].map((status) => ({ status, limit: 20 })),
    );
  });

  it("shows ids whole, so that they can be copied into the next command", async () => {
    expect(await run("sessions")).toContain(session.id);
    expect(await run("who")).toContain(id("a"));
  });

  it("shows what people wrote only when the operator asks for it", async () => {
    const discreet = await run("conversation", { id: id("5e55") });
    expect(discreet).not.toContain("secret");
    expect(discreet).toContain("14 characters");
    expect(discreet).toContain("billing");
    expect(await run("conversation", { id: id("5e55"), options: { texts: true } })).toContain("my secret text");
  });

  it("says so when a conversation does not exist", async () => {
    expect(await run("conversation", { id: "nothing" })).toBe("There is no such conversation.");
  });

  it("passes status, query and limit on", async () => {
    await run("sessions", { status: "closed", options: { limit: "5" } });
    await run("users", { query: "ann" });
    await run("sessions", { status: "clsed" });
    expect(printed.at(-1)).toBe("The status is one of unassigned, assigned, closing, closed.");
    expect(calls.map(({ params }) => params)).toEqual([
      { status: "closed", limit: 5 },
      { query: "ann", limit: 20 },
    ]);
  });

  it.each(["0", "101", "x", "1.5"])("refuses the limit %s in one line", async (limit) => {
    expect(await run("who", { options: { limit } })).toBe("--limit takes a number from 1 to 100");
  });

  it("tells which topics are open, and how many keyword rules there are", async () => {
    const text = await run("topics");
    expect(text).toMatch(/^cards.* 1000000 .* urgent +push +closed .* 1234$/m);
    expect(text).toMatch(/^old .* archived /m);
    expect(text).toMatch(/^Keyword rules: 7$/m);
  });

  it("lists who waits, in the order of the queue, without what they wrote", async () => {
    const text = await run("queue", { topic: "loan", options: { limit: "7" } });
    expect(text).toMatch(/ normal +2 h +15 min +\(17 characters\)$/m);
    expect(calls).toEqual([{ name: "session.waiting", params: { topic: "loan", limit: 7 } }]);
    expect(await run("queue", { topic: "empty" })).toContain("Nobody is waiting in this topic.");
  });

  it("explains where a session stands, and what was thought of each agent", async () => {
    const text = await run("explain", { session: id("5e55") });
    expect(text).toMatch(/with a head\s+start of 5 min/);
    expect(text).toMatch(/lacks skills +1\/5$/m);
    expect(calls).toEqual([{ name: "session.explain", params: { sessionId: id("5e55") } }]);
  });

  it("tells how many are connected beyond those it lists", async () => {
    expect(await run("who")).toContain("2 more are connected");
  });

  it("drains a node only when the operator says yes", async () => {
    expect(await run("drain", { node: "node-1" })).toContain("drain node-1 --yes");
    expect(await run("drain", { node: "nobody", options: { yes: true } })).toContain("There are: node-1.");
    expect(calls).toEqual([]);
    await run("drain", { options: { yes: true } });
    expect(calls.map(({ name }) => name)).toEqual(["node.drain"]);
  });

  it("tells what each node runs, and what it does not reach", async () => {
    const [title = "", node = ""] = (await run("nodes")).split("\n");
    expect(title).toMatch(/^Node +Runs +State +Process +Up +Memory$/);
    expect(node).toMatch(/^node-1 +gateway scheduler +ready, kv down +4711 +2 h +150 MB$/);
  });

  it("tells of each job when it runs, and how often it failed", async () => {
    const text = await run("jobs");
    expect(text).toMatch(/^Job +Schedule +Last run +Succeeded +Next run +Failures$/m);
    expect(text).toMatch(/^timers\.due +every 250 ms +1 min ago +2 min ago +in 10 min +3$/m);
    expect(text).toMatch(/^auth\.purge +47 \* \* \* \* +- +- +runs +0$/m);
    expect(text).toMatch(/^Run by node-1$/m);
  });

  it("shows a conversation's home, and moves it", async () => {
    expect(await run("homes", { id: id("5e55") })).toMatch(/^ +1 +node-1 +serving +answered, active in memory$/m);
    expect(await run("homes", { id: "nothing" })).toContain("There is no such conversation.");
    expect(await run("move", { id: id("5e55"), node: "node-2" })).toContain("Moved from node-1 to node-2.");
    expect(calls.at(-1)).toEqual({ name: "room.move", params: { conversationId: id("5e55"), to: "node-2" } });
  });

  it("says what is not there when a conversation cannot be moved", async () => {
    expect(await run("move", { id: "nothing" })).toBe("There is no such conversation.");
    expect(calls.filter(({ name }) => name === "room.move")).toEqual([]);
    expect(await run("move", { id: id("5e55"), node: "io-1" })).toContain(
      "There is no other core node io-1. There is: node-1.",
    );
  });

  it("lists its own commands before those of the framework", async () => {
    const known = ["call", "nodes", "help"].map((name) => ({ name: () => name, outputHelp: () => undefined }));
    const help = commands.find(({ command }) => command.startsWith("help"));
    await help?.action(broker, {}, { ...tools, cmd: { parent: { commands: known } } } as DrawingTools);
    const lines = printed.join("\n").split("\n");
    expect(lines[1]).toMatch(/^nodes +List the nodes/);
    expect(lines.at(-1)).toBe("  call");
  });

  it("lists what was done unseen, or that nothing was", async () => {
    expect(await run("audit")).toMatch(/^1970-01-01 00:00:00 .* session\.watch /m);
    expect(await run("audit", { target: "nothing" })).toContain("Nothing was done unseen.");
  });

  it("tells why a user is shown as they are", async () => {
    const text = await run("who", { user: id("a") });
    expect(text).toMatch(/^status +away: chosen$/m);
    expect(text).toMatch(/^last seen +2 min ago, 20/m);
    expect(text).toMatch(/ij +…?\S*example\.org +62 s$/m);
    expect(await run("who", { user: "nobody" })).toContain("There is no such user.");
  });

  it("lists agents with what they are, why, and how much they have", async () => {
    expect(await run("agents", { after: "a", options: { limit: "5" } })).toMatch(/away: sil\S* +yes +2\/5 /);
    expect(calls.at(-1)).toEqual({ name: "agents.inspect", params: { after: "a", limit: 5 } });
  });

  it("gives a session to somebody, and says why", async () => {
    const text = await run("assign", { session: id("5e55"), agent: id("a") });
    expect(text).toContain(`${id("a")} has it:\nthe only agent who fits, with 1 of 5 sessions.`);
    expect(calls.at(-1)?.params).toEqual({ conversationId: id("5e55"), agentId: id("a") });
    expect(await run("assign", { session: id("5e55"), agent: "nobody" })).toContain("Nobody has it:\n");
  });

  it("ends the logins of a user who exists", async () => {
    expect(await run("kick", { user: id("a") })).toContain("Ended 2 logins of Bob");
    expect(await run("kick", { user: "nobody" })).toContain("There is no such user.");
    expect(calls.filter(({ name }) => name === "auth.kick")).toHaveLength(1);
  });

  it("explains a failed call in one line", async () => {
    const nothingThere = new ServiceBroker({ logger: false });
    await commands.find(({ command }) => command.startsWith("who"))?.action(nothingThere, { options: {} }, tools);
    expect(printed).toEqual(["SERVICE_NOT_FOUND: Service 'presence.who' is not found."]);
  });
});

describe("table", () => {
  it("takes room only from columns that may give way, the widest first", () => {
    const columns = [{ title: "Id" }, { title: "Name", overflow: "cut" }, { title: "Mail", overflow: "cut" }] as const;
    expect(fit(columns, [["x".repeat(10), "y".repeat(30), "z".repeat(8)]], 40)).toEqual([10, 18, 8]);
  });

  it("keeps the end of ids, by which they differ", () => {
    const columns = [{ title: "By", overflow: "id" }, { title: "End" }] as const;
    expect(drawTable(tools, columns, [["0123456789abcdef", "1"]], 15)).toBe("By          End\n…789abcdef  1");
  });

  it("cuts with an ellipsis and keeps the columns aligned for wide characters", () => {
    const columns = [{ title: "Name", overflow: "cut" }, { title: "End" }] as const;
    const lines = drawTable(
      tools,
      columns,
      [
        ["abcdefghijklmnop", "1"],
        ["日本語", "2"],
      ],
      16,
    ).split("\n");
    expect(lines).toEqual(["Name         End", "abcdefghij…  1", "日本語       2"]);
  });
});
