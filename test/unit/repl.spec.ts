import { type Context, ServiceBroker, type ServiceSchema } from "moleculer";
import { getBorderCharacters, table } from "table";
import { lifecycleOf } from "../../lib/lifecycle";
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
const event = (seq: number, type: string, data: object) => ({
  seq,
  type,
  data,
  at: 1_760_000_000_000,
  by: id("c"),
  audience: "all",
});

const calls: Array<{ name: string; params: unknown }> = [];
const answer = (result: object) => (ctx: Context<Record<string, unknown>>) => {
  calls.push({ name: ctx.action?.name ?? "", params: ctx.params });
  return typeof result === "function" ? (result as (params: object) => unknown)(ctx.params) : result;
};
const services: ServiceSchema[] = [
  { name: "session", actions: { inspect: answer({ sessions: [session] }) } },
  { name: "users", actions: { search: answer({ users: [] }) } },
  {
    name: "presence",
    actions: { who: answer({ total: 3, users: [{ userId: id("a"), status: "online", connections: 2 }] }) },
  },
  {
    name: "room",
    actions: {
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
  const broker = new ServiceBroker({ logger: false, nodeID: "node-1" });
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

  it.each(["sessions", "users", "who", "conversation", "drain"])(
    "%s has help and fits into 80 columns",
    async (name) => {
      const text = await run(name, { id: id("5e55") });
      expect(commands.find(({ command }) => command.startsWith(name))?.description).toBeTruthy();
      expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    },
  );

  it("never lets what people typed reach the terminal as control characters", async () => {
    const text = (await run("sessions")) + (await run("conversation", { id: id("5e55"), options: { texts: true } }));
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

  it("tells how many are connected beyond those it lists", async () => {
    expect(await run("who")).toContain("2 more are connected");
  });

  it("drains only when the operator says yes", async () => {
    const sentAway = jest.fn(async () => undefined);
    lifecycleOf(broker).onDrain(sentAway);
    expect(await run("drain")).toContain("drain --yes");
    expect(sentAway).not.toHaveBeenCalled();
    await run("drain", { options: { yes: true } });
    expect(sentAway).toHaveBeenCalledTimes(1);
    expect(lifecycleOf(broker).phase).toBe("draining");
  });

  it("explains a failed call in one line", async () => {
    const nothingThere = new ServiceBroker({ logger: false });
    await commands.find(({ command }) => command === "who")?.action(nothingThere, { options: {} }, tools);
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
